"""The two clocks of this project: the wall's, and one that runs faster for tests and demonstrations."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """Time that passes `speed` times faster than the wall's, from the moment the clock is made.

    Every part that shares one scaled clock (bot, simulated cluster, emulated Slack) keeps its proportions: a
    settle window of 20 s lasts one second at speed 20.
    """

    def __init__(self, speed: float, start: datetime | None = None, began: float | None = None) -> None:
        """Begin at `start`, by default now.

        Args:
            speed: seconds of this clock in one of the wall's.
            start: what it says in its first moment.
            began: that moment as a reading of `time.monotonic()`; with it processes of one machine share a clock.
        """
        self._speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic() if began is None else began

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)
