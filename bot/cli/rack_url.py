"""`RACK_URL`: where a convox-bot is and with which token; read with care, since a token in the clear is a rack given away."""

import ipaddress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

USER = "convox"
HINT = "it looks like this: RACK_URL=https://convox:TOKEN@HOST, or without a token in a job of CI that has one of its own (docs/ci.md)"


class CliError(Exception):
    """What was asked for was not done; a sentence for whoever asked.

    Attributes:
        hint: what to do now, or "".
        text: what was done before, or "".
        status: of the bot's answer; 0 where it gave none.
    """

    def __init__(self, sentence: str, *, hint: str = "", text: str = "", status: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class RackUrl:
    """A `RACK_URL` that may be used.

    Attributes:
        token: "" where it has none: a job of CI may have one of its own.
        port: None for the scheme's own.
        prefix: path below which the API is, without a slash at its end.
    """

    secure: bool
    host: str
    port: int | None
    prefix: str
    token: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the URL; raises CliError with a sentence that shows nothing of its token."""
        if not text:
            raise CliError("RACK_URL is not set", hint=HINT)
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in {"http", "https"} or not host:
            raise CliError("RACK_URL is not an http or https URL", hint=HINT)
        token = unquote(parts.password or "")
        if (parts.username or USER) != USER or (token and not parts.username):
            raise CliError(f"RACK_URL needs the user {USER} and a token as its password", hint=HINT)
        if parts.scheme == "http" and not is_loopback(host):
            raise CliError(
                f"RACK_URL would send the token to {host} in the clear: plain http is for this machine alone",
                hint="use https, or a tunnel such as `kubectl port-forward`",
            )
        secure, prefix = parts.scheme == "https", parts.path.rstrip("/")
        return cls(secure=secure, host=host, port=port, prefix=prefix, token=token)

    @property
    def origin(self) -> str:
        """The address of the rack, which a token of a job is for unless somebody says otherwise."""
        return f"{'https' if self.secure else 'http'}://{self.name}{self.prefix}"

    @property
    def name(self) -> str:
        """Where it is, without the token, for sentences."""
        return f"{self.host}:{self.port}" if self.port else self.host


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to the host never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
