"""Whether a promotion that failed goes back at once, or stands for as long as the policy gives people (`rollback_after`)."""

from datetime import datetime, timedelta
from typing import Any

from core.promotion import Promotion, PromotionEvent
from core.records.countdown import Countdown

# What ends the way forward, and would begin the way back.
_TURNS = frozenset({PromotionEvent.BROKEN, PromotionEvent.OVERDUE})


def turned(
    promotion: Promotion, event: PromotionEvent, *, way_back: bool, now: datetime
) -> tuple[PromotionEvent, dict[str, Any]]:
    """Return what happens to the promotion, and what is stored with that.

    Args:
        promotion: as it is, before the event.
        event: what has happened to it.
        way_back: something would go back by itself; without that there is nothing to stop.
        now: by our own clock.
    """
    seconds = promotion.limits.rollback_after
    if event not in _TURNS or not seconds or not way_back or promotion.touched_at is None:
        return event, {}
    until = promotion.progress.watched + seconds
    return PromotionEvent.FAILING, {"countdown": Countdown(until=until, at=now + timedelta(seconds=seconds))}
