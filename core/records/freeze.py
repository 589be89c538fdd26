"""A freeze that somebody has called: nothing new is promoted until it ends or somebody ends it."""

from dataclasses import dataclass
from datetime import datetime

from core.actor import Actor

EVERY_APP = "*"
MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """At most one of an app, and one of all apps.

    Attributes:
        app: whose, or `EVERY_APP`.
        since: when it begins, which may lie ahead.
        until: when it ends by itself; None where somebody has to end it.
        to_tell: it begins later than it was called, and its channels are still to be told that it has begun.
    """

    app: str
    reason: str
    by: Actor
    since: datetime
    until: datetime | None = None
    to_tell: bool = False

    def holds(self, app: str, at: datetime) -> bool:
        """Tell whether an app is frozen by it at a moment."""
        return self.app in {app, EVERY_APP} and self.since <= at and not self.over(at)

    def over(self, at: datetime) -> bool:
        """Tell whether it has ended by itself at a moment."""
        return self.until is not None and self.until <= at
