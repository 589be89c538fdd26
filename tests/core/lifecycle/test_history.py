"""What was live when: told by the promotions alone, and the same as what the app says now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.lifecycle.history import FIRST_LOOK, LiveSpan, live_at, live_spans
from core.promotion import Phase, Promotion
from tests.core.world import ALICE, World, by
from tests.fakes import START, broken


def settled(number: int, release: str, phase: Phase = Phase.RUNNING, back_to: str | None = None) -> Promotion:
    at = START + timedelta(minutes=number)
    return Promotion(
        id=f"P{number}",
        app="myapp",
        release=release,
        phase=phase,
        requested_by=ALICE,
        requested_at=at,
        settled_at=at,
        back_to=back_to,
    )


def span(number: int, release: str, until: int | None = None) -> LiveSpan:
    return LiveSpan(
        release=release,
        promotion=f"P{number}",
        since=START + timedelta(minutes=number),
        until=None if until is None else START + timedelta(minutes=until),
    )


def test_each_release_is_live_until_another_becomes_it():
    assert live_spans([settled(2, "R2"), settled(1, "R1")]) == [span(1, "R1", 2), span(2, "R2")]


def test_what_is_promoted_again_or_comes_back_at_once_goes_on_being_live():
    reverted = settled(3, "R2", Phase.REVERTED, back_to="R1")
    assert live_spans([settled(1, "R1"), settled(2, "R1"), reverted]) == [span(1, "R1")]


def test_a_way_back_further_than_that_begins_a_span_of_its_own():
    reverted = settled(3, "R3", Phase.REVERTED, back_to="R1")
    assert live_spans([settled(1, "R1"), settled(2, "R2"), reverted]) == [
        span(1, "R1", 2),
        span(2, "R2", 3),
        span(3, "R1"),
    ]


def test_where_nothing_was_gone_back_to_nothing_is_live():
    removed = settled(1, "R1", Phase.REVERTED)
    assert live_spans([removed]) == []
    spans = live_spans([settled(1, "R1"), settled(2, "R2", Phase.REVERTED), settled(3, "R3")])
    assert spans == [span(1, "R1", 2), span(3, "R3")]


def test_what_ended_otherwise_changed_nothing():
    others = [settled(n, "R9", phase) for n, phase in enumerate((Phase.FAILURE, Phase.REFUSED), 2)]
    assert live_spans([settled(1, "R1"), *others]) == [span(1, "R1")]


def test_what_was_live_at_a_moment():
    spans = live_spans([settled(1, "R1"), settled(3, "R3")])
    at = [START + timedelta(minutes=minute) for minute in (0, 1, 2, 3, 99)]
    found = [live_at(spans, moment) for moment in at]
    assert [each.release if each else None for each in found] == [None, "R1", "R1", "R3", "R3"]


async def test_the_replay_of_a_history_is_what_the_app_says(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    assert (await w.promote(bad)).phase is Phase.REVERTED
    newest = await w.good()
    assert (await w.end((await w.ask(good, kind="rollback")).promotion.id)).phase is Phase.RUNNING
    spans = live_spans(await w.store.read.promotions("myapp", 99))
    assert (await w.store.read.app("myapp")).active_release == spans[-1].release
    assert [each.release for each in spans[:2]] == [good, newest]
    assert spans[-1].until is None


@pytest.mark.parametrize("again", [0, FIRST_LOOK, 3 * FIRST_LOOK])
async def test_what_was_live_at_a_moment_is_found_however_often_it_was_promoted_again(w: World, again: int):
    turns = ["first", *["then"] * (1 + again), "last"]
    ids = {name: (await w.build()).release.id for name in ("first", "then", "last")}
    async with w.store.transaction() as tx:
        for number, name in enumerate(turns):
            made = settled(number, ids[name])
            await tx.add_promotion(replace(made, id=f"P{number:010}", touched_at=made.settled_at))

    async def live(minute: float) -> LiveSpan | None:
        return await w.viewer.live_at(by(ALICE), "myapp", START + timedelta(minutes=minute))

    assert await live(-1) is None
    then = await live(1 + again / 2)
    assert then is not None
    assert (then.release, then.since) == (ids["then"], START + timedelta(minutes=1))
    assert then.until == START + timedelta(minutes=2 + again)
    last = await live(999)
    assert last is not None
    assert (last.release, last.until) == (ids["last"], None)
    listed = await w.viewer.history(by(ALICE), "myapp", 2)
    assert [p.release for p in listed.promotions] == [ids["last"], ids["then"]]
    assert [each.release for each in listed.spans][-1] == ids["last"]
