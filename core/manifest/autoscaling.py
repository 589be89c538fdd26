"""Between how many processes a service is scaled, and by what: `count`, `min`, `max`, `targets` and `autoscale`."""

from typing import NamedTuple

from core.manifest.keys import (
    AUTOSCALE_IGNORED,
    AUTOSCALE_UNSUPPORTED,
    TARGETS_IGNORED,
    TARGETS_UNSUPPORTED,
    is_switched_off,
    note,
    refusal,
)
from core.manifest.service import Autoscaler
from core.yaml.fields import INTEGER, FieldReader, node_kind
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode

MOST_PROCESSES = 1000  # processes of one service; a typo above it would fill a cluster
# What Kubernetes takes where an autoscaler names no measure, as Convox's do with a range alone.
DEFAULT_CPU = 80
# Convox's, where `autoscale` is given without an upper end.
DEFAULT_MOST = 10
# Percent of what a process asks for; it may use more than that.
MOST_PERCENT = 1000


class ScaleCount(NamedTuple):
    """The ends of a range of processes; both are one number where nothing scales between them."""

    least: int
    most: int


class _Load(NamedTuple):
    cpu: int | None
    memory: int | None


def read_range(read: FieldReader, entries: dict[str, MappingEntry], what: str) -> ScaleCount:
    """Take `count`, or `min` and `max`; of one of them the other is the same, but for what `autoscale` says."""
    if "count" in entries:
        read.notes += [
            note(entries[key], what, "its count says how many") for key in ("min", "max") if key in entries
        ]
        return read_count(read, entries["count"].value, f"count of {what}")
    given: dict[str, int] = {
        key: _number(read, entries[key].value, f"{key} of {what}") for key in ("min", "max") if key in entries
    }
    if _is_on(entries, "autoscale"):
        return ScaleCount(given.get("min", 1), given.get("max", DEFAULT_MOST))
    return _of(given)


def read_count(read: FieldReader, node: Node, what: str) -> ScaleCount:
    """Read `2`, `2-5` or `{min: 2, max: 5}`."""
    if isinstance(node, MappingNode):
        entries = read.entries_of(node, what, ("max", "min"))
        return _of({key: _number(read, each.value, f"{key} of {what}") for key, each in entries.items()})
    if read.octal(node, what):
        return ScaleCount(1, 1)
    text = node.text if isinstance(node, ScalarNode) else ""
    low, dash, high = text.partition("-")
    if not (INTEGER.match(low) and (not dash or INTEGER.match(high))):
        read.problems.add(
            node.line, f"invalid scale: {node_kind(node)} ({what} must be a number, or two with a dash)"
        )
        return ScaleCount(1, 1)
    ends = [int(low), int(high) if dash else int(low)]
    if not all(0 <= end <= MOST_PROCESSES for end in ends):
        read.problems.add(node.line, f"{what} must be from 0 to {MOST_PROCESSES}, not {node_kind(node)}")
        return ScaleCount(1, 1)
    return ScaleCount(*ends)


def read_autoscaler(
    read: FieldReader, entries: dict[str, MappingEntry], count: ScaleCount, what: str
) -> Autoscaler | None:
    """Return what scales a service, None where its range is one number; `autoscale` wins over `targets`, as in Convox."""
    load = _Load(None, None)
    if _is_on(entries, "targets"):
        load = _targets(read, entries["targets"].value, f"targets of {what}")
    enforced = _is_on(entries, "autoscale")
    if enforced:
        load = _autoscale(read, entries["autoscale"].value, f"autoscale of {what}")
    if count.least == count.most and not enforced:
        if any(load):
            why = "its count is one number, so there is nothing to scale between"
            read.notes.append(note(entries["targets"], what, why))
        return None
    if load == _Load(None, None):
        load = _Load(DEFAULT_CPU, None)
    return Autoscaler(most=count.most, cpu=load.cpu, memory=load.memory, enforced=enforced)


def _targets(read: FieldReader, node: Node, what: str) -> _Load:
    """Read `{cpu: 70, memory: 90}`, in percent of what a process asks for; 0 is none, as in Convox."""
    entries = read.entries_of(node, what, ("cpu", "memory", *TARGETS_IGNORED, *TARGETS_UNSUPPORTED))
    _sort_out(read, entries, what, TARGETS_IGNORED, TARGETS_UNSUPPORTED)
    found = {
        key: read.integer(entries[key].value, f"{key} of {what}", low=0, high=MOST_PERCENT)
        for key in ("cpu", "memory")
        if key in entries
    }
    return _Load(found.get("cpu") or None, found.get("memory") or None)


def _autoscale(read: FieldReader, node: Node, what: str) -> _Load:
    """Read `{cpu: {threshold: 70}, memory: {threshold: 80}}`."""
    entries = read.entries_of(node, what, ("cpu", "memory", *AUTOSCALE_IGNORED, *AUTOSCALE_UNSUPPORTED))
    _sort_out(read, entries, what, AUTOSCALE_IGNORED, AUTOSCALE_UNSUPPORTED)
    found = {
        key: _threshold(read, entries[key].value, f"{key} of {what}")
        for key in ("cpu", "memory")
        if key in entries
    }
    return _Load(found.get("cpu"), found.get("memory"))


def _threshold(read: FieldReader, node: Node, what: str) -> int:
    entries = read.entries_of(node, what, ("threshold",))
    if "threshold" not in entries:
        read.problems.add(node.line, f"{what} needs a threshold, in percent")
        return DEFAULT_CPU
    given = f"threshold of {what}"
    # What is out of bounds is said in Convox's words, once the file is read.
    return read.integer(entries["threshold"].value, given, low=-MOST_PERCENT, high=MOST_PERCENT)


def _sort_out(
    read: FieldReader,
    entries: dict[str, MappingEntry],
    what: str,
    ignored: dict[str, str],
    refused: dict[str, str],
) -> None:
    for key, entry in entries.items():
        if key in refused and not is_switched_off(entry.value):
            read.problems.add(entry.line, refusal(entry, what, refused[key]))
        elif key in ignored and not is_switched_off(entry.value):
            read.notes.append(note(entry, what, ignored[key]))


def _is_on(entries: dict[str, MappingEntry], key: str) -> bool:
    return key in entries and not is_switched_off(entries[key].value)


def _of(given: dict[str, int]) -> ScaleCount:
    least = given.get("min", given.get("max", 1))
    return ScaleCount(least, given.get("max", least))


def _number(read: FieldReader, node: Node, what: str) -> int:
    return read.integer(node, what, low=0, high=MOST_PROCESSES, default=1)


def scaling_faults(name: str, least: int, scaler: Autoscaler | None) -> list[str]:
    """Return Convox's texts for a range that cannot be scaled between; without one there is nothing to be wrong."""
    if scaler is None:
        return []
    faults = []
    if scaler.most < least:
        faults.append("scale.max must be >= scale.min")
    elif scaler.most == least:
        # Only `autoscale` gets so far with one number.
        faults.append(
            "scale.max must be > scale.min when autoscale is enabled (ScaledObject would be a no-op)"
        )
    if least == 0 and scaler.most > 0:
        faults.append(
            "scale.min: 0 combined with only always-active autoscale triggers (cpu/memory/cron) will never scale to"
            " zero; raise scale.min to 1"
        )
    faults += [
        f"scale.autoscale.{measure}.threshold must be between 1 and 100"
        for measure, percent in (("cpu", scaler.cpu), ("memory", scaler.memory))
        if scaler.enforced and percent is not None and not 1 <= percent <= 100
    ]
    return [f"service {name}: {fault}" for fault in faults]
