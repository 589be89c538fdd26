"""What runs: services, processes, timers, resources."""

from dataclasses import dataclass

from bot.command.commands.command import Command

# What fits on a screen or two; Convox goes on and on.
LOG_LINES = 100


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
class FailureLogs(Command):
    """What the pods wrote that made a promotion fail, as it was stored before anything was undone."""

    app: str
    promotion: str

    @property
    def words(self) -> list[str]:
        return ["logs", "-a", self.app, "--of", self.promotion]


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
