"""Before a release counts as good the API server is asked once more: a watch may have been silent for a minute."""

from pathlib import Path

from core.promotion import Phase
from core.records.observation import Observation
from tests.core.world import world
from tests.fakes import FakeWatch, broken


async def test_what_broke_behind_a_silent_watch_is_no_success(tmp_path: Path, monkeypatch):
    async with world(tmp_path) as w:
        good = await w.good()
        bad = (await w.build()).release.id
        seen = FakeWatch._seen

        async def fresh(watch: FakeWatch) -> Observation:
            if watch._target is not None and watch._target.release == bad:
                w.cluster.behaves[bad] = lambda _: broken()
            return seen(watch)

        monkeypatch.setattr(FakeWatch, "fresh", fresh)
        ended = await w.promote(bad)
        assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)
        assert "does not exist" in str(ended.cause)


async def test_while_the_cluster_cannot_be_asked_nothing_is_verified(tmp_path: Path, monkeypatch):
    async with world(tmp_path) as w:
        release = (await w.build()).release.id
        tries: list[float] = []
        seen = FakeWatch._seen

        async def fresh(watch: FakeWatch) -> Observation:
            tries.append(w.clock.monotonic())
            return seen(watch) if len(tries) > 5 else Observation(synced=False, blind="no route to host")

        monkeypatch.setattr(FakeWatch, "fresh", fresh)
        ended = await w.promote(release)
        assert ended.phase is Phase.RUNNING
        assert len(tries) == 6
        assert tries[-1] - tries[0] >= 5, "it waits between two tries"
