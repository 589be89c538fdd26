"""Times as Convox says them (its go-humanize thresholds), and durations as people say them."""

from datetime import UTC, datetime, timedelta

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400
# A month has 30 days and a year 12 of those, as in go-humanize.
WEEK, MONTH, YEAR = 7 * DAY, 30 * DAY, 360 * DAY
# (up to but not including so many seconds, what is said, the unit that is counted)
_STEPS = (
    (SECOND, "now", SECOND),
    (2 * SECOND, "1 second {}", SECOND),
    (MINUTE, "{n} seconds {}", SECOND),
    (2 * MINUTE, "1 minute {}", MINUTE),
    (HOUR, "{n} minutes {}", MINUTE),
    (2 * HOUR, "1 hour {}", HOUR),
    (DAY, "{n} hours {}", HOUR),
    (2 * DAY, "1 day {}", DAY),
    (WEEK, "{n} days {}", DAY),
    (2 * WEEK, "1 week {}", WEEK),
    (MONTH, "{n} weeks {}", WEEK),
    (2 * MONTH, "1 month {}", MONTH),
    (YEAR, "{n} months {}", MONTH),
    (18 * MONTH, "1 year {}", YEAR),
    (2 * YEAR, "2 years {}", YEAR),
)


def humanise(then: datetime, now: datetime) -> str:
    """Return how long ago (or from now) something is: `now`, `59 minutes ago`, `2 days from now`."""
    seconds = (now - then) / timedelta(seconds=1)
    label, distance = ("ago", seconds) if seconds >= 0 else ("from now", -seconds)
    for below, text, unit in _STEPS:
        if distance < below:
            return text.format(label, n=int(distance // unit))
    return f"{int(distance // YEAR)} years {label}"


def elapsed(start: datetime, end: datetime | None) -> str:
    """Return a build's duration: `25s`, `2m0s`; minutes are not rolled into hours, and blank is not ended."""
    if end is None:
        return ""
    seconds = max(0, int((end - start).total_seconds()))
    return f"{seconds // MINUTE}m{seconds % MINUTE}s" if seconds >= MINUTE else f"{seconds}s"


def spoken(seconds: float) -> str:
    """Return a duration for a sentence: `41 s`, `2 min 14 s`, `1 h 5 min`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        minutes, rest = divmod(whole, MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole // MINUTE, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def stamp(at: datetime) -> str:
    """Return RFC 3339 in UTC, in seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
