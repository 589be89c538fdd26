"""Which lines of a log are new; pure functions of lines."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ports.builds import JobLogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProgress:
    """How far a log is read.

    Attributes:
        since: the time of its last line, "" before the first.
        seen: digests of the lines of that very time.
    """

    since: str = ""
    seen: tuple[str, ...] = ()


def new_lines(progress: LogProgress, read: Sequence[JobLogLine]) -> tuple[list[str], LogProgress]:
    """Return what is new of an answer that begins with lines that may be known, and how far the log is read then.

    A cluster takes the moment to read from in whole seconds, so each answer says something again.
    """
    seen = set(progress.seen)
    fresh = [
        line
        for line in read
        if line.at > progress.since or (line.at == progress.since and _digest(line) not in seen)
    ]
    if not fresh:
        return [], progress
    last = fresh[-1].at
    known = progress.seen if last == progress.since else ()
    digests = tuple(_digest(line) for line in fresh if line.at == last)
    return [line.text for line in fresh], LogProgress(since=last, seen=(*known, *digests))


def past_the_second(progress: LogProgress) -> LogProgress:
    """Return where to go on after a second in which more was written than one answer holds."""
    try:
        at = datetime.fromisoformat(progress.since).replace(microsecond=0) + timedelta(seconds=1)
    except ValueError:
        return progress
    return LogProgress(since=f"{at:%Y-%m-%dT%H:%M:%S}Z")


def _digest(line: JobLogLine) -> str:
    return hashlib.sha256(line.text.encode(errors="replace")).hexdigest()[:16]
