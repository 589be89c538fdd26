"""When a timer is due: Convox's forms of a schedule, and what Kubernetes takes as one."""

import re
from typing import NamedTuple

# What Kubernetes takes in place of five fields (robfig/cron, ParseStandard).
NAMED = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
# Besides, an interval that begins anew with each run: a length of time as Go writes it.
_EVERY = re.compile(r"(?:[0-9]{1,6}(?:\.[0-9]{1,3})?(?:h|m|s))+")
_PART = re.compile(r"^(?:\*|(?P<first>[0-9a-z]+)(?:-(?P<last>[0-9a-z]+))?)(?:/(?P<step>[0-9]+))?$")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: str = ""


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    _Field("weekday", 0, 6, "sun mon tue wed thu fri sat"),
)


def plain_schedule(text: str) -> str:
    """Return a schedule as Convox hands it on: five fields, and `*` where older ones of AWS have a `?`."""
    return " ".join("*" if word == "?" else word for word in text.split()[: len(FIELDS)])


def schedule_problem(schedule: str) -> str:
    """Say why Kubernetes would take no such schedule, "" where it takes it; what it says may be a value, so it is not repeated."""
    first, *rest = schedule.split() or [""]
    if first == "@every":
        return _interval_problem(rest)
    if first in NAMED and not rest:  # unlike names of months, these are written small
        return ""
    words = schedule.lower().split()
    if len(words) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        return f"a schedule has five fields: {names}"
    for word, field in zip(words, FIELDS, strict=True):
        if not all(_allows(part, field) for part in word.split(",")):
            also = f", {field.words.split()[0]} and the like" if field.words else ""
            return f"its {field.name} takes {field.low} to {field.high}{also}, lists, ranges and steps"
    return ""


def _interval_problem(words: list[str]) -> str:
    """Say what is wrong with what stands behind `@every`; Kubernetes gives up on intervals that are no whole seconds."""
    if len(words) != 1 or not _EVERY.fullmatch(words[0]) or not words[0].strip("0.hms"):
        return "@every is followed by how long, as in @every 1h30m"
    return ""


def _allows(part: str, field: _Field) -> bool:
    found = _PART.match(part)
    if found is None:
        return False
    first, last, step = found["first"], found["last"], found["step"]
    ends = [_number(word, field) for word in (first, last) if word is not None]
    known = [end for end in ends if end is not None and field.low <= end <= field.high]
    return known == ends and sorted(known) == known and (step is None or int(step) > 0)


def _number(word: str, field: _Field) -> int | None:
    if word.isdigit():
        return int(word)
    words = field.words.split()
    return words.index(word) + field.low if word in words else None
