"""What ages: records that nobody decides by any more, and the room that they leave in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core.policy.retention import AgingRecords

# What goes with the lines of rollouts, and belongs to none: messages of channels, such as reminders.
Aging = Literal[AgingRecords, "notices"]
AGING: tuple[Aging, ...] = ("inbox", "lines", "evidence", "build_logs", "notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePages:
    """How a database lies on its disk.

    Attributes:
        size: of a page, in bytes.
        count: of all pages; `free`: of those that hold nothing.
        shrinks: whether it can give free pages back to the disk.
    """

    size: int
    count: int
    free: int
    shrinks: bool


class Retention(Protocol):
    """Deletes what is not kept any more, a little at a time, so that nobody who writes waits for long.

    What has not ended stays; what Slack is still owed is kept for half a year longer.
    """

    async def mend_marks(self, now: datetime) -> None:
        """Look through everything again where a mark lies ahead of now: a clock that was ahead has moved it."""
        ...

    async def due(self, records: Aging, before: datetime) -> bool:
        """Return whether there is anything to delete that ended before a moment."""
        ...

    async def age(self, records: Aging, before: datetime) -> bool:
        """Delete, in one short transaction, some of what ended before a moment, the oldest first; return whether more is left.

        Raises:
            Unavailable: the disk is full or broken; what was deleted before stays deleted.
        """
        ...

    async def give_back(self) -> bool:
        """Give, in one short transaction, some of many free pages back to the disk; return whether more are left."""
        ...
