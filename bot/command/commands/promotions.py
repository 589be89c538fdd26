"""What is decided about a promotion that somebody has asked for."""

from dataclasses import dataclass

from bot.command.commands.command import Command, of_app

# Long enough to look at what failed.
SNOOZE_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["approve", self.promotion, *of_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    reason: str = ""
    app: str | None = None

    @property
    def words(self) -> list[str]:
        reason = ["--", self.reason] if self.reason else []
        return ["decline", self.promotion, *of_app(self.app), *reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["stop", self.promotion, *of_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Command):
    """Attributes: seconds: by how much its end is put off. app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    seconds: int = SNOOZE_SECONDS
    app: str | None = None

    @property
    def words(self) -> list[str]:
        time = [] if self.seconds == SNOOZE_SECONDS else [f"{self.seconds}s"]
        return ["snooze", self.promotion, *time, *of_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """Attributes: app: what `-a` said, if anything; the promotion's own app counts."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["cancel", self.promotion, *of_app(self.app)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(Command):
    """Attributes: after: seconds from now; None is at once. app: as of `Cancel`."""

    promotion: str
    after: int | None = None
    app: str | None = None

    @property
    def words(self) -> list[str]:
        after = ["--in", f"{self.after}s"] if self.after is not None else []
        return ["remind", self.promotion, *after, *of_app(self.app)]
