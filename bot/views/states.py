"""The word that says where a promotion is; colours and emoji alone would say it to some readers only."""

from collections.abc import Callable, Sequence

from core.lifecycle.approvals import missing
from core.promotion import Phase, Promotion
from core.records.approval import Approval


def state(promotion: Promotion, approvals: Sequence[Approval]) -> str:
    """Return the state in words, such as `Waiting for approval 1/2`, `Rolling out` or `Live`."""
    if promotion.phase is Phase.AWAITING_APPROVAL:
        given = promotion.approvals_needed - missing(promotion, approvals)
        return f"Waiting for approval {given}/{promotion.approvals_needed}"
    return _STATES[promotion.phase](promotion)


def _rolling(promotion: Promotion) -> str:
    settling = promotion.progress.settling
    return f"Watching {settling.seconds:g} s" if settling else "Rolling out"


def _live(promotion: Promotion) -> str:
    if not promotion.nothing_ran or promotion.progress.proved:
        return "Live"
    return "Live, not verified" if promotion.progress.first_pods else "Live, not verified: nothing ran"


def _going_back(promotion: Promotion) -> str:
    if promotion.removed:
        return "Removing"
    # Without a way back it is about to need a person (engine rules 4 and 6).
    return "Rolling back" if promotion.back_to and promotion.kind == "promote" else "Stopping"


def _reverted(promotion: Promotion) -> str:
    outcome = "Removed" if promotion.removed or promotion.back_to is None else "Rolled back"
    return f"Cancelled, {outcome.lower()}" if promotion.cancelled_by else outcome


_STATES: dict[Phase, Callable[[Promotion], str]] = {
    Phase.PENDING: lambda _: "Starting",
    Phase.UPDATING: _rolling,
    Phase.RUNNING: _live,
    Phase.ERROR: _going_back,
    Phase.DEADLINE: _going_back,
    Phase.CANCELLED: _going_back,
    Phase.ROLLBACK: _going_back,
    Phase.REVERTED: _reverted,
    Phase.FAILURE: lambda _: "Needs a person",
    Phase.REFUSED: lambda p: "Cancelled" if p.cancelled_by else "Refused",
    Phase.SUPERSEDED: lambda _: "Superseded",
    Phase.DECLINED: lambda _: "Declined",
    Phase.EXPIRED: lambda _: "Expired",
}
