"""When those who can approve a promotion are told of it again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """Of one promotion.

    Attributes:
        due_at: when they are reminded next; None where nothing is due.
        told_at: when they were last; None if never.
    """

    due_at: datetime | None
    told_at: datetime | None
