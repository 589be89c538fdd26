"""Looking up what may have been sent: twice, before it is sent again (engine rule 40)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.slack.web_api import Found
from core.clock import Clock

# Seconds after it was tried.
FIRST_LOOK, SECOND_LOOK = 10.0, 60.0
# So far back it is looked for where nobody knows when it was sent.
LONG_AGO = timedelta(days=1)


async def surely_absent(
    clock: Clock,
    tried_at: datetime | None,
    *,
    find: Callable[[datetime], Awaitable[Found]],
    found: Callable[[str], Awaitable[object]],
    postpone: Callable[[datetime], Awaitable[object]],
) -> bool:
    """Look for what had no outcome; return True once it may be sent anew.

    Args:
        clock: everybody's.
        tried_at: when it was sent; None where nobody knows, which was long ago.
        find: looks for it among what came since that time.
        found: keeps where it is.
        postpone: has it looked at again at that time.
    """
    now = clock.now()
    # A time that is far ahead is of a clock that was, which is as long ago as if nobody knew; a clock is set back by seconds, too.
    known = tried_at is not None and tried_at <= now + timedelta(seconds=SECOND_LOOK)
    tried = min(tried_at, now) if tried_at is not None and known else now - LONG_AGO
    age = (now - tried).total_seconds()
    if age < FIRST_LOOK:
        await postpone(now + timedelta(seconds=FIRST_LOOK - age))
        return False
    seen = await find(tried)
    if seen.ts:
        await found(seen.ts)
    elif not seen.looked:
        await postpone(clock.now() + timedelta(seconds=max(0.0, seen.retry_after)))
    elif age < SECOND_LOOK:
        await postpone(clock.now() + timedelta(seconds=SECOND_LOOK - age))
    return seen.looked and not seen.ts and age >= SECOND_LOOK
