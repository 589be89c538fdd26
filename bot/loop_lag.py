"""How late the event loop comes to what is due: without it nobody sees that an answer waited for somebody else's work."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

from core.clock import Clock

# Ten looks a second cost nothing that can be measured, and are enough for a p99 of a minute.
SAMPLE_SECONDS = 0.1
# Upper bounds in seconds. 50 ms is what a person does not notice; Slack waits three seconds for an acknowledgement.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """Sleeps for a moment, again and again, and counts by how much each sleep lasted too long.

    Attributes:
        total: seconds of delay, all samples together.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            due = self._clock.monotonic() + SAMPLE_SECONDS
            await self._clock.sleep(SAMPLE_SECONDS)
            self.add(max(0.0, self._clock.monotonic() - due))

    def add(self, seconds: float) -> None:
        """Count one delay."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Mapping[str, int]:
        """Return upper bound → samples up to it, as a Prometheus histogram wants them; the last bound is `+Inf`."""
        names = [*map(str, BOUNDS), "+Inf"]
        return dict(zip(names, accumulate(self._counts), strict=True))
