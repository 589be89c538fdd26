"""A disk in trouble under a rollout: it stands still, says so in a sentence, and goes on; a person waits for no pause."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest

from core.errors import Unavailable, Unreachable
from core.promotion import Phase, Promotion
from core.rollout.effects import FIRST_PAUSE
from core.rollout.supervisor import AFTER_A_SURPRISE
from tests.core.world import ALICE, World, by
from tests.disk import DAMAGES, damaged, read_only
from tests.fakes import progressing

PAGES = "PRAGMA max_page_count = "


async def full(w: World) -> None:
    """Let the real file not grow any more, as on a disk that is full."""
    writer = w.store._database._writer
    await writer.execute_fetchall(f"{PAGES}1")


async def free(w: World) -> None:
    await w.store._database._writer.execute_fetchall(f"{PAGES}1073741823")


async def test_a_rollout_on_a_full_disk_stands_still_with_a_sentence_and_goes_on(
    w: World, caplog: pytest.LogCaptureFixture
):
    release = (await w.build()).release.id
    drive = w.supervisor._driver.drive
    tries = []

    async def tried(promotion_id: str) -> Promotion:
        tries.append(w.clock.monotonic())
        if len(tries) == 1:
            await full(w)
            # What a rollout writes is little; this is what the next page needs.
            async with w.store._database.transaction() as connection:
                await connection.execute("CREATE TABLE large AS SELECT zeroblob(1000000) AS x")
        await free(w)
        return await drive(promotion_id)

    w.supervisor._driver.drive = tried
    with caplog.at_level(logging.WARNING):
        ended = await w.promote(release)

    assert ended.phase is Phase.RUNNING
    assert len(tries) == 2
    said = [record for record in caplog.records if record.name == "core.rollout.supervisor"]
    assert "stands still: the database cannot be used: its disk is full" in said[0].getMessage()
    assert not any(record.exc_info for record in said), "a sentence, no traceback"


async def test_a_cancel_waits_for_no_pause(w: World):
    """Only the pause itself would let it go on: here it never ends."""
    w.cluster.behaves[(release := (await w.build()).release.id)] = lambda _: progressing()
    drive, sleep = w.supervisor._driver.drive, w.clock.sleep
    broken = asyncio.Event()

    async def tried(promotion_id: str) -> Promotion:
        if not broken.is_set():
            broken.set()
            raise Unavailable("the database cannot be used: its disk is full")
        return await drive(promotion_id)

    async def standing(seconds: float) -> None:
        await (asyncio.Event().wait() if seconds == AFTER_A_SURPRISE else sleep(seconds))

    w.supervisor._driver.drive, w.clock.sleep = tried, standing
    asked = await w.ask(release)
    await asyncio.wait_for(broken.wait(), 5)
    await asyncio.sleep(0.05)
    await w.decider.cancel(by(ALICE), asked.promotion.id)
    ended = await asyncio.wait_for(w.end(asked.promotion.id), 10)
    assert ended.phase is Phase.REFUSED


@pytest.mark.parametrize("damage", [*DAMAGES, "read-only"])
async def test_nothing_starts_on_a_disk_in_trouble_and_everything_once_it_is_well(w: World, damage: str):
    """Promise 10; nobody restarts the bot."""
    release = (await w.build()).release.id
    trouble = read_only(w.store) if damage == "read-only" else damaged(w.store, damage)
    async with trouble as says:
        with pytest.raises(Unavailable, match=says):
            await w.ask(release)
        with pytest.raises(Unavailable, match=says):
            await w.build()
        await w.idle()
    assert w.cluster.requests == []
    assert await w.store.read.promotions("myapp", 9) == []
    assert (await w.promote(release)).phase is Phase.RUNNING


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_rollout_on_a_damaged_file_stands_still_with_a_sentence_and_goes_on(
    w: World, damage: str, caplog: pytest.LogCaptureFixture
):
    release = (await w.build()).release.id
    sleep, drive, entered = w.clock.sleep, w.supervisor._driver.drive, AsyncExitStack()
    says = ""

    async def tried(promotion_id: str) -> Promotion:
        nonlocal says
        says = says or await entered.enter_async_context(damaged(w.store, damage))
        return await drive(promotion_id)

    async def mended(seconds: float) -> None:
        if seconds == AFTER_A_SURPRISE:
            await entered.aclose()
        await sleep(seconds)

    w.supervisor._driver.drive, w.clock.sleep = tried, mended
    with caplog.at_level(logging.WARNING):
        ended = await w.promote(release)

    assert ended.phase is Phase.RUNNING
    said = [record for record in caplog.records if record.name == "core.rollout.supervisor"]
    assert "stands still: the database cannot be used: its file " in said[0].getMessage()
    assert not any(record.exc_info for record in said), "a sentence, no traceback"


async def test_what_cannot_be_pruned_for_the_disk_is_a_sentence_too(
    w: World, caplog: pytest.LogCaptureFixture
):
    async def run(app: str) -> None:
        await w.store.read.apps()

    w.supervisor._pruner.run = run
    async with damaged(w.store, "noise") as says:
        with caplog.at_level(logging.WARNING):
            await w.supervisor._clear_up("myapp")
    (said,) = [record for record in caplog.records if record.name == "core.rollout.supervisor"]
    assert said.getMessage().endswith(f"stays for now: the database cannot be used: its file {says}")
    assert not said.exc_info


@pytest.mark.parametrize("how", ["cancel", "take-over"])
async def test_whoever_decides_waits_for_no_pause_before_the_cluster_is_asked_again(w: World, how: str):
    """Only the pause itself would let it go on: here it never ends."""
    first, second = (await w.build()).release.id, (await w.build()).release.id
    away = asyncio.Event()

    def refuse(request: str) -> None:
        if not away.is_set() and request.startswith("apply Deployment"):
            raise Unreachable("connection refused")

    sleep, waits = w.clock.sleep, asyncio.Event()

    async def standing(seconds: float) -> None:
        if seconds == FIRST_PAUSE and not away.is_set():
            waits.set()
            await asyncio.Event().wait()
        await sleep(seconds)

    w.cluster.refuse, w.clock.sleep = refuse, standing
    asked = await w.ask(first)
    await asyncio.wait_for(waits.wait(), 10)
    away.set()
    if how == "cancel":
        await w.decider.cancel(by(ALICE), asked.promotion.id)
    else:
        await w.ask(second, force=True)
    await asyncio.wait_for(w.idle(), 10)
    ended = await w.store.read.promotion(asked.promotion.id)
    assert ended.settled
    assert ended.phase is not Phase.RUNNING
