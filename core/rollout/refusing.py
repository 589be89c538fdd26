"""When a refusal of the cluster is its last word: an API server that has just started refuses whoever asks (engine rule 49)."""

from core.clock import Clock
from core.errors import Denied, Rejected, Unauthenticated, Unreachable
from core.ports.cluster import Cluster

# A refusal must be repeated for so long, in seconds, by a server that says that it is ready.
REPEATED_FOR = 5.0


class RefusalTracker:
    """Follows what one request is answered, try by try.

    Args:
        cluster: whose server is asked whether it is ready.
        clock: of the seconds between two refusals.
        untouched: nothing has been written yet. Then only what a starting server says to everybody is asked for again, so
            that nobody waits who need not; later nothing ends by a single refusal.
    """

    def __init__(self, cluster: Cluster, clock: Clock, *, untouched: bool) -> None:
        self._cluster = cluster
        self._clock = clock
        self._untouched = untouched
        self._since: float | None = None

    async def final(self, error: Rejected | Unreachable) -> bool:
        """Take note of what a try has failed with, and tell whether another one would be in vain."""
        if not self._refused(error):
            self._since = None
            return False
        if self._untouched and not isinstance(error, (Denied, Unauthenticated)):
            return True
        if await self._cluster.ready() is False:
            self._since = None
            return False
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since >= REPEATED_FOR

    def pause(self, usual: float) -> float:
        """Return how long to wait before the next try: what has been refused is decided as soon as it can be."""
        if self._since is None:
            return usual
        return min(usual, max(0.0, self._since + REPEATED_FOR - self._clock.monotonic()))

    def _refused(self, error: Rejected | Unreachable) -> bool:
        # Credentials may come back while there is something to be finished.
        return isinstance(error, Rejected) or (self._untouched and isinstance(error, Unauthenticated))
