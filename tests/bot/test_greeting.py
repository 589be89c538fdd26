"""A start says whether the cluster answers: a wrong kubeconfig would else show at the first promotion."""

import logging
from itertools import pairwise

from bot.background import await_cluster
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_file
from core.errors import Unreachable
from tests.core.cluster.live import live
from tests.fakes import JumpingClock


async def test_a_cluster_that_is_away_is_said_until_it_answers(caplog):
    clock, asked = JumpingClock(), []

    async def reach() -> None:
        asked.append(clock.monotonic())
        if len(asked) < 5:
            raise Unreachable("no route to host")

    with caplog.at_level(logging.INFO, "bot.background"):
        await await_cluster(reach, clock)
    assert [b - a for a, b in pairwise(asked)] == [5, 15, 60, 60]
    assert caplog.messages == [
        *["the cluster does not answer: no route to host; trying again"] * 4,
        "the cluster answers",
    ]


async def test_a_kubeconfig_that_is_not_there_is_named(tmp_path, caplog):
    clock = JumpingClock()
    missing = str(tmp_path / "nowhere")
    async with KubeClient(from_file(missing), clock=clock) as client:
        cluster = KubernetesCluster(client, rack="convox", clock=clock)
        tries = iter([cluster.reach, cluster.reach])

        async def reach() -> None:
            if (one := next(tries, None)) is not None:
                await one()

        with caplog.at_level(logging.INFO, "bot.background"):
            await await_cluster(reach, clock)
    said = f"the cluster does not answer: there is no kubeconfig at {missing}; trying again"
    assert caplog.messages.count(said) == 2


async def test_whoever_the_cluster_knows_may_ask():
    async with live(namespace=False) as on:
        await on.cluster.reach()
