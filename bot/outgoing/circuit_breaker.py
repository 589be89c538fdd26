"""Who does not answer is left alone for a while, whatever there is to tell: the rest is shared by all that waits for them."""

from collections.abc import Hashable

from core.clock import Clock
from core.lifecycle.outgoing import LONGEST_REST, rest_after


class CircuitBreaker:
    """Remembers who has failed how often in a row, and until when each is left alone.

    Of one process: a start asks everybody at once, which costs one try. By the time since the start, so that a clock which
    is set changes nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[Hashable, int] = {}
        self._until: dict[Hashable, float] = {}

    def left(self, whom: Hashable) -> float:
        """Return for how many seconds somebody is left alone yet; 0 where they may be asked."""
        return max(0.0, self._until.get(whom, 0.0) - self._clock.monotonic())

    def failures(self, whom: Hashable) -> int:
        """Return how often somebody has failed since they were last well."""
        return self._failures.get(whom, 0)

    def failed(self, whom: Hashable, after: float = 0.0) -> None:
        """Leave somebody alone, the longer the oftener; `after`: seconds that they have asked for, up to an hour."""
        self._failures[whom] = self.failures(whom) + 1
        rest = max(rest_after(self._failures[whom]), min(after, LONGEST_REST))
        self._until[whom] = self._clock.monotonic() + rest

    def well(self, whom: Hashable) -> int:
        """Somebody has answered: return how often they had failed before."""
        self._until.pop(whom, None)
        return self._failures.pop(whom, 0)
