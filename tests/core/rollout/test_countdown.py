"""A promotion that failed stands for as long as the policy gives people: they may stop it, put it off, or not wait for it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core import failpoints
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.lifecycle.outcome import ending
from core.policy.authorization import parse_policy
from core.promotion import Phase, PromotionEvent
from core.rollout.counting_down import turned
from tests.core.world import ALICE, BOB, World, by, until
from tests.fakes import MISSING_IMAGE, START, broken

COUNTING = 'apps:\n  - match: ["*"]\n    rollback_after: {}\n'
# Long enough that a test may look around before it is over: time jumps only where everybody waits.
LONG = COUNTING.format("1h")


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


async def failed(w: World, policy: str = LONG) -> tuple[str, str]:
    """Return the id of a promotion that counts down, and the release that it goes back to."""
    w.policy = parse_policy(policy, open_to_all=True)
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    asked = await w.ask(bad)
    await until(w, asked.promotion.id, Phase.COUNTDOWN)
    return asked.promotion.id, good


def phases(lines: list[str]) -> list[str]:
    return [line.rpartition("Status: ")[2] for line in lines if "Status" in line]


async def test_it_goes_back_by_itself_when_the_time_is_over(w: World):
    promotion, good = await failed(w, COUNTING.format("60s"))
    counting = await w.store.read.promotion(promotion)
    began = w.clock.now()
    assert str(counting.cause) == MISSING_IMAGE.sentence
    assert counting.countdown is not None
    assert counting.countdown.at - began == timedelta(seconds=60)
    ended = await w.end(promotion)
    assert str(ending(ended)) == f"ERROR: rolled back to {good}: {MISSING_IMAGE.sentence}"
    assert w.clock.now() - began >= timedelta(seconds=60)
    lines = await w.lines(promotion)
    assert phases(lines)[2:] == [
        "Updating => Countdown",
        "Countdown => Error",
        "Error => Rollback",
        "Rollback => Reverted",
    ]
    # What proves it is there from the beginning of the countdown on: going back deletes the pod.
    said = [n for n, line in enumerate(lines) if "last log lines of" in line or "=> Countdown" in line]
    assert "last log lines of" in lines[said[0]]


async def test_whoever_stops_it_takes_it_in_hand(w: World):
    promotion, good = await failed(w)
    applied = [r for r in w.cluster.requests if r.startswith("apply")]
    stopped = await w.decider.stop(by(BOB), promotion, app="myapp")
    ended = await w.end(promotion)
    assert (ended.phase, stopped.phase, ended.stopped_by) == (Phase.STOPPED, Phase.STOPPED, BOB)
    assert str(ending(ended)) == (
        f"ERROR: stopped by @u02bob, not rolled back, a person is needed: {MISSING_IMAGE.sentence}"
    )
    assert [r for r in w.cluster.requests if r.startswith("apply")] == applied
    assert (await w.store.read.app("myapp")).active_release == good
    assert (await w.store.read.release_status(ended.release)).held
    with pytest.raises(Conflict, match="^already stopped by @u02bob at "):
        await w.decider.stop(by(ALICE), promotion)
    with pytest.raises(Conflict, match=f"{promotion} ended Stopped"):
        await w.decider.cancel(by(ALICE), promotion)
    again = await w.ask(good, kind="rollback")
    assert (await w.end(again.promotion.id)).phase is Phase.RUNNING


async def test_a_cancel_does_not_wait_for_the_end_and_the_cause_stays(w: World):
    promotion, good = await failed(w)
    began = w.clock.now()
    turned_back = await w.decider.cancel(by(BOB), promotion)
    assert (turned_back.phase, turned_back.cancelled_by) == (Phase.ERROR, None)
    ended = await w.end(promotion)
    assert str(ending(ended)) == f"ERROR: rolled back to {good}: {MISSING_IMAGE.sentence}"
    assert w.clock.now() - began < timedelta(minutes=5)
    with pytest.raises(Conflict, match=f"^{promotion} is not about to go back by itself: it is Reverted"):
        await w.decider.snooze(by(BOB), promotion, 600)


async def test_snoozing_puts_the_end_off_and_not_for_ever(w: World):
    promotion, _ = await failed(w, COUNTING.format("60s"))
    before = (await w.store.read.promotion(promotion)).countdown
    put_off = await w.decider.snooze(by(BOB), promotion, 600)
    assert before is not None
    assert put_off.countdown == before.later(600)
    with pytest.raises(Invalid, match=f"^{promotion} would stand as it is for more than a day"):
        await w.decider.snooze(by(BOB), promotion, 86_400)
    began = w.clock.now()
    await w.end(promotion)
    assert w.clock.now() - began >= timedelta(seconds=600)


async def test_only_who_may_cancel_decides_and_only_about_what_counts_down(w: World):
    promotion, _ = await failed(w)
    w.policy = parse_policy(
        "roles: {looker: [view]}\nmembers:\n  - {who: [U02BOB], roles: [looker]}\n" + LONG
    )
    with pytest.raises(Forbidden, match="you may not cancel rollouts of myapp"):
        await w.decider.stop(by(BOB), promotion)
    with pytest.raises(Forbidden, match="you may not cancel rollouts of myapp"):
        await w.decider.snooze(by(BOB), promotion, 60)
    with pytest.raises(NotFound, match="is of the app myapp, not of other"):
        await w.decider.stop(by(BOB), promotion, app="other")


@pytest.mark.parametrize("place", ["verify.after_lines", "countdown.before_commit", "countdown.after_commit"])
async def test_a_restart_goes_on_counting(w: World, place: str):
    w.policy = parse_policy(COUNTING.format("300s"), open_to_all=True)
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    asked = await w.ask(bad)
    await until(w, asked.promotion.id, Phase.COUNTDOWN)
    began = (await w.store.read.promotion(asked.promotion.id)).progress.watched

    def die(passed: str) -> None:
        if passed == place:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(die)
    await w.idle()
    left = await w.store.read.promotion(asked.promotion.id)
    assert left.phase is (Phase.ERROR if place == "countdown.after_commit" else Phase.COUNTDOWN)
    assert left.countdown is not None
    assert left.countdown.until == began + 300
    # While it was down nobody could have stopped it: that does not count.
    await w.clock.sleep(3600)
    resumed = w.clock.now()
    assert await w.supervisor.resume() == 1
    if place == "verify.after_lines":
        while (seen := await w.store.read.promotion(left.id)).countdown.at < resumed:
            await w.clock.sleep(0)
        assert seen.countdown.until == left.countdown.until
    ended = await w.end(left.id)
    assert str(ending(ended)) == f"ERROR: rolled back to {good}: {MISSING_IMAGE.sentence}"


async def test_what_nobody_could_see_does_not_count(w: World):
    promotion, _ = await failed(w, COUNTING.format("60s"))
    w.cluster.synced = False
    await w.clock.sleep(600)
    while (standing := await w.store.read.promotion(promotion)).countdown.at < w.clock.now():
        await w.clock.sleep(0)
    assert standing.phase is Phase.COUNTDOWN
    w.cluster.synced = True
    seen = w.clock.now()
    await w.end(promotion)
    assert w.clock.now() - seen >= timedelta(seconds=50)


async def test_a_take_over_ends_it_and_its_release_is_on_hold(w: World):
    promotion, good = await failed(w)
    newer = (await w.build()).release.id
    asked = await w.ask(newer, force=True)
    assert (await w.end(asked.promotion.id)).phase is Phase.RUNNING
    ended = await w.store.read.promotion(promotion)
    assert ended.phase is Phase.SUPERSEDED
    assert (await w.store.read.release_status(ended.release)).held
    assert (await w.store.read.promotion(asked.promotion.id)).back_to == good


async def test_nothing_counts_down_where_nothing_goes_back_by_itself(w: World):
    w.policy = parse_policy(LONG, open_to_all=True)
    good = await w.good()
    newer = await w.good()
    copies = (await w.ask(good, kind="rollback")).promotion
    w.cluster.behaves[copies.release] = lambda _: broken()
    assert (await w.end(copies.id)).phase is Phase.FAILURE
    assert "Updating => Error" in phases(await w.lines(copies.id))
    assert newer


def test_a_promotion_turns_as_its_policy_says():
    from tests.core.test_promotion_table import promotion

    updating = promotion(Phase.UPDATING)
    counting = replace(updating, limits=replace(updating.limits, rollback_after=60.0))
    broken_, applied = PromotionEvent.BROKEN, PromotionEvent.APPLIED

    assert turned(updating, broken_, way_back=True, now=START) == (broken_, {})
    assert turned(counting, broken_, way_back=False, now=START) == (broken_, {})
    assert turned(counting, applied, way_back=True, now=START) == (applied, {})
    untouched = replace(counting, touched_at=None)
    assert turned(untouched, broken_, way_back=True, now=START) == (broken_, {})
    for event in (PromotionEvent.BROKEN, PromotionEvent.OVERDUE):
        failing, changes = turned(counting, event, way_back=True, now=START)
        assert failing is PromotionEvent.FAILING
        assert (changes["countdown"].until, changes["countdown"].at) == (760.0, START + timedelta(minutes=1))
