"""What is counted of a promotion, for graphs: how it ended and why, in words of which there are few, and how long it took."""

from collections.abc import Mapping
from datetime import datetime

from core.promotion import SETTLED, Phase, Promotion, PromotionEvent
from core.records.milestone import Milestone
from core.records.observation import DiagnosisKind

CANCELLED, CONFLICT, DEADLINE, REJECTED, UNAPPLIED, UNROUTED = (
    *("cancelled", "conflict", "deadline", "rejected", "unapplied", "unrouted"),
)
VERIFIED, NOTHING_RAN = "verified", "nothing_ran"
NEWER, TAKEN_OVER, BY_HAND = "newer", "taken_over", "by_hand"

_WHY_NOT = tuple(
    sorted(
        {
            *(kind.value for kind in DiagnosisKind),
            CANCELLED,
            CONFLICT,
            DEADLINE,
            REJECTED,
            UNAPPLIED,
            UNROUTED,
        }
    )
)
# Every reason that an ending can have: a graph shows 0 before the first of its kind, so that an alarm sees the first one too.
REASONS: Mapping[Phase, tuple[str, ...]] = {
    Phase.RUNNING: (VERIFIED, NOTHING_RAN),
    Phase.REVERTED: _WHY_NOT,
    Phase.FAILURE: _WHY_NOT,
    Phase.STOPPED: _WHY_NOT,
    Phase.REFUSED: (CANCELLED, CONFLICT, REJECTED, UNAPPLIED),
    Phase.SUPERSEDED: (NEWER, TAKEN_OVER, BY_HAND),
    Phase.DECLINED: ("declined",),
    Phase.EXPIRED: ("expired",),
}


# What tells that a release is not good.
_BAD = frozenset({PromotionEvent.BROKEN, PromotionEvent.FAILING, PromotionEvent.OVERDUE})


def ending_reason(promotion: Promotion) -> str:
    """Return why a settled promotion ended as it did: one of `REASONS` of its phase."""
    assert promotion.phase in SETTLED, f"{promotion.id} has not ended"
    match promotion.phase:
        case Phase.RUNNING:
            return NOTHING_RAN if promotion.nothing_ran else VERIFIED
        case Phase.SUPERSEDED:
            return _superseded(promotion)
        case Phase.DECLINED | Phase.EXPIRED:
            return REASONS[promotion.phase][0]
        case Phase.REFUSED:
            known = CANCELLED if promotion.cancelled_by else promotion.cause_kind
            return known if known in REASONS[Phase.REFUSED] else REJECTED
        case _:
            return CANCELLED if promotion.cancelled_by else promotion.cause_kind or DEADLINE


def _superseded(promotion: Promotion) -> str:
    if promotion.taken_over_by is None:
        return BY_HAND
    return TAKEN_OVER if promotion.started_at else NEWER


def milestones(
    before: Promotion, after: Promotion, event: PromotionEvent, now: datetime
) -> Mapping[Milestone, float]:
    """Return what a promotion has reached by moving on, with the seconds since it started; a cancel is no verdict."""
    started = before.started_at
    if started is None:
        return {}
    seconds = (now - started).total_seconds()
    forward = before.phase in {Phase.PENDING, Phase.UPDATING}
    if event is PromotionEvent.VERIFIED and before.phase is Phase.ROLLBACK:
        return {Milestone.ROLLED_BACK: seconds}
    if event is PromotionEvent.VERIFIED and forward:
        verified = {} if after.nothing_ran else {Milestone.VERIFIED: seconds}
        return {Milestone.VERDICT: seconds, **verified, **_complete(before, after, started)}
    if event in _BAD and forward and after.phase is not Phase.REFUSED:
        return {Milestone.VERDICT: seconds}
    return {}


def _complete(before: Promotion, after: Promotion, started: datetime) -> Mapping[Milestone, float]:
    """Return when the last service was complete for the first time; what nobody could watch does not count."""
    seen = [each.at for each in after.progress.complete.values()]
    if not seen or before.stage_at is None:
        return {}
    return {Milestone.COMPLETE: (before.stage_at - started).total_seconds() + max(seen)}
