"""A running simulated cluster and a client that is nothing but kubernetes_asyncio's session."""

from collections.abc import AsyncIterator

import pytest

from bot.clock import ScaledClock
from bot.playground.cluster import SimulatedCluster
from tests.playground.cluster.client import Client

SPEED = 20.0


@pytest.fixture
def clock() -> ScaledClock:
    return ScaledClock(SPEED)


@pytest.fixture
async def cluster(clock: ScaledClock) -> AsyncIterator[SimulatedCluster]:
    cluster = SimulatedCluster(clock)
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


@pytest.fixture
async def kube(cluster: SimulatedCluster, clock: ScaledClock) -> AsyncIterator[Client]:
    client = await Client.connect(cluster, clock)
    async with client:
        await client.apply_json("/api/v1/namespaces/shop", {"apiVersion": "v1", "kind": "Namespace"})
        yield client
