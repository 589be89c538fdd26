"""How long Slack waits for an acknowledgement while the bot has other things to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.playground.slack import SlackWorkspace
from bot.playground.slack.delivery import DeliveryResult
from tests.bench.arena import CAROL, ELSEWHERE
from tests.bench.figures import milliseconds, percentile
from tests.bench.machine import Stopwatch

# Slack gives up after three seconds, and what it gives up has no time: it counts as these and is named.
LOST_SECONDS = 3.0


@dataclass(slots=True)
class Acks:
    """Times from handing a delivery to the socket until its acknowledgement came back.

    Attributes:
        lost: deliveries that got none within Slack's three seconds.
    """

    times: list[float] = field(default_factory=list)
    lost: int = 0

    async def measured(self, delivery: Awaitable[DeliveryResult]) -> None:
        """Wait for a delivery's acknowledgement and keep its time."""
        stopwatch = Stopwatch()
        if (await delivery).ok:
            self.times.append(stopwatch.seconds)
        else:
            self.lost += 1
            self.times.append(LOST_SECONDS)

    @property
    def p99(self) -> float:
        return percentile(self.times, 0.99)

    @property
    def most(self) -> float:
        return percentile(self.times, 1.0)

    @property
    def cell(self) -> str:
        """Return p50 / p99 / max in milliseconds, and what was lost."""
        three = " / ".join(milliseconds(percentile(self.times, share)) for share in (0.5, 0.99, 1.0))
        return f"{three}, {self.lost} lost" if self.lost else three


@asynccontextmanager
async def somebody_else(slack: SlackWorkspace, acks: Acks, *, every: float) -> AsyncIterator[None]:
    """Let somebody type `/convox help` in another channel every so many seconds while the block lasts."""

    ended = asyncio.Event()

    async def type_on() -> None:
        while True:
            await acks.measured(slack.command(CAROL, ELSEWHERE, "help"))
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), every)
            if ended.is_set():
                return

    typing = asyncio.create_task(type_on(), name="somebody else")
    try:
        yield
    finally:
        # What is on its way is waited for, so that a short block measures something, too.
        ended.set()
        await typing
