"""The one row of a failed pod's log that a card has room for; without it everybody opens the thread first."""

import re

from core.records.line import Line

# What runtimes call what ended them: Python and Java name a class, Node and Ruby say Error, Go panics, shells say not found.
_TELLING = re.compile(
    r"error\b|exception\b|\bfatal\b|\bpanic\b|\bfailed\b|\brefused\b|\bdenied\b|not found|no such|cannot|could not|\bunable\b",
    re.IGNORECASE,
)
# Where it was called from, and what is said after the end.
_TRACE = re.compile(r"\s*(at |File \"|from /|goroutine \d|exit status|\.\.\. \d+ more|Traceback )")


def last_log_row(evidence: Line) -> str:
    """Return the last row that says what went wrong, else the last one with a word in it; "" where there is none."""
    rows = [row.strip() for row in evidence.text.split("\n")[1:] if row.strip()]
    telling = [row for row in rows if _TELLING.search(row) and not _TRACE.match(row)]
    return (telling or rows or [""])[-1]
