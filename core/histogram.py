"""How long things took, counted as Prometheus wants it: without a histogram nobody sees the one that took long among many."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

# Upper bounds in seconds. 50 ms is what a person does not notice; Slack waits three seconds for an acknowledgement.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Counts durations by the bounds above.

    Attributes:
        total: seconds of all of them together.
    """

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Mapping[str, int]:
        """Return upper bound → durations up to it, as a Prometheus histogram wants them; the last bound is `+Inf`."""
        names = [*map(str, BOUNDS), "+Inf"]
        return dict(zip(names, accumulate(self._counts), strict=True))
