"""Timers in a rollout: last forward, first on the way back, and none is taken from under its work (engine rules 25 and 29)."""

import asyncio

import pytest

from core import failpoints
from core.lifecycle.outcome import ending
from core.promotion import Phase
from core.records.bundle import Ref
from tests.core.world import World, manifest
from tests.fakes import broken, service

TIMER = Ref("CronJob", "timer-nightly")
WITH = manifest() + "timers:\n  nightly: {schedule: 0 4 * * *, service: web, command: bin/clean}\n"


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def timers(w: World) -> list[str]:
    names = ("apply CronJob", "apply Deployment", "suspend", "remove CronJob")
    return [r.split(" R")[0] for r in w.cluster.requests if r.startswith(names)]


def breaks_with_the_timer(w: World):
    """Return what is good until its timer is there."""
    return lambda _: broken() if TIMER in w.cluster.live else service()


async def test_a_timer_is_applied_last_and_what_runs_beside_it_is_verified(w: World):
    promotion = await w.promote((await w.build(text=WITH)).release.id)
    assert str(ending(promotion)) == "OK"
    assert timers(w) == ["apply Deployment/web", "apply CronJob/timer-nightly"]


async def test_where_a_timer_is_the_only_thing_nothing_ran(w: World):
    release = (await w.build(text=WITH.replace("scale: 2", "scale: 0"))).release.id
    w.cluster.behaves[release] = lambda _: service(started=0, desired=0)
    promotion = await w.promote(release)
    assert str(ending(promotion)) == "OK (not verified: nothing ran)"


async def test_one_that_goes_is_suspended_and_removed_once_its_run_has_ended(w: World):
    await w.good(text=WITH)
    w.cluster.runs_on[TIMER] = 3
    w.cluster.requests.clear()
    without = await w.good()
    assert timers(w)[1:] == ["suspend CronJob/timer-nightly"] * 4 + ["remove CronJob/timer-nightly"]
    (promotion, *_) = await w.store.read.promotions("myapp", 1)
    assert promotion.release == without
    assert promotion.progress.clearing == "no longer part of the app, removed: CronJob/timer-nightly"


async def test_the_card_says_that_it_still_runs(w: World):
    await w.good(text=WITH)
    w.cluster.runs_on[TIMER] = 10**9
    release = (await w.build()).release.id
    asked = await w.ask(release)

    async def said() -> str:
        return (await w.store.read.promotion(asked.promotion.id)).progress.clearing

    while not (found := await said()):
        await w.clock.sleep(0)
    while "once" not in (found := await said()):
        await w.clock.sleep(0)
    assert found == (
        "no longer part of the app, removed once what it has started is done: CronJob/timer-nightly"
    )
    assert TIMER in w.cluster.live


async def test_a_rollout_in_between_is_let_through_and_may_have_it_again(w: World):
    await w.good(text=WITH)
    w.cluster.runs_on[TIMER] = 10**9
    first = await w.ask((await w.build()).release.id)
    while not w.cluster.suspensions:
        await w.clock.sleep(0)
    second = await w.ask((await w.build(text=WITH)).release.id)
    while not (await w.store.read.promotion(second.promotion.id)).settled:
        await w.clock.sleep(0)
    assert (await w.store.read.promotion(first.promotion.id)).phase is Phase.RUNNING
    assert (await w.store.read.promotion(second.promotion.id)).phase is Phase.RUNNING
    await w.idle()
    assert TIMER in w.cluster.live
    assert "remove CronJob/timer-nightly" not in w.cluster.requests


async def test_the_way_back_suspends_first_and_removes_after_its_end(w: World):
    good = await w.good()
    bad = (await w.build(text=WITH)).release.id
    w.cluster.behaves[bad] = breaks_with_the_timer(w)
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert timers(w) == [
        "apply Deployment/web",
        "apply CronJob/timer-nightly",
        "suspend CronJob/timer-nightly",
        "apply Deployment/web",
        "suspend CronJob/timer-nightly",
        "remove CronJob/timer-nightly",
    ]
    assert TIMER not in w.cluster.live


async def test_the_way_back_to_a_release_that_has_it_applies_it_first(w: World):
    good = await w.good(text=WITH)
    bad = (await w.build(text=WITH)).release.id
    w.cluster.behaves[bad] = lambda _: broken() if w.cluster.live[TIMER] == bad else service()
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert timers(w)[2:] == ["apply CronJob/timer-nightly", "apply Deployment/web"]
    assert w.cluster.live[TIMER] == good


@pytest.mark.parametrize("place", ["verified.after_commit", "prune.after_suspend"])
async def test_a_death_on_the_way_is_made_good(w: World, place: str):
    good = await w.good()
    bad = (await w.build(text=WITH)).release.id
    w.cluster.behaves[bad] = breaks_with_the_timer(w)

    def passes(passed: str) -> None:
        if passed == place:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(passes)
    asked = await w.ask(bad)
    await w.idle()
    await w.supervisor.resume()
    promotion = await w.end(asked.promotion.id)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert TIMER not in w.cluster.live
