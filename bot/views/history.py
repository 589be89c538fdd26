"""Who promoted what, how it ended, and how long it was live."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import Table, table
from bot.views.times import humanise, spoken, stamp
from core.lifecycle.history import LiveSpan
from core.lifecycle.outcome import ending
from core.promotion import Promotion


def history_list(promotions: Sequence[Promotion], spans: Sequence[LiveSpan], now: datetime) -> Table:
    """Return the table of `releases history`."""
    live = {(span.promotion, span.release): span for span in spans}
    return table(
        ("ID", "RELEASE", "KIND", "BY", "REQUESTED", "LIVE", "ENDING"),
        [
            (
                p.id,
                p.release,
                "restart" if p.restarts else p.kind,
                p.requested_by.plain,
                humanise(p.requested_at, now),
                _live(live.get((p.id, p.release)), now),
                str(ending(p)) if p.settled else str(p.phase),
            )
            for p in promotions
        ],
        essential=("RELEASE", "ENDING", "REQUESTED"),
    )


def _live(span: LiveSpan | None, now: datetime) -> str:
    if span is None:
        return ""
    lasted = spoken(((span.until or now) - span.since).total_seconds())
    return lasted if span.until else f"{lasted} so far"


def live_then(span: LiveSpan | None, app: str, at: datetime) -> str:
    """Say what was live at a moment."""
    if span is None:
        return f"No release of {app} was live at {stamp(at)}"
    until = f" until {stamp(span.until)}" if span.until else ", and is still"
    return f"{span.release} was live at {stamp(at)}: since {stamp(span.since)} ({span.promotion}){until}"
