"""What a rollout leaves behind of how it went, and after which ends somebody is shown it."""

from core.promotion import Phase
from core.records.pod_sample import ServicePods
from tests.core.world import ALICE, World, by, until
from tests.fakes import broken, progressing, service


async def open_pictures(w: World) -> list[str]:
    return [due.promotion for due in await w.store.outbox.pictures.open()]


async def test_a_rollout_that_fails_leaves_its_pods_over_time_and_asks_for_a_picture(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    promotion = await w.promote(bad)
    samples = await w.store.read.samples(promotion.id)
    assert list(dict.fromkeys(sample.stage for sample in samples)) == ["forward", "back"]
    assert samples[0].services["web"].new_ready == 0
    assert samples[-1].services["web"] == ServicePods(old_ready=2, wanted=2)
    assert [each.at for each in samples] == sorted(each.at for each in samples)
    assert await open_pictures(w) == [promotion.id]


async def test_one_that_goes_well_leaves_its_pods_and_asks_for_none(w: World):
    good = await w.good()
    (done,) = await w.store.read.promotions("myapp", 1)
    assert (done.release, done.phase) == (good, Phase.RUNNING)
    assert (await w.store.read.samples(done.id))[-1].services["web"].new_ready == 2
    assert await open_pictures(w) == []


async def test_one_that_takes_far_longer_than_three_before_it_asks_for_one(w: World):
    for _ in range(3):
        await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda seconds: progressing() if seconds < 300 else service()
    promotion = await w.promote(slow)
    assert promotion.phase is Phase.RUNNING
    assert await open_pictures(w) == [promotion.id]


async def test_what_a_person_cancels_asks_for_none(w: World):
    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    asked = (await w.ask(slow)).promotion
    await until(w, asked.id, Phase.UPDATING)
    await w.decider.cancel(by(ALICE), asked.id)
    assert (await w.end(asked.id)).phase is Phase.REVERTED
    assert await open_pictures(w) == []
