"""How late the bench itself is: an acknowledgement that the emulated Slack took up late was not the bot's doing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.clock import SystemClock
from bot.loop_lag import LoopLag
from tests.bench.figures import quantile


class OwnLag:
    """The lag of this process's loop."""

    def __init__(self) -> None:
        self._lag = LoopLag(SystemClock())

    @property
    def p99(self) -> float:
        return quantile({float(bound): float(n) for bound, n in self._lag.buckets().items()}, 0.99)

    async def run(self) -> None:
        await self._lag.run()


@asynccontextmanager
async def own_lag() -> AsyncIterator[OwnLag]:
    """Sample while the block lasts."""
    own = OwnLag()
    sampling = asyncio.create_task(own.run(), name="own lag")
    try:
        yield own
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
