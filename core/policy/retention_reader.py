"""Reads `retention:` of a policy file."""

from core.policy.retention import (
    DAY,
    DEFAULT_SECONDS,
    FOREVER,
    REPEATED_SECONDS,
    RETENTION_KEYS,
    RetentionRules,
)
from core.yaml.fields import FieldReader
from core.yaml.tree import MappingEntry, ScalarNode


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
