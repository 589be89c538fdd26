"""The time that people are given before a promotion that failed goes back by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """How long it still stands as it is.

    Attributes:
        until: the `watched` seconds of the stage at which it goes back: who cannot see does not act (engine rule 13).
        at: when that is by the clock if nothing keeps it from being watched, for whoever reads it.
    """

    until: float
    at: datetime

    def later(self, seconds: float) -> "Countdown":
        """Return it with its end put off."""
        return Countdown(until=self.until + seconds, at=self.at + timedelta(seconds=seconds))
