"""What others are told of this bot, and who wants to know it: webhooks, Kubernetes, GitHub."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from core.actor import Actor

SubscriptionKind = Literal["webhook", "kubernetes", "github"]
# Why nobody is told of an event any more: it was not taken for as long as `core.lifecycle.outgoing.longest` says, whoever is told
# wants to hear of nothing more, the bot lacks a right there, or this event will never be taken.
DropReason = Literal["expired", "gone", "unauthorized", "rejected"]
DROP_REASONS: tuple[DropReason, ...] = get_args(DropReason)
# Of an event that is of no app alone: a freeze of all of them.
EVERY_APP = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Somebody who is told of events.

    Attributes:
        id: of a webhook `W` and ten letters, else the kind.
        host: of a webhook, with its port where that is not the usual one; "" of others.
        url: of a webhook, which may hold a secret; "" of others, and where nobody has asked for it.
        secret: with which what is sent to a webhook is signed.
        apps: name patterns of the apps of which it is told.
        types: patterns of the types of events.
        delivered: how many events it has taken; `dropped`: how many were given up.
        waiting: how many wait for it; `oldest`: since when.
        answer: what it said last, in our words; `answered_at`: when that was.
        failing_since: since when it has taken none; None where it took the last one.
    """

    id: str
    kind: SubscriptionKind
    host: str = ""
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    apps: tuple[str, ...] = ("*",)
    types: tuple[str, ...] = ("*",)
    created_at: datetime
    created_by: Actor
    delivered: int = 0
    dropped: int = 0
    waiting: int = 0
    oldest: datetime | None = None
    answer: str = ""
    answered_at: datetime | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """One row of the audit, for one subscription.

    Attributes:
        id: its place in the order in which a subscription is told.
        key: by which whoever is told twice knows it again; the same for every subscription, and over restarts.
        type: such as `promotion.started`.
        app: of which app; `EVERY_APP` where it is of all.
        subject: what it is about: the id of a promotion, a release or a build, or the app. In this order it is told.
        at: when it happened; `actor`: who did it.
        action, detail: as the audit has it.
        attempts: how often it was tried in vain.
    """

    id: int
    key: str
    type: str
    app: str
    subject: str
    at: datetime
    actor: Actor
    action: str
    detail: Mapping[str, Any]
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBacklog:
    """What waits to be told, of one kind of subscription, and what became of the rest over all times, for metrics.

    Attributes:
        waiting: how many; `oldest`: since when the longest has waited.
        delivered: how many were taken; `dropped`: how many were given up, by reason. Neither falls with a webhook that is removed.
    """

    waiting: int
    oldest: datetime | None
    delivered: int
    dropped: Mapping[str, int]


def wants(apps: tuple[str, ...], types: tuple[str, ...], *, type_: str, app: str) -> bool:
    """Tell whether somebody who wants to know of these apps and types is told; what concerns every app concerns theirs."""
    of_theirs = app == EVERY_APP or any(fnmatchcase(app, each) for each in apps)
    return of_theirs and any(fnmatchcase(type_, each) for each in types)
