"""`retention:` of a policy file: how long what nobody decides by is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from core.yaml.fields import FieldReader
from core.yaml.tree import MappingEntry, ScalarNode

# `lines`: what threads and `do follow` tell of rollouts; `evidence`: the log lines that prove why one failed; `build_logs`: what builds
# wrote; `inbox`: by which a repeated delivery of Slack is known.
AgingRecords = Literal["lines", "evidence", "build_logs", "inbox"]
RETENTION_KEYS: tuple[AgingRecords, ...] = ("build_logs", "evidence", "inbox", "lines")
FOREVER = "forever"
DAY = 86400.0
# Issue 11 asks for half a year.
DEFAULT_SECONDS = 180 * DAY
# With "Delayed Events" Slack repeats a delivery for 24 hours (its Events API documentation); one more for doubt.
REPEATED_SECONDS = 25 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """For how many seconds after its end something is kept; None is for ever."""

    lines: float | None = DEFAULT_SECONDS
    evidence: float | None = DEFAULT_SECONDS
    build_logs: float | None = DEFAULT_SECONDS
    inbox: float = REPEATED_SECONDS

    def of(self, records: AgingRecords) -> float | None:
        """Return for how long these are kept."""
        kept: Mapping[AgingRecords, float | None] = {
            "lines": self.lines,
            "evidence": self.evidence,
            "build_logs": self.build_logs,
            "inbox": self.inbox,
        }
        return kept[records]

    def ended_before(self, records: AgingRecords, now: datetime) -> datetime | None:
        """Return the moment: what had ended before it is not kept any more; None where all is."""
        seconds = self.of(records)
        return None if seconds is None else now - timedelta(seconds=seconds)


def read_retention(read: FieldReader, entry: MappingEntry | None) -> RetentionRules:
    """Return what the file says, and the default of what it leaves out."""
    keys = read.entries_of(entry.value, "retention", RETENTION_KEYS) if entry else {}
    default = RetentionRules()
    return RetentionRules(
        lines=_kept(read, keys.get("lines"), default.lines),
        evidence=_kept(read, keys.get("evidence"), default.evidence),
        build_logs=_kept(read, keys.get("build_logs"), default.build_logs),
        inbox=_remembered(read, keys.get("inbox")),
    )


def _kept(read: FieldReader, entry: MappingEntry | None, default: float | None) -> float | None:
    if entry is None:
        return default
    if isinstance(entry.value, ScalarNode) and entry.value.text == FOREVER:
        return None
    seconds = read.duration(entry.value, entry.key.text, default=DEFAULT_SECONDS, also=FOREVER)
    if seconds < DAY:
        # What Slack is still to be told must have had the time to get there.
        read.problems.add(entry.line, f"{entry.key.text} must be at least 1d")
    return seconds


def _remembered(read: FieldReader, entry: MappingEntry | None) -> float:
    if entry is None:
        return REPEATED_SECONDS
    seconds = read.duration(entry.value, "inbox", default=REPEATED_SECONDS)
    if seconds < REPEATED_SECONDS:
        read.problems.add(
            entry.line, "inbox must be at least 25h: Slack may repeat for a day what it delivered"
        )
    return seconds
