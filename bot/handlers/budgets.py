"""What each may ask for in a minute, whichever door they use; without it one loop of a script keeps everybody else waiting.

A budget is one number, the moment at which it will be whole again (the generic cell rate algorithm, ITU-T I.371 A.2): nothing runs
to refill it, and who has asked for nothing lately needs no memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bot.http.errors import TooManyRequests
from core.clock import Clock

# Budgets that are kept apart at once: more actors than a workspace has people. Whoever comes beyond them shares one.
MOST = 10_000
# How often those that are whole again are looked for while it is full.
SWEEP_SECONDS = 1.0
# So much is rounding, and nothing to wait for.
ROUNDING = 1e-6
# At once, of a minute's budget.
BURST = 60


class Cost(Enum):
    """What a request takes from."""

    BRAKE = "decisions"
    """What approves, declines, stops or holds up: no other request of the same person uses this up."""
    READ = "requests"
    CHANGE = "changes"
    STRANGER = "requests without a valid token"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """So many a minute, and so many of them at once."""

    minute: int
    burst: int = BURST

    @property
    def interval(self) -> float:
        """Seconds until one more is there."""
        return 60.0 / self.minute


# Ten a second: far more than people type, too few to keep the database busy.
BRAKES = RateLimit(minute=600)
# Of an address, whose others may have forgotten nothing.
STRANGERS = RateLimit(minute=60, burst=30)


def admitted(whole_at: float, now: float, limit: RateLimit) -> tuple[float, float]:
    """Return when a budget is whole again after one more request, and how many seconds that has to wait: 0 where it may be now.

    Args:
        whole_at: when it was to be whole again; any moment gone by is that it is.
        now: the same clock's.
        limit: what there is.
    """
    begins = max(whole_at, now)
    wait = begins - now - (min(limit.burst, limit.minute) - 1) * limit.interval
    return (whole_at, wait) if wait > ROUNDING else (begins + limit.interval, 0.0)


class Budgets:
    """Everybody's budgets."""

    def __init__(self, clock: Clock, limits: Mapping[Cost, RateLimit]) -> None:
        """Take whose time counts, and the limits; what has none is not bounded."""
        self._clock = clock
        self._limits = limits
        self._whole_at: dict[tuple[str, Cost], float] = {}
        self._swept = float("-inf")

    def take(self, who: str, cost: Cost) -> None:
        """Take one request of somebody from what they have.

        Raises:
            TooManyRequests: it is used up; nothing is taken.
        """
        self._ask(who, cost, spend=True)

    def look(self, who: str, cost: Cost) -> None:
        """Raise TooManyRequests where one more request would; take nothing."""
        self._ask(who, cost, spend=False)

    def _ask(self, who: str, cost: Cost, *, spend: bool) -> None:
        limit, now = self._limits.get(cost), self._clock.monotonic()
        if limit is None:
            return
        key = self._key(who, cost, now)
        whole_at, wait = admitted(self._whole_at.get(key, now), now, limit)
        if wait > 0:
            raise TooManyRequests(
                f"too many {cost.value} in a short time: at most {limit.minute} a minute; the next one is taken in "
                f"{math.ceil(wait)} s",
                retry_after=math.ceil(wait),
            )
        if spend:
            self._whole_at[key] = whole_at

    def _key(self, who: str, cost: Cost, now: float) -> tuple[str, Cost]:
        key = (who, cost)
        if key in self._whole_at or len(self._whole_at) < MOST:
            return key
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            self._whole_at = {key: at for key, at in self._whole_at.items() if at > now}
        return key if len(self._whole_at) < MOST else ("", cost)
