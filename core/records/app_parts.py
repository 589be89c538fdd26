"""What an app has beside its services, as the cluster tells it: timers and resources."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# Convox's words; `external` is one that the environment points to.
ResourceStatus = Literal["running", "pending", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStatus:
    """What a timer does in the cluster.

    Attributes:
        last_at: when it was last due and started, None where it never was.
        running: runs that go on.
        suspended: it starts nothing until somebody lets it.
    """

    last_at: datetime | None = None
    running: int = 0
    suspended: bool = False
