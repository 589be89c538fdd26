"""What a policy says, as values: verbs, grants to people, and how an app is rolled out."""

from dataclasses import dataclass, field
from typing import Literal, get_args

Verb = Literal[
    "view",
    "build",
    "env",
    "promote",
    "rollback",
    "approve",
    "cancel",
    "scale",
    "logs",
    "freeze",
    "break-glass",
    "admin",
]
VERBS: tuple[Verb, ...] = get_args(Verb)
# `quiet`: a card and its verdict, with the log of what failed: no line of a step, no announced builds, and an ending is sent to the
# channel too only where a person is needed; `normal`: every step, and what went back is told the channel as well; `verbose`: every ending.
Verbosity = Literal["quiet", "normal", "verbose"]
VERBOSITIES: tuple[Verbosity, ...] = ("quiet", "normal", "verbose")
GROUP = "group:"
TOKEN = "token:"  # noqa: S105 — a prefix
OIDC = "oidc:"
EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """What a promotion needs before it starts.

    Attributes:
        count: different people who must approve.
        people: user ids and `group:<id>` who may; empty means whoever holds `approve`.
        requester: whether the one who asked, and the authors of what goes out, may be among them.
        seats: who may fill each of the seats, where they differ; as many as `count`. One person fills one.
        expires: seconds after which nobody may approve any more.
    """

    count: int = 0
    people: tuple[str, ...] = ()
    requester: bool = False
    seats: tuple[tuple[str, ...], ...] = ()
    expires: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an app is rolled out; durations in seconds, None means auto.

    Attributes:
        crashes: None means 2, or 3 for an app's first release.
        unpinned: whether an app with approvals may run images by tag.
        privileged, host_paths: whether its services may have power over their nodes, and see files of them.
        remind_after: seconds after which those who can approve are reminded once; None never does.
        announce_builds: whether a registered build is told in the app's channel.
        verbosity: how much a channel hears beside cards, and what stands in threads, where nothing is said of that channel.
        ask: a channel (`C…`) or `group:<id>` that is told of what waits for approval, where `from` names nobody.
        rollback_after: how long people may take a promotion that failed in hand, before it goes back by itself.
        routes: whether a release is verified only once what leads from outside to it has been picked up.
    """

    promote: ApprovalRule = field(default_factory=ApprovalRule)
    rollback: ApprovalRule = field(default_factory=ApprovalRule)
    deadline: float = 600.0
    longest: float = 3000.0
    min_ready: float | None = None
    settle: float | None = None
    crashes: int | None = None
    restarts: int = 0
    unpinned: bool = False
    privileged: bool = False
    host_paths: bool = False
    routes: bool = False
    rollback_after: float = 0.0
    channel: str | None = None
    ask: str | None = None
    verbosity: Verbosity = "normal"
    remind_after: float | None = None
    announce_builds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A name for some verbs."""

    name: str
    verbs: frozenset[Verb]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Some people, tokens or jobs get roles for some apps.

    Attributes:
        who: user ids, `group:<id>`, `token:<name>`, `oidc:<rule>`, or `*` for every full member and every token.
        apps: name patterns.
    """

    who: tuple[str, ...]
    roles: tuple[Role, ...]
    apps: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRules:
    """How much a channel (`C…`) hears, whichever app it is about."""

    channel: str
    verbosity: Verbosity


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRules:
    """The rules of the apps whose name matches one of the patterns."""

    match: tuple[str, ...]
    rules: Rules
