"""Lines of the log that a stranger can cause: some a minute, then their number, and never what was sent."""

import logging

BURST = 10  # lines at once
SECONDS = 10.0  # until there may be another one


class LogLimiter:
    """Warns in a voice that no flood makes louder."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._left = float(BURST)
        self._at = float("-inf")
        self._untold = 0

    def warn(self, now: float, sentence: str, *args: object) -> None:
        """Write one line, or count it where there were too many; `now` is any clock that only rises."""
        self._left = min(float(BURST), self._left + (now - self._at) / SECONDS)
        self._at = now
        if self._left < 1:
            self._untold += 1
            return
        self._left -= 1
        more, self._untold = self._untold, 0
        self._log.warning(
            sentence + (" (and %d more like it before)" if more else ""), *args, *([more] if more else [])
        )
