"""What Slack has delivered and is still to be carried out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# What Slack delivers and a worker carries out; how each is read stands beside the worker, in bot/slack/invocations.py.
DeliveryKind = Literal["command", "action", "view", "shortcut", "mention", "home"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that Slack delivered and that is still to be carried out.

    Attributes:
        done: a transaction has already carried it out; only its answer is missing.
    """

    id: int
    kind: DeliveryKind
    payload: bytes = field(repr=False)
    received_at: datetime
    done: bool = False


class Inbox(Protocol):
    """Durable deliveries: each is carried out once, however often it comes."""

    async def keep(self, dedupe_key: str, kind: DeliveryKind, payload: bytes, now: datetime) -> bool:
        """Store a delivery durably; return False where one with that key was kept before."""
        ...

    async def pending(self, *, after: int, limit: int) -> Sequence[Delivery]:
        """Return what was not handled and came after that id, in the order in which it came, so many at most."""
        ...

    async def handled(self, delivery_id: int, now: datetime) -> None:
        """Wipe the payload; the key is remembered for a while, so that a repetition is known."""
        ...
