"""How long a rollout may take, and what its verdict remembers between two looks."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much a rollout may take, in seconds, fixed when it is asked for.

    Attributes:
        deadline: without progress; `longest`: in all; `pending`: before every object is applied.
        crashes: restarts of one new pod that fail the rollout early.
        restarts: restarts allowed within the settle window.
    """

    deadline: float = 600.0
    longest: float = 3000.0
    pending: float = 300.0
    crashes: int = 2
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """A rollout that is complete, and is watched for whether it stays so.

    Attributes:
        service: the one whose settle window ends last.
        seconds: how long that window is.
    """

    service: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the verdict remembers between two looks; saved with the promotion so that a restart goes on.

    All clocks are seconds of *watched* time, which passes only while every watch is synced (engine rule 13).

    Attributes:
        watched: time watched in this stage (forward, or the way back).
        moved: `watched` when a pod last started or became ready.
        marks: service → `watched` at which its settle window began (may be negative: ready before we looked).
        stamps: service → the ready stamp (ISO) that the mark belongs to.
        seen: service → the most pods started and ready at any look, to notice progress.
        baseline_restarts: pod uid → restarts when its service's settle window began.
        suspects: diagnosis → `watched` when it was first seen without a break.
        services: service → (ready, wanted), for the card.
        waiting: what is awaited now, for the card.
        settling: that it is the end of a settle window, which is no lack of progress; None for anything else.
        clearing: what becomes of the objects that this release no longer has, for the card; told after the verdict.
    """

    watched: float = 0.0
    moved: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    baseline_restarts: dict[str, int] = field(default_factory=dict)
    suspects: dict[str, float] = field(default_factory=dict)
    services: dict[str, tuple[int, int]] = field(default_factory=dict)
    waiting: str = ""
    settling: Settling | None = None
    clearing: str = ""

    def awaiting(self, waiting: str, settling: Settling | None = None) -> "Progress":
        """Return it with this as what is awaited now; nothing else is any more."""
        return replace(self, waiting=waiting, settling=settling)
