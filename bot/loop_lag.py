"""How late the event loop comes to what is due: without it nobody sees that an answer waited for somebody else's work."""

from core.clock import Clock
from core.histogram import Histogram

# Ten looks a second cost nothing that can be measured, and are enough for a p99 of a minute.
SAMPLE_SECONDS = 0.1


class LoopLag(Histogram):
    """Sleeps for a moment, again and again, and counts by how much each sleep lasted too long."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            due = self._clock.monotonic() + SAMPLE_SECONDS
            await self._clock.sleep(SAMPLE_SECONDS)
            self.add(max(0.0, self._clock.monotonic() - due))
