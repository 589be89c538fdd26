"""What was live from when to when, told by the promotions of an app alone; without it nobody could say what ran yesterday."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from core.promotion import Phase, Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpan:
    """A time in which a release was the active one.

    Attributes:
        promotion: the one with whose end it began.
        until: when it ended; None while it goes on.
    """

    release: str
    promotion: str
    since: datetime
    until: datetime | None = None


def live_spans(promotions: Iterable[Promotion]) -> list[LiveSpan]:
    """Return the spans, oldest first; the release of the last one without an end is the active one.

    What ended Running made its release the active one, what ended Reverted that which it went back to, or none. A
    release that was active already goes on being so.
    """
    turns = sorted(
        (p.settled_at, p.id, p.release if p.phase is Phase.RUNNING else p.back_to)
        for p in promotions
        if p.phase in {Phase.RUNNING, Phase.REVERTED} and p.settled_at is not None
    )
    spans: list[LiveSpan] = []
    for at, promotion, release in turns:
        last = spans[-1] if spans else None
        live = last.release if last and last.until is None else None
        if release == live:
            continue
        if last and live:
            spans[-1] = replace(last, until=at)
        if release is not None:
            spans.append(LiveSpan(release=release, promotion=promotion, since=at))
    return spans


def live_at(spans: Iterable[LiveSpan], at: datetime) -> LiveSpan | None:
    """Return what was live at a moment, None where nothing was."""
    return next((s for s in spans if s.since <= at and (s.until is None or at < s.until)), None)
