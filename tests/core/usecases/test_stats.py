"""The numbers of an app's deliveries, of what really happened to it."""

from datetime import timedelta

import pytest

from core.errors import NotFound
from core.promotion import Phase
from tests.core.world import ALICE, World, by
from tests.fakes import broken


async def test_the_numbers_are_those_of_the_rollouts(w: World):
    await w.good()
    began = w.clock.now()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    assert (await w.promote(bad)).phase is Phase.REVERTED
    now = w.clock.now() + timedelta(seconds=1)
    all_of_them = await w.viewer.stats(by(ALICE), "myapp", began - timedelta(days=1), now)
    assert (all_of_them.deployments, all_of_them.failed, all_of_them.restored) == (2, 1, 1)
    assert all_of_them.lead_seconds is not None
    last = await w.viewer.stats(by(ALICE), "myapp", began, now)
    assert (last.deployments, last.failure_rate, last.lead_seconds) == (1, 1.0, None)
    with pytest.raises(NotFound):
        await w.viewer.stats(by(ALICE), "other", began, now)
