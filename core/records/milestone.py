"""How far a rollout has come, for graphs of how long that takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import inf


class Milestone(StrEnum):
    """How far a rollout has come, each by the seconds since it started."""

    COMPLETE = "complete"  # every service is, for the first time
    VERIFIED = "verified"  # and stayed so
    VERDICT = "verdict"  # it is known whether it is good, whatever the answer
    ROLLED_BACK = "rolled_back"  # the release of before is verified again


# Upper bounds in seconds: a pod that is there at once, the settle window (20 s), the deadline (600 s), the longest (3000 s).
BOUNDS = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutTimes:
    """How long rollouts took to one milestone.

    Attributes:
        counts: upper bound in seconds (`inf` too) → rollouts that took no longer, and longer than the bound before.
        seconds: of all of them together.
    """

    counts: Mapping[float, int]
    seconds: float

    def buckets(self) -> Mapping[str, int]:
        """Return upper bound → rollouts up to it, as a Prometheus histogram wants them; the last bound is `+Inf`."""
        bounds = sorted({*BOUNDS, inf, *self.counts})
        names = ["+Inf" if bound == inf else str(bound) for bound in bounds]
        return dict(zip(names, accumulate(self.counts.get(bound, 0) for bound in bounds), strict=True))
