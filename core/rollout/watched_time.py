"""Which time counts as watched: what lies between two looks that saw, but for silence (engine rules 13 and 48)."""

from core.clock import Clock
from core.records.observation import Observation


class BlindTime:
    """How long rollouts went unseen, all together, since the process began.

    Attributes:
        seconds: of each rollout that waited for a verdict meanwhile, so two that are blind at once count twice.
    """

    def __init__(self) -> None:
        self.seconds = 0.0


class WatchedTime:
    """Measures one stage from look to look.

    Time counts before it is known to have been watched, since nobody could be told apart from a cluster in which nothing
    happens. Once the silence has lasted too long, what was counted of it is taken back.
    """

    def __init__(self, clock: Clock, blind: BlindTime) -> None:
        self._clock = clock
        self._blind = blind
        self._looked = clock.monotonic()
        # What was counted since it last began to see; nothing before that was silence.
        self._counted: float | None = None

    def since_the_last(self, seen: Observation) -> float:
        """Return the watched seconds since the look before; below 0 so many as were counted and are not any more."""
        now = self._clock.monotonic()
        between, self._looked = now - self._looked, now
        if seen.synced:
            elapsed = 0.0 if self._counted is None else between
            self._counted = (self._counted or 0.0) + elapsed
            return elapsed
        counted, self._counted = self._counted or 0.0, None
        # Of the silence, what lies before the look before has been counted.
        silence = min(counted, max(0.0, seen.silent - between))
        self._blind.seconds += between + silence
        return -silence
