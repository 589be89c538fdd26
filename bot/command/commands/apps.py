"""Apps, the channel of each, and the help."""

from dataclasses import dataclass

from bot.command.commands.command import Command


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
