"""The symbol and the word that say where a promotion is; a symbol or a colour alone would say it to some readers only."""

from collections.abc import Callable, Sequence

from core.lifecycle.approvals import missing
from core.promotion import Phase, Promotion
from core.records.approval import Approval
from core.records.progress import Progress

# Contract 9.4. The word alone always tells it: the symbol is for eyes that pass over a channel.
WAITS, MOVES, LIVE, WENT_BACK, NEEDS_A_PERSON, NEVER_RAN = "⏳", "🔄", "✅", "↩️", "🛑", "⚪"


def state(promotion: Promotion, approvals: Sequence[Approval], left: int | None = None) -> str:
    """Return the state in words, such as `Waiting for approval 1/2`, `Rolling out` or `Live`.

    Args:
        promotion: what is somewhere.
        approvals: what has been decided so far.
        left: how many seats of the policy are still empty, where whoever shows it knows; by default people are counted.
    """
    if promotion.phase is Phase.AWAITING_APPROVAL:
        given = promotion.approvals_needed - (missing(promotion, approvals) if left is None else left)
        return f"Waiting for approval {given}/{promotion.approvals_needed}"
    return _STATES[promotion.phase](promotion)


def symbol(promotion: Promotion) -> str:
    """Return the one symbol of the state."""
    return _SYMBOLS[promotion.phase]


def _rolling(promotion: Promotion) -> str:
    return "Watching" if was_complete(promotion.progress) else "Rolling out"


def was_complete(progress: Progress) -> bool:
    """Tell whether everything was complete once in this stage: a pod that is lost after that does not bring back an earlier word."""
    wanted = {service for service, (_, pods) in progress.services.items() if pods}
    return progress.settling is not None or (bool(wanted) and wanted <= progress.complete.keys())


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


_WAITING = {"time": "Scheduled", "free": "Queued", "window": "Waiting for the freeze to end"}
_STATES: dict[Phase, Callable[[Promotion], str]] = {
    Phase.SCHEDULED: lambda p: _WAITING[p.waits_for.what] if p.waits_for else "Scheduled",
    Phase.PENDING: lambda _: "Starting",
    Phase.UPDATING: _rolling,
    Phase.RUNNING: _live,
    Phase.COUNTDOWN: lambda _: "Failed, about to roll back",
    Phase.ERROR: _going_back,
    Phase.DEADLINE: _going_back,
    Phase.CANCELLED: _going_back,
    Phase.ROLLBACK: _going_back,
    Phase.REVERTED: _reverted,
    Phase.FAILURE: lambda _: "Needs a person",
    Phase.STOPPED: lambda _: "Stopped, needs a person",
    Phase.REFUSED: lambda p: "Cancelled" if p.cancelled_by else "Refused",
    Phase.SUPERSEDED: lambda _: "Superseded",
    Phase.DECLINED: lambda _: "Declined",
    Phase.EXPIRED: lambda _: "Expired",
}
_SYMBOLS: dict[Phase, str] = {
    Phase.AWAITING_APPROVAL: WAITS,
    Phase.SCHEDULED: WAITS,
    Phase.PENDING: MOVES,
    Phase.UPDATING: MOVES,
    Phase.RUNNING: LIVE,
    Phase.COUNTDOWN: NEEDS_A_PERSON,
    Phase.ERROR: MOVES,
    Phase.DEADLINE: MOVES,
    Phase.CANCELLED: MOVES,
    Phase.ROLLBACK: MOVES,
    Phase.REVERTED: WENT_BACK,
    Phase.FAILURE: NEEDS_A_PERSON,
    Phase.STOPPED: NEEDS_A_PERSON,
    Phase.REFUSED: NEVER_RAN,
    Phase.SUPERSEDED: NEVER_RAN,
    Phase.DECLINED: NEVER_RAN,
    Phase.EXPIRED: NEVER_RAN,
}
