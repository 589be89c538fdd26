"""A promotion: one attempt to make a release the active one, and the only table of what may follow what.

Two rules of this file: everything that moves a promotion from one phase to another is in `TRANSITIONS` and
`UNTOUCHED`; nothing here knows a clock, a database or a cluster. docs/promotion.md is drawn from these tables.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.actor import Actor, Source
from core.errors import Conflict
from core.records.binding import Binding
from core.records.countdown import Countdown
from core.records.progress import Limits, Progress
from core.records.waits_for import WaitsFor
from core.sentence import EMPTY_SENTENCE, Sentence

PromotionKind = Literal["promote", "rollback"]


class Phase(StrEnum):
    """Where a promotion is. Names as in Convox's atom, plus those of approvals."""

    AWAITING_APPROVAL = "AwaitingApproval"
    SCHEDULED = "Scheduled"
    PENDING = "Pending"
    UPDATING = "Updating"
    RUNNING = "Running"
    COUNTDOWN = "Countdown"
    ERROR = "Error"
    DEADLINE = "Deadline"
    CANCELLED = "Cancelled"
    ROLLBACK = "Rollback"
    REVERTED = "Reverted"
    FAILURE = "Failure"
    STOPPED = "Stopped"
    REFUSED = "Refused"
    SUPERSEDED = "Superseded"
    DECLINED = "Declined"
    EXPIRED = "Expired"


class PromotionEvent(StrEnum):
    """What can happen to a promotion."""

    APPROVED = "approved"  # the last approval that was missing
    SCHEDULED = "scheduled"  # the last approval, and what it waits for besides has not come
    DUE = "due"  # what it waited for has come: it starts, or goes back
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = (
        "superseded"  # a newer request, a take-over, or somebody who rolls out something else by hand
    )
    REFUSED = "refused"  # policy, binding or cluster said no before anything was touched
    APPLIED = "applied"  # every object of the release was accepted, but for what follows a verdict
    VERIFIED = "verified"  # complete, and it stayed so, with what follows that
    BROKEN = "broken"  # it cannot become healthy
    FAILING = "failing"  # broken or overdue, and the policy gives people time before it goes back
    STOPPED = "stopped"  # a person took it in hand: nothing goes back by itself
    OVERDUE = "overdue"  # a deadline of ours has passed
    CANCELLED = "cancelled"  # a person stopped it
    ROLLED_BACK = "rolled back"  # every object of the way back was accepted
    STUCK = "stuck"  # there is no way back, or the cluster refuses it


SETTLED = frozenset(
    {
        Phase.RUNNING,
        Phase.REVERTED,
        Phase.FAILURE,
        Phase.STOPPED,
        Phase.REFUSED,
        Phase.SUPERSEDED,
        Phase.DECLINED,
        Phase.EXPIRED,
    }
)
# Phases that may touch the cluster: at most one promotion of an app is in one of them (engine rule 1).
IN_FLIGHT = frozenset(
    {
        Phase.PENDING,
        Phase.UPDATING,
        Phase.COUNTDOWN,
        Phase.ERROR,
        Phase.DEADLINE,
        Phase.CANCELLED,
        Phase.ROLLBACK,
    }
)
# Phases before the first: nothing has started, and a newer request takes the place of whatever is in one of them.
WAITING = frozenset({Phase.AWAITING_APPROVAL, Phase.SCHEDULED})
GOING_BACK = frozenset({Phase.ERROR, Phase.DEADLINE, Phase.CANCELLED, Phase.ROLLBACK})
# It has failed, or was given up, and has not ended: whatever takes its place makes its release no better (engine rule 7).
UNSUCCESSFUL = GOING_BACK | {Phase.COUNTDOWN}
# Settled phases after which the cluster shows something of the promotion; the next one's first line names it.
TOUCHED_ENDINGS = frozenset({Phase.RUNNING, Phase.REVERTED, Phase.FAILURE, Phase.STOPPED, Phase.SUPERSEDED})
# Phases that print no line (contract 7).
SILENT = WAITING | frozenset({Phase.REFUSED, Phase.DECLINED, Phase.EXPIRED, Phase.SUPERSEDED})

