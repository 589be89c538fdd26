"""The card of what was live is drawn anew when something else is: it offers no way back from what runs no more."""

from core.promotion import Phase, Promotion
from tests.core.world import World
from tests.fakes import broken


async def promoted(w: World) -> Promotion:
    return await w.promote((await w.build()).release.id)


async def revision(w: World, promotion: Promotion) -> int:
    return (await w.store.read.promotion(promotion.id)).revision


async def test_the_card_of_the_release_that_was_live_is_due_once_another_is(w: World):
    first = await promoted(w)
    second = await promoted(w)

    assert await revision(w, first) == first.revision + 1
    assert await revision(w, second) == second.revision
    await promoted(w)
    assert await revision(w, first) == first.revision + 1
    assert await revision(w, second) == second.revision + 1


async def test_a_release_that_came_back_by_a_rollback_has_its_card_further_back(w: World):
    first = await promoted(w)
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    failed = await w.promote(bad)
    assert failed.phase is Phase.REVERTED
    await promoted(w)

    assert await revision(w, first) == first.revision + 1
    assert await revision(w, failed) == failed.revision


async def test_a_restart_leaves_the_card_of_its_release_as_it_is(w: World):
    first = await promoted(w)
    restarted = await w.promote(restart=())
    assert (restarted.phase, await revision(w, first)) == (Phase.RUNNING, first.revision)
    await promoted(w)

    assert await revision(w, first) == first.revision + 1
    assert await revision(w, restarted) == restarted.revision
