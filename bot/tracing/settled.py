"""Tells the tracer of promotions that have ended, whoever ended them: of the records, so that a restart in between loses none."""

from datetime import datetime, timedelta
from typing import Protocol

from core.lifecycle.promotion_spans import promotion_spans
from core.ports.tracer import Tracer
from core.promotion import Promotion
from core.records.approval import Approval

# What ended so long before the newest end is told once more at a start: a process that was killed may have kept its spans to
# itself. They have the ids that they had, so that whoever has them already has nothing twice.
OVERLAP = timedelta(minutes=10)
AT_ONCE = 100


class SettledReader(Protocol):
    """What it reads."""

    async def last_settled(self) -> datetime | None: ...
    async def settled_since(self, since: datetime, limit: int) -> list[Promotion]: ...
    async def approvals(self, promotion_id: str) -> list[Approval]: ...


class SettledTracer:
    """Looks again and again for promotions that have ended."""

    def __init__(self, reader: SettledReader, tracer: Tracer) -> None:
        self._reader = reader
        self._tracer = tracer
        self._since: datetime | None = None
        # Those that ended in the very moment up to which was read.
        self._told: frozenset[str] = frozenset()

    async def look(self, now: datetime) -> None:
        """Tell of those that have ended since the last look. Raises Unavailable where the database cannot be read."""
        if self._since is None:
            self._since = (await self._reader.last_settled() or now) - OVERLAP
        ended = await self._reader.settled_since(self._since, AT_ONCE)
        for promotion in ended:
            if promotion.id not in self._told:
                for span in promotion_spans(promotion, await self._reader.approvals(promotion.id)):
                    self._tracer.record(span)
        if ended and (last := ended[-1].settled_at) is not None:
            same = {each.id for each in ended if each.settled_at == last}
            self._told = frozenset(same | (self._told if last == self._since else set()))
            self._since = last
