"""What became of telling somebody: the one answer that the sender of events understands."""

from dataclasses import dataclass
from typing import Protocol

from core.records.outgoing_event import DropReason, OutgoingEvent, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """It was taken; `answer` in our words, such as `200`."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """It is nothing for this receiver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """It cannot be told yet, through no fault of the receiver: look again in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """It was not taken.

    Attributes:
        answer: why, in our words: nothing that the other side wrote.
        after: seconds that the other side wants to be left alone for; 0 where it does not say.
        of_event: whoever is told is well, and does not take this one alone; else nothing is told them for a while.
        drop: another try changes nothing, and why; None where one may.
        repeated: the log has said so already, and not long ago.
    """

    answer: str
    after: float = 0.0
    of_event: bool = False
    drop: DropReason | None = None
    repeated: bool = False


Delivery = Delivered | Skipped | Postponed | Undelivered


class Receiver(Protocol):
    """How one kind of subscription is told; it raises nothing but errors that nobody foresaw."""

    async def deliver(self, subscription: Subscription, event: OutgoingEvent) -> Delivery: ...
