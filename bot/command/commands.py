"""What a person can ask for, as values; without them every listener would read words again.

Each says how it is typed, so that a message or a button can hold a command that means exactly this.
"""

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime

# Convox lists so many where nothing else is asked for.
ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(ABC):
    """One request.

    Attributes:
        warnings: what the answer must tell the person about their input.
    """

    warnings: tuple[str, ...] = ()

    @property
    @abstractmethod
    def words(self) -> list[str]:
        """The words that mean this command."""

    @property
    def typed(self) -> str:
        """How it is typed, without `/convox`."""
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReleases(Command):
    app: str
    limit: int = ROWS

    @property
    def words(self) -> list[str]:
        return ["releases", "-a", self.app, *_limit(self.limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseInfo(Command):
    app: str
    release: str
    reveal: bool = False

    @property
    def words(self) -> list[str]:
        return ["releases", "info", self.release, "-a", self.app, *_switch("--reveal", self.reveal)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseManifest(Command):
    app: str
    release: str

    @property
    def words(self) -> list[str]:
        return ["releases", "manifest", self.release, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReleases(Command):
    """Attributes: base: the release to compare with; None takes the active one."""

    app: str
    release: str
    base: str | None = None

    @property
    def words(self) -> list[str]:
        base = [self.base] if self.base else []
        return ["releases", "diff", *base, self.release, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHistory(Command):
    """Attributes: at: asks what was live then, instead of for the list."""

    app: str
    limit: int = ROWS
    at: datetime | None = None

    @property
    def words(self) -> list[str]:
        at = ["--at", self.at.isoformat()] if self.at else []
        return ["releases", "history", "-a", self.app, *_limit(self.limit), *at]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReleaseFrom(Command):
    """Attributes: build_from, env_from: the releases that they are taken from; None takes the active one."""

    app: str
    build_from: str | None = None
    env_from: str | None = None
    promote: bool = False

    @property
    def words(self) -> list[str]:
        build = ["--build-from", self.build_from] if self.build_from else ["--use-active-release-build"]
        env = ["--env-from", self.env_from] if self.env_from else ["--use-active-release-env"]
        return ["releases", "create-from", *build, *env, "-a", self.app, *_switch("--promote", self.promote)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote(Command):
    """A release is to go out.

    Attributes:
        release: None takes the newest not on hold.
        overwrite: what others have set by hand is taken away.
        anyway: why a release on hold is promoted.
    """

    app: str
    release: str | None = None
    force: bool = False
    overwrite: bool = False
    anyway: str | None = None

    @property
    def words(self) -> list[str]:
        release = [self.release] if self.release else []
        anyway = [f"--anyway={self.anyway}"] if self.anyway is not None else []
        switches = [*_switch("--force", self.force), *_switch("--overwrite", self.overwrite)]
        return ["releases", "promote", *release, "-a", self.app, *switches, *anyway]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback(Command):
    app: str
    release: str

    @property
    def words(self) -> list[str]:
        return ["releases", "rollback", self.release, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Command):
    app: str
    reveal: bool = False

    @property
    def words(self) -> list[str]:
        return ["env", "-a", self.app, *_switch("--reveal", self.reveal)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvGet(Command):
    app: str
    key: str

    @property
    def words(self) -> list[str]:
        return ["env", "get", self.key, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSet(Command):
    """Attributes: pairs: key and value, the value verbatim and in no `repr`."""

    app: str
    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    promote: bool = False

    @property
    def words(self) -> list[str]:
        pairs = [f"{key}={value}" for key, value in self.pairs]
        return ["env", "set", *pairs, "-a", self.app, *_switch("--promote", self.promote)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvUnset(Command):
    app: str
    keys: tuple[str, ...]
    promote: bool = False

    @property
    def words(self) -> list[str]:
        return ["env", "unset", *self.keys, "-a", self.app, *_switch("--promote", self.promote)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBuilds(Command):
    app: str
    limit: int = ROWS

    @property
    def words(self) -> list[str]:
        return ["builds", "-a", self.app, *_limit(self.limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "info", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApps(Command):
    @property
    def words(self) -> list[str]:
        return ["apps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApp(Command):
    name: str

    @property
    def words(self) -> list[str]:
        return ["apps", "create", self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInfo(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["apps", "info", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelApp(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["apps", "cancel", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["approve", self.promotion, *_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    reason: str = ""
    app: str | None = None

    @property
    def words(self) -> list[str]:
        reason = ["--", self.reason] if self.reason else []
        return ["decline", self.promotion, *_app(self.app), *reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["cancel", self.promotion, *_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["link", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["unlink", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(Command):
    topic: str = ""

    @property
    def words(self) -> list[str]:
        return ["help", *self.topic.split()]


def _switch(flag: str, on: bool) -> list[str]:
    return [flag] if on else []


def _limit(rows: int) -> list[str]:
    return ["-l", str(rows)] if rows != ROWS else []


def _app(app: str | None) -> list[str]:
    return ["-a", app] if app else []
