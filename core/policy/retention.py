"""`retention:` of a policy file: how long what nobody decides by is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

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
