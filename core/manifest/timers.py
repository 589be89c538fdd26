"""Commands that run by the clock: `timers`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.manifest.keys import is_switched_off
from core.manifest.metadata import Pairs, read_annotations
from core.manifest.names import NAME, NAME_RULE
from core.manifest.pods import read_words
from core.manifest.schedule import plain_schedule, schedule_problem
from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import MappingEntry, Node

TIMER_KEYS = ("annotations", "command", "concurrency", "parallelCount", "schedule", "service")
# Kubernetes' CronJobs; Convox writes the first letter large itself.
CONCURRENCY = ("Allow", "Forbid", "Replace")
# A CronJob's name has at most 52 characters, of which `timer-` takes six.
LONGEST_NAME = 46
# As many as processes of a service.
MOST_PARALLEL = 1000
MAX_TIMERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One entry of `timers:`.

    Attributes:
        service: whose image, environment and size it has; a service that runs 0 processes does as well.
        command: arguments of the image's entry point; none leave the image's own.
        schedule: five fields of cron, in UTC.
        concurrency: what happens when it is due and still runs.
        parallel: processes of one run, each with its number in TIMER_INDEX if there are several.
    """

    name: str
    service: str
    schedule: str
    command: tuple[str, ...] = ()
    concurrency: str = "Allow"
    parallel: int = 1
    annotations: Pairs = ()


def read_timers(read: FieldReader, node: Node, services: Collection[str]) -> tuple[Timer, ...]:
    """Read the mapping of names to timers; each names one of these services."""
    entries = read.mapping(node, "timers")
    if len(entries) > MAX_TIMERS:
        read.problems.fail(
            entries[MAX_TIMERS].line, f"it has {len(entries):,} timers; {MAX_TIMERS} are the limit"
        )
    return tuple(_timer(read, entry, services) for entry in entries if not is_switched_off(entry.value))


def _timer(read: FieldReader, entry: MappingEntry, services: Collection[str]) -> Timer:
    name = entry.key.shown[1:-1]
    what = f"timer {name}"
    _check_name(read, entry)
    entries = read.entries_of(entry.value, what, TIMER_KEYS)
    for key in ("schedule", "service"):
        if key not in entries:
            read.problems.add(entry.line, f"{what} has no {key}")
    if "service" in entries and _text(read, entries, "service", what) not in services:
        missing = node_kind(entries["service"].value)
        read.problems.add(
            entries["service"].line, f"timer {name} references a service that does not exist: {missing}"
        )
    return Timer(
        name=entry.key.text,
        service=_text(read, entries, "service", what),
        schedule=_schedule(read, entries, what),
        command=read_words(read, entries["command"].value, f"command of {what}")
        if "command" in entries
        else (),
        concurrency=_concurrency(read, entries, what),
        parallel=_parallel(read, entries, what),
        annotations=read_annotations(read, entries["annotations"].value, f"annotations of {what}")
        if "annotations" in entries
        else (),
    )


def _check_name(read: FieldReader, entry: MappingEntry) -> None:
    name = entry.key.text
    why = "" if NAME.fullmatch(name) else NAME_RULE
    if not why and (name.endswith("-") or len(name) > LONGEST_NAME):
        why = f"must not end with a dash and have at most {LONGEST_NAME} characters"
    if why:
        read.problems.add(entry.line, f"timer name {entry.key.shown[1:-1]} invalid, {why}")


def _text(read: FieldReader, entries: Mapping[str, MappingEntry], key: str, what: str) -> str:
    return read.text(entries[key].value, f"{key} of {what}") if key in entries else ""


def _schedule(read: FieldReader, entries: Mapping[str, MappingEntry], what: str) -> str:
    schedule = plain_schedule(_text(read, entries, "schedule", what))
    if "schedule" in entries:
        shown, line = node_kind(entries["schedule"].value), entries["schedule"].line
        if "?" in schedule:
            read.problems.add(line, f"{what} invalid, schedule cannot contain ?: {shown}")
        elif why := schedule_problem(schedule):
            read.problems.add(line, f"{what} invalid, {why}: {shown}")
    return schedule


def _concurrency(read: FieldReader, entries: Mapping[str, MappingEntry], what: str) -> str:
    concurrency = (_text(read, entries, "concurrency", what) or CONCURRENCY[0]).capitalize()
    if concurrency in CONCURRENCY:
        return concurrency
    entry = entries["concurrency"]
    said = f"concurrency of {what} must be Allow, Forbid or Replace, not {node_kind(entry.value)}"
    read.problems.add(entry.line, said)
    return CONCURRENCY[0]


def _parallel(read: FieldReader, entries: Mapping[str, MappingEntry], what: str) -> int:
    """Return how many processes one run has; 0 is one, as in Convox."""
    if "parallelCount" not in entries:
        return 1
    given = f"parallelCount of {what}"
    return read.integer(entries["parallelCount"].value, given, low=0, high=MOST_PARALLEL, default=1) or 1
