"""What a person can ask for, as values; without them every listener would read words again.

Each says how it is typed, so that a message or a button can hold a command that means exactly this.
"""

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime

# Convox lists so many where nothing else is asked for.
ROWS = 10
# What fits on a screen or two; Convox goes on and on.
LOG_LINES = 100


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
        switches = [*_switch("--promote", self.promote), *_switch("--overwrite", self.overwrite)]
        return ["releases", "create-from", *build, *env, "-a", self.app, *switches]


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
    """Attributes: release: whose environment; None takes the newest. with_id: the release's id is asked for, and nothing else."""

    app: str
    reveal: bool = False
    release: str | None = None
    with_id: bool = False

    @property
    def words(self) -> list[str]:
        switches = [*_switch("--reveal", self.reveal), *_switch("--id", self.with_id)]
        return ["env", "-a", self.app, *_release(self.release), *switches]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvGet(Command):
    app: str
    key: str
    release: str | None = None

    @property
    def words(self) -> list[str]:
        return ["env", "get", self.key, "-a", self.app, *_release(self.release)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvChange(Command):
    """A change of variables, which makes a release.

    Attributes:
        release: what is changed; None takes the newest release that is not on hold.
        overwrite: as of `Promote`, with which the new release goes out.
        with_id: a terminal wants nothing but the new release's id on its standard output.
    """

    app: str
    release: str | None = None
    promote: bool = False
    overwrite: bool = False
    with_id: bool = False

    @property
    def options(self) -> list[str]:
        switches = (("--promote", self.promote), ("--overwrite", self.overwrite), ("--id", self.with_id))
        given = [word for flag, on in switches for word in _switch(flag, on)]
        return ["-a", self.app, *_release(self.release), *given]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSet(EnvChange):
    """Attributes: pairs: key and value, the value verbatim and in no `repr`; replace: every other variable is gone."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    replace: bool = False

    @property
    def words(self) -> list[str]:
        pairs = [f"{key}={value}" for key, value in self.pairs]
        return ["env", "set", *pairs, *_switch("--replace", self.replace), *self.options]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvUnset(EnvChange):
    keys: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return ["env", "unset", *self.keys, *self.options]


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
class BuildLogs(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "logs", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRegistries(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["registries", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRegistry(Command):
    app: str
    host: str

    @property
    def words(self) -> list[str]:
        return ["registries", "rm", self.host, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListServices(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["services", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProcesses(Command):
    """Attributes: service: whose; None lists all."""

    app: str
    service: str | None = None

    @property
    def words(self) -> list[str]:
        return ["ps", "-a", self.app, *(["-s", self.service] if self.service is not None else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListScales(Command):
    """Attributes: service: whose; None shows all."""

    app: str
    service: str | None = None

    @property
    def words(self) -> list[str]:
        return ["scale", *([self.service] if self.service is not None else []), "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCount(Command):
    app: str
    service: str
    count: int

    @property
    def words(self) -> list[str]:
        return ["scale", self.service, "--count", str(self.count), "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(Command):
    """Attributes: service: whose processes are replaced; None replaces all."""

    app: str
    service: str | None = None

    @property
    def words(self) -> list[str]:
        return ["restart", *([self.service] if self.service is not None else []), "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTimers(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["timers", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListResources(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["resources", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs(Command):
    """Attributes: as those of `core.records.process_log.LogRequest`."""

    app: str
    service: str | None = None
    limit: int = LOG_LINES
    since: int | None = None
    containing: str = ""

    @property
    def words(self) -> list[str]:
        service = [self.service] if self.service is not None else []
        since = ["--since", f"{self.since}s"] if self.since is not None else []
        containing = [f"--filter={self.containing}"] if self.containing else []
        limit = ["-l", str(self.limit)] if self.limit != LOG_LINES else []
        return ["logs", *service, "-a", self.app, *since, *containing, *limit]


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
class LockApp(Command):
    """Attributes: locked: whether it is locked from now on, or unlocked."""

    app: str
    locked: bool

    @property
    def words(self) -> list[str]:
        return ["apps", "lock" if self.locked else "unlock", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParams(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["apps", "params", self.app]


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


def _release(release: str | None) -> list[str]:
    return ["--release", release] if release else []


def _limit(rows: int) -> list[str]:
    return ["-l", str(rows)] if rows != ROWS else []


def _app(app: str | None) -> list[str]:
    return ["-a", app] if app else []
