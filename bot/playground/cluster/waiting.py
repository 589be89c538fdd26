"""Waiting for an event, but not for ever, in seconds of a clock that may run faster than the wall's."""

import asyncio

from core.clock import Clock


async def wait_for(clock: Clock, event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until an event is set or time is over.

    Args:
        clock: whose seconds count.
        event: what to wait for.
        seconds: how long at most; `None` for ever.

    Returns:
        Whether the event is set.
    """
    if seconds is None:
        await event.wait()
        return True
    if event.is_set() or seconds <= 0:
        return event.is_set()
    waiting = asyncio.create_task(event.wait(), name="wait for an event")
    sleeping = asyncio.create_task(clock.sleep(seconds), name="wait for a time")
    try:
        await asyncio.wait((waiting, sleeping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        sleeping.cancel()
        await asyncio.wait((waiting, sleeping))
    return event.is_set()
