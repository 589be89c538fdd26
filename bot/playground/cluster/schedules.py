"""When a CronJob is due: the five fields of cron, as Kubernetes reads them."""

import re
from datetime import UTC, datetime, timedelta

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# Lowest, highest, names (the first stands for the lowest).
FIELDS: tuple[tuple[int, int, list[str]], ...] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, MONTHS),
    (0, 6, DAYS),
)
NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
PART = re.compile(r"^(\*|\?|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?$")
# Robfig's other form, which Kubernetes takes too: so long after the last time.
EVERY = re.compile(r"@every ((?:[0-9.]+[hms])+)")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
LONGEST = timedelta(days=4 * 366)


def read_schedule(text: str) -> tuple[frozenset[int], ...] | None:
    """Return the numbers that each field allows, None where it is no schedule."""
    words = NAMED.get(text.strip(), text).lower().split()
    if len(words) != len(FIELDS):
        return None
    fields = [_field(word, *bounds) for word, bounds in zip(words, FIELDS, strict=True)]
    return None if None in fields else tuple(field for field in fields if field is not None)


def is_schedule(text: str) -> bool:
    return EVERY.fullmatch(text.strip()) is not None or read_schedule(text) is not None


def next_time(text: str, after: datetime) -> datetime | None:
    """Return when a schedule is due next after a moment, None where it never is."""
    if every := EVERY.fullmatch(text.strip()):
        parts = re.findall(r"([0-9.]+)([hms])", every[1])
        return after.astimezone(UTC) + timedelta(
            seconds=sum(float(number) * SECONDS[unit] for number, unit in parts)
        )
    fields = read_schedule(text)
    if fields is None:
        return None
    minutes, hours, days, months, weekdays = fields
    at = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    # Where both are restricted, one of them is enough.
    words = NAMED.get(text.strip(), text).split()
    both = not any(word.startswith(("*", "?")) for word in (words[2], words[4]))
    while at - after < LONGEST:
        by_day = (at.day in days, (at.weekday() + 1) % 7 in weekdays)
        if at.month not in months or not (any(by_day) if both else all(by_day)):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        elif at.hour not in hours:
            at = at.replace(minute=0) + timedelta(hours=1)
        elif at.minute not in minutes:
            at += timedelta(minutes=1)
        else:
            return at
    return None


def _field(word: str, low: int, high: int, names: list[str]) -> frozenset[int] | None:
    found: set[int] = set()
    for part in word.split(","):
        match = PART.match(part)
        if not match:
            return None
        first, last, step = match[2], match[3], int(match[4] or 1)
        begin = low if first is None else _number(first, low, names)
        # `5/10` is from 5 on.
        end = high if first is None or (match[4] and not last) else _number(last or first, low, names)
        if begin is None or end is None or not low <= begin <= end <= high or not step:
            return None
        found |= set(range(begin, end + 1, step))
    return frozenset(found)


def _number(word: str, low: int, names: list[str]) -> int | None:
    if word.isdigit():
        return int(word)
    return names.index(word) + low if word in names else None
