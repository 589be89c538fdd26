"""An API server that stands still, dies or has just started, on both clusters: who cannot see does not judge."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from core import failpoints
from tests.scenarios.harness import Stage


async def passed(stage: Stage, seconds: float) -> None:
    await stage.cluster.clock.sleep(seconds)


async def test_an_api_server_that_stands_still_for_longer_than_a_rollout_may_take_fails_none(stage: Stage):
    good = await stage.running(web="v1")
    stage.rule(longest="30s", settle="4s")
    release = await stage.build(web="v2")
    promotion = await stage.promote(release)
    await stage.phase(promotion, "Updating")
    stage.cluster.freeze_server()
    await passed(stage, 40)

    waiting = (await stage.bot.store.read.promotion(promotion)).progress.waiting
    assert waiting.endswith("; the clocks stand still"), waiting
    stage.cluster.thaw_server()
    ended = await stage.ended(promotion)
    assert ended.phase == "Running", f"{ended.cause}; it was {good}"
    assert "on hold" not in await stage.command("releases")
    await stage.runs(release)


@pytest.fixture
async def killed(stage: Stage) -> AsyncIterator[Callable[[str], None]]:
    """Return `killed(place)`: the API server dies once the bot comes to that failpoint for the next time."""
    tasks: list[asyncio.Task[None]] = []
    places: list[str] = []

    def hook(name: str) -> None:
        if name in places:
            places.remove(name)
            tasks.append(
                asyncio.create_task(stage.cluster.restart_server(), name="restart of the API server")
            )

    failpoints.arm(hook)
    yield places.append
    failpoints.arm(None)
    await asyncio.gather(*tasks)
    assert len(tasks) == 1
    assert places == []


@pytest.mark.parametrize("place", ["request.after_commit", "start.after_look", "start.after_preflight"])
async def test_it_dies_before_anything_is_touched(stage: Stage, killed: Callable[[str], None], place: str):
    release = await stage.build(web="v1")
    killed(place)
    ended = await stage.promoted(release)

    assert ended.phase == "Running", ended.reason
    await stage.runs(release)


@pytest.mark.parametrize("place", ["step.after_sent", "step.after_effect", "applied.before_commit"])
async def test_it_dies_while_a_release_is_applied(stage: Stage, killed: Callable[[str], None], place: str):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    killed(place)
    ended = await stage.promoted(release)

    assert ended.phase == "Running", ended.cause
    await stage.runs(release)


@pytest.mark.parametrize("place", ["broken.after_commit", "back.after_apply", "back.after_commit"])
async def test_it_dies_while_the_app_goes_back(stage: Stage, killed: Callable[[str], None], place: str):
    good = await stage.running(web="v1")
    release = await stage.build(web="v2-notfound")
    killed(place)
    ended = await stage.promoted(release)

    assert (ended.phase, ended.back_to) == ("Reverted", good), ended.cause
    assert str(ended.cause).startswith("image registry.example/myapp/web:v2-notfound does not exist")
    await stage.runs(good)
