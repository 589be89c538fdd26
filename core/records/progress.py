"""How long a rollout may take, and what its verdict remembers between two looks."""

from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much a rollout may take, in seconds, fixed when it is asked for.

    Attributes:
        deadline: without progress; `longest`: in all; `pending`: before every object is applied that is due.
        crashes: restarts of one new pod that fail the rollout early.
        restarts: restarts allowed within the settle window.
        routes: nothing is verified before what leads from outside to it has been picked up.
        rollback_after: how long people may take a promotion that failed in hand, before it goes back by itself.
    """

    deadline: float = 600.0
    longest: float = 3000.0
    pending: float = 300.0
    crashes: int = 2
    restarts: int = 0
    routes: bool = False
    rollback_after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """A rollout that is complete, and is watched for whether it stays so.

    Attributes:
        service: the one whose settle window ends last.
        seconds: how long that window is.
        left: how much of it was left at the last look.
        until: when it ends by our clock if nothing comes between, for the card.
    """

    service: str
    seconds: float
    left: float = field(default=0.0, compare=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodProgress:
    """What the verdict remembers of one new pod; its times are `watched` of the stage, never a stamp of the cluster.

    Attributes:
        service: whose it is.
        milestone: the furthest that it was ever seen; a step back and forth again is no progress.
        restarts: at the last look; another number means another run.
        started: when its present run was first seen running, None while it does not run.
        ready: since when it has been seen ready without a break.
        baseline: its restarts when the restarts within the settle window began to count.
        excused: its restarts when a resource that services may need was last seen not to be ready yet.
    """

    service: str
    milestone: int = 0
    restarts: int = 0
    started: float | None = None
    ready: float | None = None
    baseline: int | None = None
    excused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A service that was complete for the first time in a stage: when (`watched`), and of how many pods."""

    at: float
    pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the verdict remembers between two looks; saved with the promotion so that a restart goes on.

    All clocks are seconds of *watched* time, which passes only while every watch is synced (engine rule 13).

    Attributes:
        watched: time watched in this stage (forward, or the way back).
        moved: `watched` when there was progress last (engine rule 52).
        patience: how long there may be none, of what is awaited now; 0 where the policy alone says it.
        pods: uid → what is remembered of a new pod that is still there.
        gone: service → how many of its pods had stood their settle window before they went.
        complete: service → when it was complete for the first time.
        suspects: trouble → `watched` when it was first seen without a break.
        services: service → (ready, wanted), for the card.
        counts: service → pods that its workload asked for when it was last seen; one that is deleted and made again gets
            that (engine rule 58).
        waiting: what is awaited now, for the card.
        settling: that it is the end of a settle window, which is no lack of progress; None for anything else.
        remarks: what does not do what it is there for, though no verdict waits for it; for the card, found just before its end.
        clearing: what becomes of the objects that this release no longer has, for the card; told after the verdict.
        routes: by which addresses a live release is reached from outside; `unrouted`: why it is not yet. Both for the card.
        first_pods: what became of the first pods of a release of which nothing ran when it was promoted, for the card;
            `proved`: they stood.
        blind_since: since when nobody can see the rollout, by our own clock; None while it is seen.
        blind_asked: a person was asked because of it.
    """

    watched: float = 0.0
    moved: float = 0.0
    patience: float = 0.0
    pods: dict[str, PodProgress] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    complete: dict[str, Completion] = field(default_factory=dict)
    suspects: dict[str, float] = field(default_factory=dict)
    services: dict[str, tuple[int, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    waiting: str = ""
    settling: Settling | None = None
    remarks: tuple[str, ...] = ()
    clearing: str = ""
    routes: tuple[str, ...] = ()
    unrouted: tuple[str, ...] = ()
    first_pods: str = ""
    proved: bool = False
    blind_since: datetime | None = None
    blind_asked: bool = False

    def next_stage(self) -> "Progress":
        """Return what a new stage begins with: clocks of its own, and what was seen of the counts."""
        return Progress(counts=self.counts)

    def awaiting(self, waiting: str, settling: Settling | None = None) -> "Progress":
        """Return it with this as what is awaited now; nothing else is any more."""
        return replace(self, waiting=waiting, settling=settling)
