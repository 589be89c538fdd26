"""Which row of the audit is which event for others, and how long they are told again: nothing is told that the audit does not have."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from core.promotion import SETTLED
from core.records.outgoing_event import EVERY_APP, SubscriptionKind

STARTED, ENDED = "promotion.started", "promotion.settled"
# Actions of docs/security.md, "The audit".
_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "build.create": ("build.ended", "release.created"),
        "build.fail": ("build.ended",),
        "build.cancel": ("build.ended",),
        **dict.fromkeys(
            ("env.set", "env.unset", "env.edit", "release.compose", "release.copy"), ("release.created",)
        ),
        **dict.fromkeys(("promote.request", "rollback.request", "restart.request"), ("promotion.requested",)),
        "promotion.approve": ("promotion.approved",),
        "promotion.start": (STARTED,),
        "freeze.set": ("freeze.set",),
        "freeze.end": ("freeze.ended",),
    }
)
EVENT_TYPES = tuple(
    sorted({each for types in _TYPES.values() for each in types} | {ENDED, "promotion.declined"})
)

# Seconds after each try in vain; the last one goes on until the end: see `keeps`.
_PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
# Seconds for which whoever does not answer is left alone, after each failure in a row.
_RESTS = (5.0, 15.0, 60.0, 300.0)
# So often an event is tried by the rests of its receiver alone, so that what waits goes in order when it is back; what fails oftener
# may be the event's own fault, and lets others go first.
SHARED_TRIES = len(_RESTS)
# A receiver that wants to be left alone for longer is asked all the same: it may be mended.
LONGEST_REST = 3600.0
# What Kubernetes keeps of an Event is gone after an hour; a receiver that is down may be mended the next day.
_LONGEST: Mapping[SubscriptionKind, timedelta] = MappingProxyType(
    {"kubernetes": timedelta(minutes=15), "github": timedelta(hours=24), "webhook": timedelta(hours=24)}
)


def event_types(action: str, detail: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types of the events that a row of the audit is; none for most."""
    if found := _TYPES.get(action):
        return found
    if not action.startswith("promotion.") or detail.get("to") not in SETTLED:
        return ()
    return ("promotion.declined", ENDED) if action == "promotion.declined" else (ENDED,)


def app_of_event(subject: str, detail: Mapping[str, Any]) -> str:
    """Return the app that a row of the audit is about; a freeze is of what it names, and `*` of every app."""
    return str(detail.get("app") or subject or EVERY_APP)


def pause_after(attempts: int) -> timedelta:
    """Return how long an event rests after so many tries in vain, the first of them being 1."""
    return timedelta(seconds=_PAUSES[min(attempts, len(_PAUSES)) - 1])


def rest_after(failures: int) -> float:
    """Return for how many seconds somebody is left alone who has failed so often in a row, the first time being 1."""
    return _RESTS[min(failures, len(_RESTS)) - 1]


def longest(kind: SubscriptionKind) -> timedelta:
    """Return for how long after it happened somebody is told of an event; then it is given up."""
    return _LONGEST[kind]
