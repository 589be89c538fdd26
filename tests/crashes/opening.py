"""Opening a world around a bot: on the simulated cluster as often as wanted, on the real control plane in real time."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.clock import ScaledClock, SystemClock
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.slack import SlackWorkspace
from core.cluster.builds.job import SERVICE_ACCOUNT
from storage.keys import Keyring
from tests.crashes.places import BUILDS, Place, Simulated
from tests.crashes.world import Ground, World

# Generous: a machine that is busy with something else must not turn a sweep into a lottery.
PATIENCE, REAL_PATIENCE = 60.0, 120.0
# The end of a bot cuts its connection, which is noticed at once; waiting long for an answer costs nothing.
ACK_SECONDS = 1000.0


@asynccontextmanager
async def simulated_world(
    nursery: Path, folder: Path, *, speed: float, ground: Ground | None = None
) -> AsyncIterator[World]:
    """Open a world on the simulated cluster, new or as an earlier one was left."""
    start, began = ground.now if ground else datetime(2026, 1, 1, tzinfo=UTC), time.monotonic()
    clock = ScaledClock(speed, start, began)
    slack = SlackWorkspace(clock, credentials=ground.credentials if ground else None, ack_seconds=ACK_SECONDS)
    cluster = SimulatedCluster(
        clock, extensions=["gateway.networking.k8s.io"], accounts={BUILDS: SERVICE_ACCOUNT}
    )
    key = ground.key if ground else Keyring.generate()
    if ground:
        slack.restore(ground.slack)
        assert ground.cluster is not None
        cluster.restore(ground.cluster)
        (folder / "convox.db").write_bytes(ground.database)
    async with AsyncExitStack() as stack:
        await slack.start()
        stack.push_async_callback(slack.stop)
        await stack.enter_async_context(cluster)
        yield World(
            patience=PATIENCE,
            nursery=nursery,
            folder=folder,
            clock=clock,
            shared_clock=(speed, start.isoformat(), began),
            slack=slack,
            place=Simulated(cluster, folder),
            key=key,
        )


@asynccontextmanager
async def real_world(nursery: Path, folder: Path, place: Place) -> AsyncIterator[World]:
    """Open a world on the real control plane, in the wall's time."""
    clock = SystemClock()
    slack = SlackWorkspace(clock, ack_seconds=ACK_SECONDS)
    await slack.start()
    try:
        yield World(
            patience=REAL_PATIENCE,
            nursery=nursery,
            folder=folder,
            clock=clock,
            shared_clock=None,
            slack=slack,
            place=place,
            key=Keyring.generate(),
        )
    finally:
        await slack.stop()
