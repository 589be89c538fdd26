"""A rollout that nobody can see: said on its card after ten minutes, asked of a person after an hour, each once (engine rule 13)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.promotion import Phase, Promotion
from core.records.progress import Progress
from core.rollout.blindness import ask, asks, with_sight
from core.sentence import CommandLine
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, until
from tests.core.world import world as world_of
from tests.storage.making import seed

NOW = datetime(2027, 1, 1, tzinfo=UTC)
WAITING = "no route to host; the clocks stand still"


def blind(minutes: float, **more: object) -> Progress:
    before = Progress(waiting=WAITING, blind_since=NOW - timedelta(minutes=minutes), **more)  # type: ignore[arg-type]
    return with_sight(before, seen=False, now=NOW)


def test_it_begins_with_the_first_look_that_does_not_see_and_ends_with_the_first_that_does():
    assert with_sight(Progress(), seen=True, now=NOW) == Progress()
    begun = with_sight(Progress(waiting=WAITING), seen=False, now=NOW)
    assert (begun.blind_since, begun.waiting) == (NOW, WAITING)
    seen = with_sight(blind(70, blind_asked=True), seen=True, now=NOW)
    assert (seen.blind_since, seen.blind_asked) == (None, False)


@pytest.mark.parametrize(("minutes", "said"), [(9.9, ""), (10, "10"), (19.9, "10"), (20, "20"), (75, "70")])
def test_from_ten_minutes_on_the_card_says_it_in_tens(minutes: float, said: str):
    words = f"not seen for {said} minutes, so nobody knows what became of it: {WAITING}" if said else WAITING
    assert blind(minutes).waiting == words


@pytest.mark.parametrize(
    ("minutes", "asked", "due"), [(59.9, False, False), (60, False, True), (90, True, False)]
)
def test_after_an_hour_a_person_is_asked_and_not_again(minutes: float, asked: bool, due: bool):
    assert asks(blind(minutes, blind_asked=asked), NOW, minutes * 60) is due


@pytest.mark.parametrize(("looked", "due"), [(0.0, False), (119.9, False), (120.0, True)])
def test_whoever_was_away_looks_for_two_minutes_before_anybody_is_called(looked: float, due: bool):
    assert asks(blind(600), NOW, looked) is due


def test_of_what_is_seen_nobody_is_asked():
    assert not asks(Progress(), NOW, 0.0)


async def notices(w: World) -> list[tuple[str, tuple[str, ...], str]]:
    due = await w.store.outbox.notices.due()
    return [(each.kind, each.whom, str(each.said)) for each in due if each.kind == "blind"]


async def said(w: World, promotion: str, words: str) -> Promotion:
    """Let others run until what is awaited says so."""
    while words not in (found := await w.store.read.promotion(promotion)).progress.waiting:
        await w.clock.sleep(0)
    return found


async def test_who_asked_and_who_approved_are_called_once_over_restarts_too(tmp_path):
    async with world_of(tmp_path, policy=ONE_APPROVAL) as w:
        asked = await w.ask((await w.build()).release.id)
        w.cluster.synced = True
        await w.decider.approve(by(BOB, "C1"), asked.promotion.id)
        await until(w, asked.promotion.id, Phase.UPDATING)
        w.cluster.synced = False
        await said(w, asked.promotion.id, "the clocks stand still")
        w.clock.jump(660)
        await said(w, asked.promotion.id, "not seen for 10 minutes")
        assert await notices(w) == []

        await w.supervisor.stop()
        w.clock.jump(3600)
        cluster = w.cluster
    async with world_of(tmp_path, policy=ONE_APPROVAL, at=cluster) as w:
        await w.supervisor.resume()
        standing = await said(w, asked.promotion.id, "not seen for 70 minutes")
        assert (standing.progress.blind_asked, await notices(w)) == (False, []), "it has not looked yet"
        w.clock.jump(120)
        while not await notices(w):
            await w.clock.sleep(0)
        assert (await w.store.read.promotion(asked.promotion.id)).progress.blind_asked
        ((kind, whom, words),) = await notices(w)
        assert (kind, whom) == ("blind", (ALICE.id, BOB.id))
        assert "was not seen for an hour" in words
        assert str(CommandLine("apps cancel myapp")) in words

        await w.supervisor.stop()
        w.clock.jump(3600)
    async with world_of(tmp_path, policy=ONE_APPROVAL, at=cluster) as w:
        await w.supervisor.resume()
        await said(w, asked.promotion.id, "not seen for 130 minutes")
        assert len(await notices(w)) == 1
        cluster.synced = True
        ended = await w.end(asked.promotion.id)
        assert (ended.phase, ended.progress.blind_since) == (Phase.RUNNING, None)


async def test_where_nobody_reads_along_in_slack_nobody_is_called(w: World):
    made = await w.ask((await w.build()).release.id)
    async with w.store.transaction() as tx:
        await ask(tx, replace(made.promotion, channel=None))
    assert await notices(w) == []


@pytest.mark.parametrize(
    ("phase", "over"), [(Phase.UPDATING, False), (Phase.ROLLBACK, False), (Phase.RUNNING, True)]
)
async def test_what_is_seen_again_and_over_by_now_calls_nobody(w: World, phase: Phase, over: bool):
    await seed(w.store, app="other", promotion="PAAAAAAAAAA", phase=phase, channel="C01")
    async with w.store.transaction() as tx:
        await tx.add_card("PAAAAAAAAAA", "C01")
        await ask(tx, await tx.promotion("PAAAAAAAAAA"))
    await w.store.outbox.card_posted("PAAAAAAAAAA", "1.0", 0)
    (due,) = await w.store.outbox.notices.due()
    assert (due.over, due.thread) == (over, "1.0")
