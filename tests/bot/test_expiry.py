"""The job that ends approvals which nobody gave in time, on a database in trouble."""

import asyncio
import logging
from datetime import datetime

import pytest

from bot.background import EXPIRY_SECONDS, expire
from core.errors import Unavailable
from core.promotion import Phase
from tests.core.world import ONE_APPROVAL, World


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_database_that_cannot_be_written_for_a_while_does_not_end_the_process(w: World, caplog):
    asked = await w.ask((await w.build()).release.id)
    real, failed = w.decider.expire, list[float]()

    async def expiring(now: datetime) -> None:
        if len(failed) < 3:
            failed.append(w.clock.monotonic())
            raise Unavailable("the database cannot be used: its disk is full")
        await real(now)

    w.decider.expire = expiring
    with caplog.at_level(logging.CRITICAL):
        job = asyncio.create_task(expire(w.decider, w.clock))
        async with asyncio.timeout(20):
            while (await w.store.read.promotion(asked.promotion.id)).phase is not Phase.EXPIRED:
                assert not job.done()
                w.clock.jump(3600)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert len(failed) == 3
    assert failed[1] - failed[0] >= EXPIRY_SECONDS
