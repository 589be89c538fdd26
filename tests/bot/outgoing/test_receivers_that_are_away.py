"""Somebody who does not answer rests, and all that waits for them; nobody else waits, and what is too old is given up."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.outgoing.circuit_breaker import CircuitBreaker
from bot.outgoing.cluster_events import ClusterEventReceiver
from bot.outgoing.receiver import Postponed
from core.actor import BOT
from core.lifecycle.outgoing import SHARED_TRIES
from core.promotion import Promotion
from tests.bot.outgoing.receiving import Hook, hook, subscribe, tell, telling, told
from tests.core.world import World, world
from tests.fakes import JumpingClock

AWAY, WELL = "WAWAYYYYYYY", "WWELLLLLLLL"


@pytest.fixture
async def w(tmp_path):
    async with world(tmp_path) as made:
        yield made


async def hangs() -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


def says(status: int):
    async def answer() -> web.Response:
        return web.Response(status=status)

    return answer


def ids(of: Hook) -> list[str]:
    return [each["id"] for each in of.taken]


async def test_one_that_hangs_is_tried_once_for_all_that_waits_and_nobody_else_waits(w: World):
    async with hook() as away, hook() as well, telling(w, patience=2) as sender:
        await subscribe(w, away, AWAY)
        await subscribe(w, well, WELL)
        away.answer = hangs
        for _ in range(4):
            await w.build()
        await tell(sender)
        assert len(well.taken) == 8
        assert len(away.keys) == 1, "seven others cost nothing"
        assert (await told(w, AWAY)).answer == "no answer within 15 s"
        await w.build()
        await tell(sender)
        assert (len(well.taken), len(away.keys)) == (10, 1), "nor does what happens while it rests"
        w.clock.jump(6)
        await tell(sender)
        assert len(away.keys) == 2
        away.answer = None
        w.clock.jump(16)
        await tell(sender)
        assert ids(away) == ids(well), "all of it, in order"
        assert (await told(w, AWAY)).waiting == 0


async def test_what_waits_for_one_that_is_away_is_given_up_after_a_day_and_no_sooner(w: World, caplog):
    caplog.set_level(logging.WARNING)
    async with hook() as away, telling(w) as sender:
        await subscribe(w, away, AWAY, types=("build.ended",))
        away.answer = says(503)
        for _ in range(20):
            await w.build()
        for _ in range(23 * 4):
            await tell(sender)
            w.clock.jump(900)
        assert ((await told(w, AWAY)).waiting, (await told(w, AWAY)).dropped) == (20, 0)
        await w.build()
        for _ in range(6):
            await tell(sender)
            w.clock.jump(900)
        known = await told(w, AWAY)
        assert (known.waiting, known.dropped) == (1, 20), "the youngest has a day of its own"
        assert (await w.store.outgoing.backlog())["webhook"].dropped == {"expired": 20}
        assert len(away.keys) < 110, "at most once in a while for all of them"
        assert caplog.text.count("is not told of") <= 10
        away.answer = None
        w.clock.jump(900)
        await tell(sender)
        assert len(away.taken) - away.keys.index(away.keys[-1]) >= 1
        assert (await told(w, AWAY)).waiting == 0


async def test_old_events_are_tried_before_they_are_given_up(w: World):
    """The bot was down for days, or its clock was set: that is no fault of the receiver."""
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY, types=("build.ended",))
        await w.build()
        await w.build()
        w.clock.jump(3 * 86400)
        to.answer = says(500)
        for _ in range(SHARED_TRIES):
            await tell(sender)
            w.clock.jump(301)
        assert (await told(w, AWAY)).waiting == 2
        to.answer = None
        await tell(sender)
        assert (await told(w, AWAY)).waiting == 0


async def test_one_that_is_gone_is_asked_once_an_hour(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY, types=("build.ended",))
        to.answer = says(410)
        for _ in range(5):
            await w.build()
        await tell(sender)
        known = await told(w, AWAY)
        assert (len(to.keys), known.waiting, known.dropped) == (1, 0, 5)
        assert (await w.store.outgoing.backlog())["webhook"].dropped == {"gone": 5}
        await w.build()
        await tell(sender)
        assert len(to.keys) == 1
        to.answer = None
        w.clock.jump(3601)
        await tell(sender)
        assert (await told(w, AWAY)).delivered == 1


@pytest.mark.parametrize(("status", "looks"), [(422, 1), (500, SHARED_TRIES + 3)])
async def test_one_event_that_is_not_taken_lets_the_others_go_on(w: World, status, looks):
    """What it says of this event alone at once; what may be said of all after some tries."""
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY, types=("build.ended",))
        for _ in range(3):
            await w.build()

        async def chooses() -> web.Response:
            return web.Response(status=status if to.keys[-1] == to.keys[0] else 200)

        to.answer = chooses
        for _ in range(looks):
            await tell(sender)
            w.clock.jump(301)
        known = await told(w, AWAY)
        assert (known.waiting, known.delivered) == (1, 2)


async def test_back_after_long_it_is_told_all_at_once(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY, types=("build.ended",))
        to.answer = says(502)
        for _ in range(3):
            await w.build()
        for _ in range(3 * SHARED_TRIES):
            await tell(sender)
            w.clock.jump(301)
        to.answer = None
        await tell(sender)
        assert (await told(w, AWAY)).waiting == 0, "none of them waits for a delay of its own"


async def test_one_that_an_operator_has_tried_is_told_at_once(w: World):
    async with hook() as to, telling(w) as sender:
        made = await subscribe(w, to, AWAY, types=("build.ended",))
        to.answer = says(502)
        await w.build()
        for _ in range(SHARED_TRIES):
            await tell(sender)
            w.clock.jump(301)
        await tell(sender)
        to.answer, tries = None, len(to.keys)
        await tell(sender)
        assert len(to.keys) == tries, "it rests"
        await w.store.outgoing.recovered(made, "200")
        await tell(sender)
        assert (await told(w, AWAY)).delivered == 1


async def test_a_clock_that_was_ahead_keeps_nothing_waiting(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY, types=("build.ended",))
        to.answer = says(422)
        await w.build()
        await tell(sender)
        w.clock.jump(6)
        event = await w.store.outgoing.due(AWAY)
        assert event is not None
        await w.store.outgoing.held(event, w.clock.now() + timedelta(days=365))
        to.answer = None
        await tell(sender)
        assert (await told(w, AWAY)).waiting == 0


async def test_a_secret_is_opened_only_for_whoever_is_told_something(w: World, monkeypatch):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, AWAY)
        opened: list[bytes] = []
        events = w.store.outgoing
        real = events._vault

        class Noting:
            def unseal(self, sealed: bytes) -> Any:
                opened.append(sealed)
                return real.unseal(sealed)

        monkeypatch.setattr(events, "_vault", Noting())
        for _ in range(3):
            await tell(sender)
        await events.subscriptions()
        assert opened == []
        await w.build()
        await tell(sender)
        assert (len(to.taken), len(opened)) == (2, 1), "once for all that waits"


async def test_one_that_was_removed_meanwhile_is_told_nothing(w: World, monkeypatch):
    async with hook() as to, telling(w) as sender:
        made = await subscribe(w, to, AWAY)
        await w.build()
        owed = await w.store.outgoing.owed()
        await w.store.outgoing.remove(made, by=BOT)
        assert list(owed) == [AWAY]
        await sender._tell(AWAY)
        assert to.taken == []


async def test_a_start_that_cannot_be_told_yet_is_looked_at_ever_more_seldom(w: World):
    """A look is a write: every two seconds of five minutes were 150."""
    waiting = (await w.ask((await w.build()).release.id)).promotion
    event = await w.store.outgoing.due("kubernetes")
    assert event is not None

    class Reader:
        async def promotion(self, _: str) -> Promotion:
            return waiting

        async def bundle(self, _: str) -> None:
            return None

    clock = JumpingClock(event.at)
    receiver = ClusterEventReceiver(Reader(), w.cluster, clock)  # type: ignore[arg-type]
    looks = []
    while clock.monotonic() < 300:
        found = await receiver.deliver(await told(w, "kubernetes"), event)
        assert isinstance(found, Postponed)
        looks.append(found.seconds)
        clock.jump(found.seconds)
    assert looks == [2, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_rest_grows_with_each_failure_keeps_what_was_asked_for_and_ends_when_it_is_well():
    clock = JumpingClock()
    breaker = CircuitBreaker(clock)
    found = []
    for _ in range(6):
        breaker.failed("a")
        found.append(breaker.left("a"))
    assert found == [5, 15, 60, 300, 300, 300]
    breaker.failed("a", after=9e9)
    assert (breaker.left("a"), breaker.left("b")) == (3600, 0)
    clock.jump(3601)
    assert breaker.left("a") == 0
    assert breaker.well("a") == 7
    assert breaker.well("a") == breaker.failures("a") == 0
