"""Waiting with a deadline on the workspace's clock."""

import asyncio
from typing import Any

from core.clock import Clock


async def within(clock: Clock, future: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for a future that long; return whether it is done. The future is left alone either way."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({future, timer}, return_when=asyncio.FIRST_COMPLETED)
        return future.done()
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)
