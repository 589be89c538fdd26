"""Into Recreate and out of it, suspended and taken up again: on a live API server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.cluster.labels import MANAGED_LABEL, SUSPENDED_ANNOTATION
from core.errors import Foreign
from core.records.bundle import Ref
from tests.core.cluster.live import MANIFEST, WEB, Live, live

ALONE = MANIFEST.replace("port: 3000", "port: 3000\n    singleton: true")
TIMER = Ref("CronJob", "timer-nightly")
TIMED = MANIFEST + 'timers:\n  nightly: {schedule: "* * * * *", service: web, command: bin/clean}\n'
LOADED = MANIFEST.replace("count: 2", "count: 2-5")
SCALER = Ref("HorizontalPodAutoscaler", "web")


@pytest.fixture
async def on() -> AsyncIterator[Live]:
    async with live() as made:
        yield made


async def test_recreate_is_entered_over_a_defaulted_rolling_update_and_left_again(on: Live):
    await on.apply(on.bundle())
    before = await on.get(WEB)
    alone = on.bundle(manifest=ALONE)
    await on.cluster.preflight("myapp", alone, token=1, force=False)
    assert (await on.get(WEB))["spec"]["strategy"] == before["spec"]["strategy"], "a dry run keeps nothing"

    (*_, applied) = await on.apply(alone)
    after = await on.get(WEB)
    assert after["spec"]["strategy"] == {"type": "Recreate"}
    assert applied.changed
    back = on.bundle()
    await on.cluster.preflight("myapp", back, token=1, force=False)
    await on.apply(back)
    assert (await on.get(WEB))["spec"]["strategy"]["type"] == "RollingUpdate"
    # And once more, so that nobody is left who owns the strategy beside us.
    again = on.bundle(manifest=ALONE)
    await on.cluster.preflight("myapp", again, token=1, force=False)
    await on.apply(again)
    assert (await on.get(WEB))["spec"]["strategy"] == {"type": "Recreate"}


async def test_a_change_of_the_strategy_alone_is_a_change(on: Live):
    bundle = on.bundle(manifest=ALONE)
    await on.apply(on.bundle(manifest=ALONE))
    on.sequence -= 1
    await on.apply(bundle)
    await on.admin.merge(
        on.home.at(*_at(WEB)),
        {"spec": {"strategy": {"type": "RollingUpdate"}}},
        manager="kubectl",
    )
    applied = await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
    assert applied.changed


def _at(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


async def test_a_timer_is_suspended_and_at_rest_once_its_job_has_ended(on: Live):
    await on.apply(on.bundle("web:slow", manifest=TIMED))
    uid = (await on.get(TIMER))["metadata"]["uid"]
    while not (jobs := await on.admin.list(on.home.at("Job")))[0]:
        await on.clock.sleep(1.0)
    assert not await on.cluster.suspend("myapp", TIMER, uid=uid, token=1)
    assert (await on.get(TIMER))["spec"]["suspend"] is True
    assert not await on.cluster.suspend("myapp", TIMER, uid=uid, token=1), jobs
    async with asyncio.timeout(20):
        while not await on.cluster.suspend("myapp", TIMER, uid=uid, token=1):
            await on.clock.sleep(1.0)
    (job,) = (await on.admin.list(on.home.at("Job")))[0]
    assert job["status"]["succeeded"] == 1


async def test_what_is_gone_or_another_is_at_rest(on: Live):
    assert await on.cluster.suspend("myapp", TIMER, uid="", token=1)
    await on.apply(on.bundle(manifest=TIMED))
    assert await on.cluster.suspend("myapp", TIMER, uid="another", token=1)
    assert not (await on.get(TIMER))["spec"]["suspend"]


async def test_a_strangers_timer_is_left_alone(on: Live):
    await on.apply(on.bundle(manifest=TIMED))
    await on.admin.merge(
        on.home.at(*_at(TIMER)), {"metadata": {"labels": {MANAGED_LABEL: "me"}}}, manager="kubectl"
    )
    with pytest.raises(Foreign):
        await on.cluster.suspend("myapp", TIMER, uid="", token=1)


async def test_what_the_bot_suspended_is_taken_up_again_by_the_next_apply(on: Live):
    bundle = on.bundle(manifest=TIMED)
    await on.apply(bundle)
    await on.cluster.suspend("myapp", TIMER, uid="", token=1)
    await on.cluster.preflight("myapp", bundle, token=1, force=False)
    await on.cluster.apply("myapp", bundle, TIMER, token=1, force=False)
    found = await on.get(TIMER)
    assert not found["spec"]["suspend"]
    assert SUSPENDED_ANNOTATION not in found["metadata"]["annotations"]


async def test_what_a_person_has_suspended_stays_so(on: Live):
    bundle = on.bundle(manifest=TIMED)
    await on.apply(bundle)
    await on.admin.merge(on.home.at(*_at(TIMER)), {"spec": {"suspend": True}}, manager="kubectl")
    await on.cluster.preflight("myapp", bundle, token=1, force=False)
    await on.cluster.apply("myapp", bundle, TIMER, token=1, force=False)
    assert (await on.get(TIMER))["spec"]["suspend"] is True


async def test_an_autoscaler_keeps_its_service_between_both_ends_and_no_apply_takes_the_count_back(on: Live):
    bundle = on.bundle(manifest=LOADED)
    await on.apply(bundle)
    assert (await on.get(WEB))["spec"]["replicas"] == 1
    async with asyncio.timeout(20):
        while (await on.get(WEB))["spec"]["replicas"] != 2:
            await on.clock.sleep(1.0)
    await on.apply(bundle, token=2)
    assert (await on.get(WEB))["spec"]["replicas"] == 2


async def test_it_is_remarked_that_nothing_measures_the_load(on: Live):
    bundle = on.bundle(manifest=LOADED)
    await on.apply(bundle)
    (said,) = await on.cluster.remarks("myapp", bundle)
    assert said == (
        "web is not scaled by its load: this cluster does not measure it (metrics.k8s.io is not served; metrics-server does"
        " that)"
    )
    assert await on.cluster.remarks("myapp", on.bundle()) == ()
    await on.cluster.delete("myapp", SCALER, uid="", token=1)
    assert await on.cluster.remarks("myapp", bundle) == ()
