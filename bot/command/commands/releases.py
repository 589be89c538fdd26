"""Releases: looked at, made of two others, promoted, gone back to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.command.commands.command import ROWS, Command, limited, switched

# How far `stats` looks back: as far as a duration of a command goes.
STATS_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReleases(Command):
    app: str
    limit: int = ROWS

    @property
    def words(self) -> list[str]:
        return ["releases", "-a", self.app, *limited(self.limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseInfo(Command):
    app: str
    release: str
    reveal: bool = False

    @property
    def words(self) -> list[str]:
        return ["releases", "info", self.release, "-a", self.app, *switched("--reveal", self.reveal)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseManifest(Command):
    app: str
    release: str

    @property
    def words(self) -> list[str]:
        return ["releases", "manifest", self.release, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRelease(Command):
    """Attributes: release: None takes the newest that is not on hold, as `releases promote` does."""

    app: str
    release: str | None = None

    @property
    def words(self) -> list[str]:
        return ["check", *([self.release] if self.release else []), "-a", self.app]


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
        return ["releases", "history", "-a", self.app, *limited(self.limit), *at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(Command):
    """Attributes: seconds: how far it looks back."""

    app: str
    seconds: int = STATS_SECONDS

    @property
    def words(self) -> list[str]:
        since = [] if self.seconds == STATS_SECONDS else ["--since", f"{self.seconds}s"]
        return ["stats", "-a", self.app, *since]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReleaseFrom(Command):
    """Attributes: build_from, env_from: the releases that they are taken from; None takes the active one. overwrite: as of `Promote`."""

    app: str
    build_from: str | None = None
    env_from: str | None = None
    promote: bool = False
    overwrite: bool = False

    @property
    def words(self) -> list[str]:
        build = ["--build-from", self.build_from] if self.build_from else ["--use-active-release-build"]
        env = ["--env-from", self.env_from] if self.env_from else ["--use-active-release-env"]
        switches = [*switched("--promote", self.promote), *switched("--overwrite", self.overwrite)]
        return ["releases", "create-from", *build, *env, "-a", self.app, *switches]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote(Command):
    """A release is to go out.

    Attributes:
        release: None takes the newest not on hold.
        overwrite: what others have set by hand is taken away.
        anyway: why a release on hold is promoted.
        break_glass: why it goes out through a freeze or without approvals.
        at: when it starts, as it was typed: `18:00`, `tomorrow 9:00`, `2026-12-01T18:00Z`.
        queue: it starts when nothing else of the app rolls out.
    """

    app: str
    release: str | None = None
    force: bool = False
    overwrite: bool = False
    anyway: str | None = None
    break_glass: str | None = None
    at: str | None = None
    queue: bool = False

    @property
    def words(self) -> list[str]:
        release = [self.release] if self.release else []
        release += ["at", *self.at.split()] if self.at else []
        anyway = [f"--anyway={self.anyway}"] if self.anyway is not None else []
        glass = [f"--break-glass={self.break_glass}"] if self.break_glass is not None else []
        switches = [*switched("--force", self.force), *switched("--overwrite", self.overwrite)]
        switches += switched("--queue", self.queue)
        return ["releases", "promote", *release, "-a", self.app, *switches, *anyway, *glass]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback(Command):
    """Attributes: variables: those of the release that it goes back to, or those that run now."""

    app: str
    release: str
    variables: Literal["then", "now"] = "then"

    @property
    def words(self) -> list[str]:
        env = ["--env", self.variables] if self.variables != "then" else []
        return ["releases", "rollback", self.release, "-a", self.app, *env]
