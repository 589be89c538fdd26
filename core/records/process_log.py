"""What processes have written, as values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRequest:
    """What is asked of the logs of an app.

    Attributes:
        service: whose processes; None asks all.
        lines: how many of the last lines.
        since: none that is older than so many seconds; None sets no limit.
        containing: only lines with this text, "" takes all. It is looked for where values are masked already.
    """

    service: str | None = None
    lines: int = 100
    since: int | None = None
    containing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLine:
    """One line that a process has written.

    Attributes:
        at: when, by the clock of its node; None where the line has no time that can be read.
        process: the pod's name.
    """

    at: datetime | None
    service: str
    process: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLog:
    """The last lines of some processes, oldest first.

    Attributes:
        notes: what is missing, and why.
    """

    lines: tuple[ProcessLine, ...] = ()
    notes: tuple[str, ...] = ()
