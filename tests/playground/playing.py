"""A whole playground in the test's own process, ten times as fast as the wall."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.clock import ScaledClock
from bot.main import run
from bot.playground.state_folder import StateFolder
from bot.playground.wiring import Playground, playground
from core.clock import Clock

SPEED = 10.0
# Slack's patience of three seconds would be 0.3 s of a loaded machine.
ACK_SECONDS = 100.0
# Seconds of the wall, for a minute of the playground on a machine that does other things as well.
PATIENCE = 30.0


@asynccontextmanager
async def playing(folder: Path, clock: Clock | None = None) -> AsyncIterator[Playground]:
    """Run a playground with its bot; at the end it stops as at Ctrl-C."""
    stop, started = asyncio.Event(), asyncio.Event()
    async with playground(StateFolder(folder), clock or ScaledClock(SPEED), ack_seconds=ACK_SECONDS) as made:
        running = asyncio.create_task(run(made.bot, stop, started=started.set), name="the bot")
        try:
            async with asyncio.timeout(PATIENCE):
                await started.wait()
                while not made.bot.slack.connected:  # noqa: ASYNC110 - it is a field, and tells nobody
                    await asyncio.sleep(0.02)
            yield made
        finally:
            stop.set()
            await running
