"""Configuration from the environment, from `.env`, and from files named by `X_FILE` (contract 2)."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from bot.build_settings import LONGEST, SHORTEST, TRUE, ClusterBuildSettings, build_contradictions
from bot.prefixes import DEFAULT_COMMAND
from bot.rate_settings import RateSettings
from bot.router_settings import RouterSettings, router_contradictions
from bot.tls_settings import TlsSettings, tls_contradictions
from bot.webhook_settings import WebhookSettings
from core.records.app import DEFAULT_RACK

S = TypeVar("S", bound=BaseModel)

# `<rack>-<app>` must fit a namespace name of 63 characters with an app name of 30 and a dash between them.
RACK = r"^[a-z]([a-z0-9-]{0,24}[a-z0-9])?$"

# As Slack takes it: up to 32 characters with the slash.
COMMAND = r"^/[a-z0-9_-]{1,31}$"

# A workspace; an organisation's id begins with E.
TEAM = re.compile(r"T[A-Z0-9]{2,}")

# MiB. Apps have some megabytes of code; whoever has more has usually no .dockerignore.
MAX_SOURCE, MOST_SOURCE = 512, 16_384

A_PORT = "is no port: a port is a whole number from 0 to 65535"
# What pydantic calls wrong, in words of ours: its own name patterns and types that no operator has heard of.
WRONG = {
    "bool_parsing": "is neither yes nor no: 1 means yes, 0 means no",
    "greater_than_equal": A_PORT,
    "int_parsing": A_PORT,
    "int_parsing_size": A_PORT,
    "less_than_equal": A_PORT,
    "literal_error": "is neither text nor json",
    "string_pattern_mismatch": (
        "cannot be the name of a rack: up to 26 lower-case letters, digits and dashes, the first of them a letter "
        "and the last no dash"
    ),
    "too_short": "holds no key; `convox-bot keygen` prints one",
}


class SettingsError(Exception):
    """What is wrong with the settings, one sentence a problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreSettings(BaseModel):
    """What every command that opens the database needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_database: Path = Path("convox.db")
    """SQLite file; its lock is `<file>.lock`."""
    convox_keys: tuple[SecretStr, ...] = Field(min_length=1)
    """Newest first: the first encrypts, all decrypt."""

    @field_validator("convox_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [k.strip() for k in value.split(",") if k.strip()] if isinstance(value, str) else value


class Settings(
    StoreSettings, RouterSettings, ClusterBuildSettings, WebhookSettings, TlsSettings, RateSettings
):
    """Everything `serve` can be told."""

    slack_bot_token: SecretStr
    slack_app_token: SecretStr | None = None
    """Socket Mode."""
    slack_signing_secret: SecretStr | None = None
    """HTTP mode."""
    slack_api_url: str = "https://slack.com/api/"
    slack_team_id: str | None = None
    """The workspace whose user groups the policy names, where the app is installed for an organisation."""
    convox_rack: str = Field(default=DEFAULT_RACK, pattern=RACK)
    convox_command: str = Field(default=DEFAULT_COMMAND, pattern=COMMAND)
    """The slash command, as Slack has it."""
    convox_policy: Path | None = None
    convox_open: bool = False
    """Every full member of the workspace and every token may do everything."""
    kubeconfig: str | None = None
    convox_max_source: int = MAX_SOURCE
    """MiB that the source of a build may have, packed."""
    log_format: Literal["text", "json"] = "text"
    """How the log on stderr is written: for people, or an object a line."""
    host: str = "0.0.0.0"  # noqa: S104 - Slack must reach it; contract 2
    port: int = Field(default=3000, ge=0, le=65535)
    api_host: str = "0.0.0.0"  # noqa: S104 - CI must reach it; contract 2
    api_port: int = Field(default=3001, ge=0, le=65535)

    @field_validator("convox_max_source", mode="before")
    @classmethod
    def _mebibytes(cls, value: object) -> object:
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= MOST_SOURCE):
            raise ValueError(f"is no size: a whole number of MiB from 1 to {MOST_SOURCE}")
        return int(text)

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        return _begins(value, "xoxb-")

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        return value and _begins(value, "xapp-")

    @field_validator("slack_team_id")
    @classmethod
    def _workspace(cls, value: str | None) -> str | None:
        if value is not None and not TEAM.fullmatch(value):
            raise ValueError("is no workspace: the id of one begins with T")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"


def contradictions(given: Mapping[str, str]) -> list[str]:
    """Return what is wrong between settings, whatever else is wrong with each of them.

    Args:
        given: field → text, as it was found.
    """
    problems = []
    app_token, secret = given.get("slack_app_token"), given.get("slack_signing_secret")
    if app_token and secret:
        problems.append(
            "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set: drop SLACK_SIGNING_SECRET for Socket "
            "Mode, or SLACK_APP_TOKEN for HTTP mode"
        )
    if not app_token and not secret:
        problems.append("set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode")
    if not given.get("convox_policy") and given.get("convox_open", "").lower() not in TRUE:
        problems.append(
            "CONVOX_POLICY is not set: name a policy file, or set CONVOX_OPEN=1 so that every full member "
            "of the workspace and every token may do everything"
        )
    return problems


def _begins(value: SecretStr, prefix: str) -> SecretStr:
    if not value.get_secret_value().startswith(prefix):
        raise ValueError(f"must begin with {prefix}")
    return value


def read_settings(
    kind: type[S], environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
) -> S:
    """Read settings of one kind.

    Args:
        kind: Settings, or a smaller class where a command needs less.
        environ: the environment; the process's own by default. It wins over `dotenv`.
        dotenv: a file with `NAME=value` lines, which may be missing.

    Raises:
        SettingsError: names every setting that is missing or wrong, never its value.
    """
    given = {**_dotenv(dotenv), **(os.environ if environ is None else environ)}
    values, unread = _with_files(kind, given)
    # What could not be read is not missing.
    known = {**values, **dict.fromkeys(unread, "unread")}
    problems = [*unread.values(), *(contradictions(known) if issubclass(kind, Settings) else ())]
    problems += router_contradictions(known) if issubclass(kind, RouterSettings) else ()
    problems += tls_contradictions(known) if issubclass(kind, TlsSettings) else ()
    problems += build_contradictions(known) if issubclass(kind, ClusterBuildSettings) else ()
    try:
        settings = kind.model_validate(values)
    except ValidationError as error:
        found = [_sentence(e) for e in error.errors() if not unread.keys() & set(e["loc"][:1])]
        raise SettingsError([*problems, *found]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    return {k: v for k, v in dotenv_values(path, encoding="utf-8").items() if v is not None}


def _with_files(kind: type[BaseModel], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return field → value, where `X_FILE` names a file that holds X, and field → why it could not be read."""
    values: dict[str, str] = {}
    unread: dict[str, str] = {}
    for field in kind.model_fields:
        name = field.upper()
        # A Secret made from a file ends in a line end, which no token has.
        value, path = given.get(name, "").strip(), given.get(f"{name}_FILE", "").strip()
        if path and value:
            unread[field] = f"{name} and {name}_FILE are both set: drop one"
        elif path:
            try:
                values[field] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                unread[field] = f"{name}_FILE names {path}, which cannot be read: {_reason(error)}"
        elif value:
            values[field] = value
    return values, unread


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else "it is not text"


def _sentence(error: Any) -> str:
    """Say what is wrong with one setting; pydantic's own text could show the value."""
    name = ".".join(str(p) for p in error["loc"][:1]).upper()
    if error["type"] == "missing":
        hint = "; `convox-bot keygen` prints a key" if name == "CONVOX_KEYS" else ""
        return f"{name} is not set{hint}"
    if name == "CONVOX_COMMAND":
        return "CONVOX_COMMAND is no slash command: a slash and up to 31 lower-case letters, digits, dashes and underscores"
    if name == "CONVOX_BUILD_TIMEOUT":
        return f"{name} is no time for a build: whole seconds, from {SHORTEST} to {LONGEST}"
    if error["type"] in WRONG:
        return f"{name} {WRONG[error['type']]}"
    return f"{name} {str(error['msg']).removeprefix('Value error, ')}"