TRANSITIONS: dict[tuple[Phase, PromotionEvent], Phase] = {
    (Phase.AWAITING_APPROVAL, PromotionEvent.APPROVED): Phase.PENDING,
    (Phase.AWAITING_APPROVAL, PromotionEvent.SCHEDULED): Phase.SCHEDULED,
    (Phase.AWAITING_APPROVAL, PromotionEvent.DECLINED): Phase.DECLINED,
    (Phase.AWAITING_APPROVAL, PromotionEvent.EXPIRED): Phase.EXPIRED,
    (Phase.AWAITING_APPROVAL, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.AWAITING_APPROVAL, PromotionEvent.REFUSED): Phase.REFUSED,
    (Phase.AWAITING_APPROVAL, PromotionEvent.CANCELLED): Phase.REFUSED,
    (Phase.SCHEDULED, PromotionEvent.DUE): Phase.PENDING,
    (Phase.SCHEDULED, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.SCHEDULED, PromotionEvent.REFUSED): Phase.REFUSED,
    (Phase.SCHEDULED, PromotionEvent.CANCELLED): Phase.REFUSED,
    (Phase.PENDING, PromotionEvent.APPLIED): Phase.UPDATING,
    (Phase.PENDING, PromotionEvent.BROKEN): Phase.ERROR,
    (Phase.PENDING, PromotionEvent.FAILING): Phase.COUNTDOWN,
    (Phase.PENDING, PromotionEvent.OVERDUE): Phase.DEADLINE,
    (Phase.PENDING, PromotionEvent.CANCELLED): Phase.CANCELLED,
    (Phase.PENDING, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.UPDATING, PromotionEvent.VERIFIED): Phase.RUNNING,
    (Phase.UPDATING, PromotionEvent.BROKEN): Phase.ERROR,
    (Phase.UPDATING, PromotionEvent.FAILING): Phase.COUNTDOWN,
    (Phase.UPDATING, PromotionEvent.OVERDUE): Phase.DEADLINE,
    (Phase.UPDATING, PromotionEvent.CANCELLED): Phase.CANCELLED,
    (Phase.UPDATING, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.COUNTDOWN, PromotionEvent.DUE): Phase.ERROR,
    (Phase.COUNTDOWN, PromotionEvent.STOPPED): Phase.STOPPED,
    (Phase.COUNTDOWN, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.ERROR, PromotionEvent.ROLLED_BACK): Phase.ROLLBACK,
    (Phase.ERROR, PromotionEvent.STUCK): Phase.FAILURE,
    (Phase.ERROR, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.DEADLINE, PromotionEvent.ROLLED_BACK): Phase.ROLLBACK,
    (Phase.DEADLINE, PromotionEvent.STUCK): Phase.FAILURE,
    (Phase.DEADLINE, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.CANCELLED, PromotionEvent.ROLLED_BACK): Phase.ROLLBACK,
    (Phase.CANCELLED, PromotionEvent.STUCK): Phase.FAILURE,
    (Phase.CANCELLED, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
    (Phase.ROLLBACK, PromotionEvent.VERIFIED): Phase.REVERTED,
    (Phase.ROLLBACK, PromotionEvent.BROKEN): Phase.FAILURE,
    (Phase.ROLLBACK, PromotionEvent.OVERDUE): Phase.FAILURE,
    (Phase.ROLLBACK, PromotionEvent.STUCK): Phase.FAILURE,
    (Phase.ROLLBACK, PromotionEvent.SUPERSEDED): Phase.SUPERSEDED,
}
# Nothing touched, nothing undone (engine rule 5): before the first PATCH these events end in Refused.
UNTOUCHED: dict[tuple[Phase, PromotionEvent], Phase] = {
    (Phase.PENDING, PromotionEvent.REFUSED): Phase.REFUSED,
    (Phase.PENDING, PromotionEvent.BROKEN): Phase.REFUSED,
    (Phase.PENDING, PromotionEvent.OVERDUE): Phase.REFUSED,
    (Phase.PENDING, PromotionEvent.CANCELLED): Phase.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One attempt to make `release` the active release of `app`.

    Attributes:
        kind: a promote, or a person's rollback, which never rolls back by itself (engine rule 6).
        force: it may take over whatever is in flight.
        overwrite: what others have set by hand in the pods of its services is taken away (engine rule 45).
        cautions: what it does that an approver has to know, one sentence each.
        anyway: why a release on hold is promoted all the same.
        break_glass: why it goes out through a freeze or without the approvals that it needs.
        through: what it goes through: the freeze that was on when it was asked for, the approvals that it has not got.
        waits_for: what has to come, beside its approvals, before it starts; None where nothing has to.
        variables_of: of a rollback, the release whose variables it takes instead of its own (engine rule 8).
        restarts: of the active release, the services whose pods are replaced; empty for any other promotion.
        source: where it was asked for.
        channel: where its card is; None without one.
        approvals_needed: how many approvals it needs.
        binding: what the approvals are bound to (engine rule 9).
        token: fencing number; `touched_at`: when the intent of the first PATCH was stored.
        stage_at: when the present stage (forward, way back) began.
        back_to: the release that a rollback goes to, chosen when the promotion starts.
        baseline_of: the promotion whose intent (existed flags) a take-over inherits.
        countdown: how long a promotion that failed still stands as it is, once that has begun.
        cause_kind: why it failed, and later why it ended as it did, in a word for graphs (`core/lifecycle/measuring.py`).
        cause: why it failed; `reason`: what a person said (decline), or why it was refused.
        along: what goes out with it although nobody asked for it: changes that were never promoted, when it was asked for.
        authors: who made what goes out with it, the build and changes of variables, or added to what was asked for
            (`--overwrite`): they are excluded as the requester is (engine rule 41).
        added_at: the revision since which it asks for more than at first (`--overwrite`), 0 where nothing was added.
        declined_by: who said no before it started; `cancelled_by`: who stopped it, whatever came of it afterwards;
            `stopped_by`: who took it in hand before it went back.
        taken_over_by: who asked for the one that took its place, `superseded_by`: the release of that one; None where
            somebody has rolled out something else by hand, which `cause` tells.
        removed: its own objects were removed, since there was no release to go back to.
        nothing_ran: it is active but nothing of it ran (engine rule 35).
        blameless: what ended it does not lie in its release, which is not put on hold (engine rule 53).
        revision: grows with every change that the card shows.
    """

    id: str
    app: str
    release: str
    kind: PromotionKind = "promote"
    phase: Phase
    requested_by: Actor
    requested_at: datetime
    source: Source = "slack"
    channel: str | None = None
    force: bool = False
    overwrite: bool = False
    cautions: tuple[str, ...] = ()
    anyway: str | None = None
    break_glass: str | None = None
    through: tuple[Sentence, ...] = ()
    variables_of: str | None = None
    restarts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    approvals_needed: int = 0
    waits_for: WaitsFor | None = None
    expires_at: datetime | None = None
    binding: Binding | None = None
    started_at: datetime | None = None
    touched_at: datetime | None = None
    stage_at: datetime | None = None
    settled_at: datetime | None = None
    token: int = 0
    back_to: str | None = None
    baseline_of: str | None = None
    countdown: Countdown | None = None
    cause_kind: str = ""
    cause: Sentence = EMPTY_SENTENCE
    reason: Sentence = EMPTY_SENTENCE
    along: tuple[Sentence, ...] = ()
    authors: tuple[Actor, ...] = ()
    added_at: int = 0
    declined_by: Actor | None = None
    cancelled_by: Actor | None = None
    stopped_by: Actor | None = None
    taken_over_by: Actor | None = None
    superseded_by: str | None = None
    removed: bool = False
    nothing_ran: bool = False
    blameless: bool = False
    progress: Progress = field(default_factory=Progress)
    revision: int = 0

    @property
    def settled(self) -> bool:
        return self.phase in SETTLED

    @property
    def in_flight(self) -> bool:
        return self.phase in IN_FLIGHT

    @property
    def untouched(self) -> bool:
        """Whether nothing of it, nor of one that it took over, has reached the cluster: nothing is to be undone."""
        return self.touched_at is None and self.baseline_of is None

    @property
    def spares_release(self) -> bool:
        """Whether its release is not put on hold, however it ends: a restart changes no release, and what it replaced was good."""
        return self.blameless or bool(self.restarts)

    @property
    def forced(self) -> bool:
        """Whether its applies take fields over that others have set."""
        return self.overwrite or self.kind == "rollback"

    @property
    def takes_over(self) -> bool:
        """Whether it stops what is rolling out when it starts, instead of being refused."""
        return self.force or self.kind == "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionEntry:
    """How a promotion ended, of all that is known of it what numbers are made of: none of it is sealed, so thousands are read at once.

    Attributes:
        cause_kind: why it ended as it did, in a word (`core/lifecycle/measuring.py`).
    """

    id: str
    app: str
    release: str
    kind: PromotionKind
    phase: Phase
    cause_kind: str
    touched_at: datetime | None
    settled_at: datetime | None
    restarts: tuple[str, ...]
    cancelled_by: Actor | None
    blameless: bool


def advance(promotion: Promotion, event: PromotionEvent, *, now: datetime) -> Promotion:
    """Return the promotion in the phase that follows `event`.

    Raises:
        Conflict: the event does not apply to the phase; the sentence names both.
    """
    phase = None
    if promotion.untouched:
        phase = UNTOUCHED.get((promotion.phase, event))
    phase = phase or TRANSITIONS.get((promotion.phase, event))
    if phase is None:
        raise Conflict(f"{promotion.id} is {promotion.phase}: {event} does not apply to it")
    # The way back has clocks of its own (engine rule 4); what the card counts stays.
    turning = phase in GOING_BACK and promotion.phase not in GOING_BACK
    progress = promotion.progress
    if turning:
        progress = replace(progress.next_stage(), services=progress.services)
    return replace(
        promotion,
        phase=phase,
        progress=progress,
        revision=promotion.revision + 1,
        settled_at=now if phase in SETTLED else None,
    )
