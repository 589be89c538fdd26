"""Freezing apps, and asking what one may do."""

from dataclasses import dataclass

from bot.command.commands.command import Command, of_app
from core.policy.calendar import ZonedTime


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeApp(Command):
    """Attributes: app: its name, or `*` for every app; begins: when, None is now; until: when it ends by itself."""

    app: str
    reason: str
    begins: ZonedTime | None = None
    until: ZonedTime | None = None

    @property
    def words(self) -> list[str]:
        begins = ["from", *str(self.begins).split()] if self.begins else []
        until = ["until", *str(self.until).split()] if self.until else []
        return ["freeze", self.app, *begins, *until, "--", self.reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfreezeApp(Command):
    """Attributes: app: its name, or `*` for the freeze of every app."""

    app: str

    @property
    def words(self) -> list[str]:
        return ["unfreeze", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Command):
    """Attributes: release: with which; None takes the newest that is not on hold."""

    app: str
    release: str | None = None

    @property
    def words(self) -> list[str]:
        return ["why", *([self.release] if self.release else []), *of_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI(Command):
    @property
    def words(self) -> list[str]:
        return ["whoami"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWaiting(Command):
    @property
    def words(self) -> list[str]:
        return ["waiting"]
