"""Before a release counts as good or bad the API server is asked once more: what a watch has told may be old."""

from dataclasses import replace

import pytest

from core.promotion import Phase
from core.records.observation import Observation
from tests.core.world import World
from tests.fakes import FakeWatch, broken, progressing


async def test_what_broke_behind_a_silent_watch_is_no_success(w: World, monkeypatch):
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


async def test_while_the_cluster_cannot_be_asked_nothing_is_verified(w: World, monkeypatch):
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


@pytest.mark.parametrize("bad", [broken, lambda: progressing(started=1)], ids=["broken", "overdue"])
async def test_what_is_good_again_by_then_is_no_failure(w: World, monkeypatch, bad):
    """Engine rule 48: a bad verdict needs a look of its own as much as a good one."""
    release = (await w.build()).release.id
    w.cluster.behaves[release] = lambda _: bad()
    looks: list[float] = []
    seen = FakeWatch._seen

    async def fresh(watch: FakeWatch) -> Observation:
        looks.append(w.clock.monotonic())
        w.cluster.behaves.pop(release, None)
        return seen(watch)

    monkeypatch.setattr(FakeWatch, "fresh", fresh)
    promotion = await w.promote(release)
    assert (promotion.phase, str(promotion.cause)) == (Phase.RUNNING, "")
    assert len(looks) == 2


async def test_a_cluster_that_is_silent_at_the_deadline_has_not_failed_it(w: World, monkeypatch):
    """The API server stands still for longer than the deadline: a good release is neither rolled back nor on hold."""
    release = (await w.build()).release.id
    seen, heard = FakeWatch._seen, [0.0]
    frozen = (10.0, 700.0)

    def silent() -> float:
        return min(w.clock.monotonic(), frozen[1]) - heard[0]

    async def look(watch: FakeWatch, seconds: float) -> Observation:
        await w.clock.sleep(seconds)
        if not frozen[0] <= w.clock.monotonic() < frozen[1]:
            heard[0] = w.clock.monotonic()
        if silent() > 15:
            return Observation(synced=False, blind="it has told nothing", silent=silent())
        return (
            seen(watch)
            if w.clock.monotonic() >= frozen[1] + 5
            else replace(seen(watch), services=(progressing(),))
        )

    async def fresh(watch: FakeWatch) -> Observation:
        if frozen[0] <= w.clock.monotonic() < frozen[1]:
            await w.clock.sleep(5)
            return Observation(synced=False, blind="no answer within 5 s")
        return await look(watch, 0)

    monkeypatch.setattr(FakeWatch, "next", look)
    monkeypatch.setattr(FakeWatch, "fresh", fresh)
    promotion = await w.promote(release)
    assert promotion.phase is Phase.RUNNING
    assert promotion.progress.watched < 60, "silence is not watched time"
