"""The port of time, so that tests and the playground can run it faster than the wall."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests and the playground can run it faster than the wall."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock."""
        ...
