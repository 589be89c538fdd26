"""What was live from when to when, told by the promotions of an app alone; without it nobody could say what ran yesterday."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from core.ports.store import StoreReader
from core.promotion import Phase, Promotion
from core.records.live_entry import LiveEntry
from core.records.release import Release, ReleaseEntry

FIRST_LOOK = 20
# Rollbacks to a rollback that are followed to what was built: nobody goes back and forth more often.
MOST_COPIES = 10


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
    return spans_of(
        LiveEntry(
            promotion=p.id, at=p.settled_at, release=p.release if p.phase is Phase.RUNNING else p.back_to
        )
        for p in promotions
        if p.phase in {Phase.RUNNING, Phase.REVERTED} and p.settled_at is not None
    )


def spans_of(entries: Iterable[LiveEntry]) -> list[LiveSpan]:
    """Return what `live_spans` does, of what is kept plain of the promotions."""
    spans: list[LiveSpan] = []
    for entry in sorted(entries, key=lambda each: (each.at, each.promotion)):
        at, promotion, release = entry.at, entry.promotion, entry.release
        last = spans[-1] if spans else None
        live = last.release if last and last.until is None else None
        if release == live:
            continue
        if last and live:
            spans[-1] = replace(last, until=at)
        if release is not None:
            spans.append(LiveSpan(release=release, promotion=promotion, since=at))
    return spans


async def entries_around(read: StoreReader, app: str, at: datetime) -> list[LiveEntry]:
    """Return what tells since when and until when that was live which was live at a moment, and no more than twice as much."""
    return [
        *await _until_another(lambda limit: read.live_entries(app, at, limit)),
        *await _until_another(lambda limit: read.live_entries(app, at, limit, later=True)),
    ]


async def _until_another(look: Callable[[int], Awaitable[list[LiveEntry]]]) -> list[LiveEntry]:
    """Look further until another release stands there: one that was promoted again goes on being live."""
    limit = FIRST_LOOK
    while True:
        found = await look(limit)
        if len(found) < limit or len({entry.release for entry in found}) > 1:
            return found
        limit *= 2


def live_at(spans: Iterable[LiveSpan], at: datetime) -> LiveSpan | None:
    """Return what was live at a moment, None where nothing was."""
    return next((s for s in spans if s.since <= at and (s.until is None or at < s.until)), None)


async def copied_from(read: StoreReader, release: Release) -> ReleaseEntry | None:
    """Return the release that a rollback goes back to, None for any other release; of a copy of a copy the one that was made first."""
    found, source = None, release.copy_of
    for _ in range(MOST_COPIES):
        if source is None:
            break
        found = await read.release_entry(release.app, source)
        source = found.copy_of
    return found
