"""The patience that was promised: what is slow for a reason is waited for, and pods that come and go fail nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import WEB
from tests.scenarios.harness import Stage

SIMULATED = pytest.mark.parametrize(
    "plane", [None], ids=["simulated"]
)  # minutes of a real cluster prove no more


@asynccontextmanager
async def every(stage: Stage, seconds: float, act) -> AsyncIterator[None]:
    """Do something again and again for as long as the block lasts."""

    async def again() -> None:
        while True:
            await stage.cluster.clock.sleep(seconds)
            await act()

    task = asyncio.create_task(again(), name="somebody who never rests")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def watching(stage: Stage, promotion: str) -> None:
    """Wait until the settle window is open."""

    async def complete() -> bool:
        found = await stage.bot.store.read.promotion(promotion)
        return "is complete, watching for 20 s" in found.progress.waiting

    await stage.until(complete)


async def test_an_autoscaler_that_adds_a_pod_every_15_seconds(stage: Stage):
    stage.rule(settle="auto")
    promotion = await stage.promote(await stage.build(web="v1"))
    await watching(stage, promotion)
    path = f"/apis/apps/v1/namespaces/{stage.namespace()}/deployments/web/scale"

    async def one_more() -> None:
        found = await stage.cluster.admin.call("GET", path)
        await stage.cluster.admin.call(
            "PATCH", path, {"spec": {"replicas": found["spec"]["replicas"] + 1}}, content=MERGE
        )

    await one_more()
    async with every(stage, 15, one_more):
        ended = await stage.ended(promotion)
    assert ended.phase == "Running", ended.cause
    assert ended.progress.watched < 75


async def test_a_drain_that_takes_a_pod_every_15_seconds(stage: Stage):
    stage.rule(settle="auto")
    promotion = await stage.promote(await stage.build(web="v1"))
    await watching(stage, promotion)

    async def one_less() -> None:
        oldest = min(await stage.pods(), key=lambda pod: pod["metadata"]["creationTimestamp"])
        where = f"/api/v1/namespaces/{stage.namespace()}/pods/{oldest['metadata']['name']}"
        await stage.cluster.admin.call("DELETE", where)

    await one_less()
    async with every(stage, 15, one_less):
        ended = await stage.ended(promotion)
    assert ended.phase == "Running", ended.cause
    assert ended.progress.watched < 75


@SIMULATED
async def test_a_pull_that_takes_longer_than_the_deadline_is_progress(stage: Stage):
    stage.rule(longest="300s")
    promotion = await stage.promoted(await stage.build(web="v1-huge"))

    assert promotion.phase == "Running", promotion.cause
    assert promotion.progress.watched > 100


@SIMULATED
async def test_a_start_gets_what_its_check_allows_though_the_deadline_is_shorter(stage: Stage):
    stage.rule(longest="300s")
    slow = WEB.replace("grace: 1,", "grace: 90,")
    promotion = await stage.promoted(await stage.build(manifest=slow, web="v1"))

    assert promotion.phase == "Running", promotion.cause
    assert promotion.progress.watched > 90


async def test_times_that_no_rollout_could_meet_are_refused_when_they_are_read(stage: Stage):
    slow = WEB.replace("grace: 1,", "grace: 90,")
    body = {"manifest": slow, "images": {"web": "registry.example/myapp/web:v1"}}
    status, answer = await stage.http("POST", "/apps/myapp/builds", body)

    assert status == 422
    assert "service web: its checks allow a start of 94 s" in answer
    assert "a rollout may take 90 s in all" in answer
