"""What somebody who follows a promotion or a build waits for now, for the line of a terminal that is rewritten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.views.states import state
from core.lifecycle.approvals import seats_in_words
from core.policy.authorization import named
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.build import BuildStatus
from core.records.waits_for import WaitsFor
from core.sentence import Sentence
from core.usecases.build_queue import QueuedBuild
from core.usecases.viewer import OpenSeats


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingState:
    """What is awaited.

    Attributes:
        text: in words.
        since: since when; None where the end says more.
        until: when it comes, as far as is known.
    """

    text: Sentence
    since: datetime | None = None
    until: datetime | None = None


def promotion_awaits(promotion: Promotion, asked: OpenSeats | None) -> WaitingState | None:
    """Return what a promotion waits for, None once it has ended; `asked`: who is, where approvals are missing."""
    p = promotion
    if p.settled:
        return None
    if p.phase is Phase.AWAITING_APPROVAL:
        return WaitingState(
            text=_approval(asked) if asked else Sentence.of(state(p, ())), since=p.requested_at
        )
    if p.phase is Phase.SCHEDULED:
        return _scheduled(p)
    if p.countdown and p.phase is Phase.COUNTDOWN:
        return WaitingState(text=Sentence.of("Failed, goes back"), until=p.countdown.at)
    settling = p.progress.settling
    if settling and settling.until:
        return WaitingState(
            text=Sentence.of(f"{settling.service} is complete, watching"), until=settling.until
        )
    word = state(p, ())
    text = f"{word}: {p.progress.waiting}" if p.progress.waiting else word
    since = p.stage_at if p.phase in GOING_BACK else None
    return WaitingState(text=Sentence.of(text), since=since or p.started_at)


def _approval(asked: OpenSeats) -> Sentence:
    people = Sentence.join(" or ", map(named, asked.people))
    whom = seats_in_words(asked.seats) or people or "whoever may approve"
    return Sentence.of(f"Waiting for {asked.missing} approval{'s' if asked.missing != 1 else ''} by ", whom)


def _scheduled(p: Promotion) -> WaitingState:
    match p.waits_for:
        case WaitsFor(what="free"):
            text = f"Queued until nothing else of {p.app} rolls out"
            return WaitingState(text=Sentence.of(text), since=p.requested_at)
        case WaitsFor(at=datetime() as at):
            return WaitingState(text=Sentence.of(state(p, ())), until=at)
        case _:
            return WaitingState(text=Sentence.of(state(p, ())), since=p.requested_at)


def build_awaits(queued: QueuedBuild) -> WaitingState | None:
    """Return what a build waits for, None once it has ended."""
    run = queued.run
    if run.status is BuildStatus.CREATED:
        before = f": {queued.ahead} of {run.app} before it" if queued.ahead else ""
        return WaitingState(text=Sentence.of(f"{run.id} is queued{before}"), since=run.created_at)
    if run.status is BuildStatus.RUNNING:
        waits = f": {run.waits}" if run.waits else ""
        return WaitingState(text=Sentence.of(f"Building {run.id}{waits}"), since=run.started_at)
    return None


def counted(awaits: WaitingState, now: datetime) -> dict[str, float]:
    """Return for how many seconds it is awaited already, and how many are left: the clock of a terminal may be another."""
    spans: dict[str, timedelta | None] = {
        "seconds": now - awaits.since if awaits.since else None,
        "left": awaits.until - now if awaits.until else None,
    }
    return {name: round(span.total_seconds(), 3) for name, span in spans.items() if span is not None}
