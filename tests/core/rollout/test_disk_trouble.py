"""A disk in trouble under a rollout: it stands still, says so in a sentence, and goes on; a person waits for no pause."""

import asyncio
import logging

import pytest

from core.errors import Unavailable
from core.promotion import Phase, Promotion
from core.rollout.supervisor import AFTER_A_SURPRISE
from tests.core.world import ALICE, World, by
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
