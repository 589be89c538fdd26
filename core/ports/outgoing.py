"""What others are still to be told, and what became of it: the outbox of everybody but Slack."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.records.outgoing_event import (
    DropReason,
    EventBacklog,
    OutgoingEvent,
    Subscription,
    SubscriptionKind,
)


class OutgoingEvents(Protocol):
    """Events are written by the transaction that they tell of; here they are taken, one at a time and in order.

    Every method is durable when it returns. A process that dies between the call to somebody and the note of it tells
    them once more: at least once, with the same key.
    """

    async def subscriptions(self) -> Sequence[Subscription]:
        """Return who is told; address and secret stay sealed."""
        ...

    async def owed(self) -> Mapping[str, datetime | None]:
        """Return who may be told something now, by id, and since when each has taken nothing; nothing is opened for that."""
        ...

    async def opened(self, subscription: str) -> Subscription | None:
        """Return somebody with address and secret; None where they are told nothing any more."""
        ...

    async def due(self, subscription: str) -> OutgoingEvent | None:
        """Return what somebody is to be told now: of each subject one after the other."""
        ...

    async def delivered(self, event: OutgoingEvent, subscription: Subscription, answer: str) -> None:
        """It is taken, and gone."""
        ...

    async def left_out(self, event: OutgoingEvent) -> None:
        """It is nothing for whoever it was for: no answer, no failure."""
        ...

    async def postponed(
        self, event: OutgoingEvent, subscription: str, answer: str, not_before: datetime
    ) -> None:
        """It was not taken, and is tried again then."""
        ...

    async def held(self, event: OutgoingEvent, not_before: datetime) -> None:
        """It cannot be told yet, through no fault of whoever is told."""
        ...

    async def given_up(
        self, event: OutgoingEvent, subscription: Subscription, answer: str, reason: DropReason
    ) -> None:
        """Nobody is told of it any more, which is counted by its reason."""
        ...

    async def given_up_all(
        self, subscription: Subscription, reason: DropReason, before: datetime | None = None
    ) -> int:
        """Give up all that waits for somebody, of what happened until `before` where that is given; return how many it were."""
        ...

    async def released(self, subscription: str) -> None:
        """Somebody is back: what was put off for them may go now, in its order."""
        ...

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the next delay ends that lasts longer than until `after`, or None."""
        ...

    async def backlog(self) -> Mapping[SubscriptionKind, EventBacklog]:
        """Return what waits, by how it is told."""
        ...
