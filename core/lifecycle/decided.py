"""What is said to whoever comes too late to decide about a promotion: what became of it, by whom and when."""

from collections.abc import Sequence
from datetime import datetime

from core.actor import Actor
from core.errors import Conflict
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.approval import Approval
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence, TimeOfDay


def no_longer_waits(promotion: Promotion, decisions: Sequence[Approval], now: datetime) -> Sentence:
    """Return why nobody can approve or decline it any more, or nothing where it waits."""
    if promotion.phase is Phase.AWAITING_APPROVAL:
        late = promotion.expires_at is not None and now >= promotion.expires_at
        return _expired(promotion) if late else EMPTY_SENTENCE
    if promotion.phase is Phase.EXPIRED:
        return _expired(promotion)
    if promotion.declined_by and promotion.settled_at:
        return _already("declined", promotion.declined_by, promotion.settled_at)
    if promotion.started_at is not None and decisions:
        last = decisions[-1]
        return _already("approved", last.actor, last.at)
    return _over(promotion)


def _expired(promotion: Promotion) -> Sentence:
    return Sentence.of(f"{promotion.id} has expired: nobody can approve it any more")


def _already(decided: str, by: Actor, at: datetime) -> Sentence:
    return Sentence.of(f"already {decided} by ", by, " at ", TimeOfDay(at))


def _over(promotion: Promotion) -> Sentence:
    """Say what became of a promotion that nobody can decide about any more."""
    at = Sentence.of(" at ", TimeOfDay(promotion.settled_at)) if promotion.settled_at else ""
    if promotion.started_at is not None:
        return Sentence.of(f"{promotion.id} needed no approval: it is {promotion.phase}")
    if promotion.phase is Phase.SUPERSEDED:
        by = promotion.taken_over_by or "somebody"
        newer = f"{promotion.id} was superseded by {promotion.superseded_by}"
        return Sentence.of(newer, at, ", asked for by ", by)
    if promotion.cancelled_by:
        return Sentence.of(f"{promotion.id} was cancelled by ", promotion.cancelled_by, at)
    return Sentence.of(f"{promotion.id} was refused", at, ": ", promotion.reason)


def stopping(promotion: Promotion) -> Conflict:
    """Say that it has been stopped already; a person's rollback does not go back."""
    hint = "its thread tells how far it is" if promotion.channel else ""
    if promotion.kind == "rollback":
        return Conflict(f"{promotion.id} is already being stopped: a rollback does not go back", hint=hint)
    return Conflict(f"{promotion.id} is already going back", hint=hint)


def not_counting_down(promotion: Promotion | None, app: str) -> Conflict:
    """Say that nothing of the app is about to go back by itself, and where the promotion is that was meant."""
    if promotion is None:
        return Conflict(f"nothing of {app} is about to go back by itself")
    if promotion.phase in GOING_BACK:
        return stopping(promotion)
    if promotion.stopped_by and promotion.settled_at:
        return Conflict(_already("stopped", promotion.stopped_by, promotion.settled_at))
    hint: str | Sentence = ""
    if promotion.in_flight:
        hint = Sentence.of(CommandLine(f"cancel {promotion.id}"), " stops the rollout")
    return Conflict(f"{promotion.id} is not about to go back by itself: it is {promotion.phase}", hint=hint)


def not_running(promotion: Promotion | None) -> Sentence:
    """Say that there is nothing to cancel; of a promotion that has ended, how and when."""
    if promotion is None or not promotion.settled_at:
        return Sentence.of("app is not updating")
    ended = f"app is not updating: {promotion.id} ended {promotion.phase} at "
    return Sentence.of(ended, TimeOfDay(promotion.settled_at))
