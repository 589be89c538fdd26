"""Who may do what, how many must approve, and how patient a rollout is (contract 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.actor import Actor

Verb = Literal["view", "build", "env", "promote", "rollback", "approve", "cancel", "freeze", "admin"]
VERBS: tuple[Verb, ...] = (
    "view",
    "build",
    "env",
    "promote",
    "rollback",
    "approve",
    "cancel",
    "freeze",
    "admin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """What a promotion needs before it starts.

    Attributes:
        count: different people who must approve.
        people: user ids and `group:<id>` who may; empty means whoever holds `approve`.
        requester: whether the one who asked may be one of them.
        expires: seconds after which nobody may approve any more.
    """

    count: int = 0
    people: tuple[str, ...] = ()
    requester: bool = False
    expires: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an app is rolled out; durations in seconds, None means auto.

    Attributes:
        crashes: None means 2, or 3 for an app's first release.
        unpinned: whether an app with approvals may run images by tag.
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
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An answer with its reason, for the person who asked."""

    allowed: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed policy file; see `parse_policy`. `Policy.open()` is `CONVOX_OPEN=1`."""

    everything: bool = False
    grants: tuple[object, ...] = ()
    apps: tuple[object, ...] = ()

    @classmethod
    def open(cls) -> "Policy":
        return cls(everything=True)

    def may(self, actor: Actor, verb: Verb, app: str, groups: Mapping[str, frozenset[str]]) -> Decision:
        raise NotImplementedError

    def rules(self, app: str) -> Rules:
        raise NotImplementedError
