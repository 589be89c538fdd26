"""What was delivered and is still to be carried out."""

from dataclasses import dataclass, field
from datetime import datetime

from core.ports.store import DeliveryKind


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
