"""What goes out with a release although nobody asked for it is named, with who has made it."""

import pytest

from core.lifecycle import riding
from core.promotion import Phase
from core.sentence import Sentence
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, manifest
from tests.fakes import broken

APP = "myapp"


async def asked(w: World, release: str | None = None, **more) -> list[str]:
    """Promote, and return what is said to ride along."""
    promotion = (await w.ask(release, **more)).promotion
    await w.idle()
    stored = await w.store.read.promotion(promotion.id)
    assert stored.along == promotion.along
    return [str(each) for each in stored.along]


async def test_a_build_that_somebody_left_lying_goes_out_with_a_change_of_variables(w: World):
    await w.good()
    built = await w.registrar.register_build(by(BOB), APP, manifest=manifest(3), images={})
    await w.registrar.set_environment(by(ALICE), APP, [("A", "1")])
    assert await asked(w) == [f"also: build {built.build.id} by @u02bob, never promoted"]
    changed = await w.registrar.set_environment(by(ALICE), APP, [("A", "2")])
    assert await asked(w, changed.release.id) == [], "it has been promoted by now"


async def test_variables_that_somebody_left_lying_go_out_with_a_build(w: World):
    await w.registrar.set_environment(by(ALICE), APP, [("OLD", "1"), ("GONE", "1")])
    await w.good()
    first = await w.registrar.set_environment(by(BOB), APP, [("A", "1"), ("OLD", "2"), ("AGAIN", "1")])
    second = await w.registrar.unset_environment(by(ALICE), APP, ["GONE"])
    third = await w.registrar.set_environment(by(ALICE), APP, [("AGAIN", "2")])
    made = await w.build()
    assert await asked(w, made.release.id) == [
        f"also: env add:A change:OLD of {first.release.id} by @u02bob, never promoted",
        f"also: env remove:GONE of {second.release.id} by @u01alice, never promoted",
        f"also: env add:AGAIN of {third.release.id} by @u01alice, never promoted",
    ]


async def test_what_was_taken_back_rides_along_no_more(w: World):
    await w.good()
    await w.registrar.set_environment(by(BOB), APP, [("A", "1")])
    await w.registrar.unset_environment(by(BOB), APP, ["A"])
    assert await asked(w, (await w.build()).release.id) == []


async def test_a_build_that_another_has_replaced_rides_along_no_more(w: World):
    await w.good()
    await w.build(text=manifest(3))
    newer = await w.build(text=manifest(4))
    changed = await w.registrar.set_environment(by(ALICE), APP, [("A", "1")])
    assert await asked(w, changed.release.id) == [
        f"also: build {newer.build.id} by @u01alice, never promoted"
    ]


async def test_what_is_on_hold_or_was_verified_or_copied_is_not_named(w: World):
    good = await w.good()
    bad = (await w.registrar.set_environment(by(BOB), APP, [("A", "1")])).release
    w.cluster.behaves[bad.id] = lambda _: broken()
    assert (await w.promote(bad.id)).phase is Phase.REVERTED
    assert await asked(w, good, kind="rollback") == []
    changed = await w.registrar.set_environment(by(ALICE), APP, [("B", "1")])
    assert await asked(w, changed.release.id) == []


async def test_an_app_that_never_ran_has_nothing_that_rides_along(w: World):
    await w.registrar.set_environment(by(BOB), APP, [("A", "1")])
    made = await w.build()
    assert await asked(w, made.release.id) == []
    assert await asked(w, made.release.id) == [], "nor has one that is promoted again"


async def test_more_than_can_be_looked_at_is_said(w: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(riding, "MOST_LOOKED_AT", 2)
    await w.good()
    for value in "123":
        await w.registrar.set_environment(by(BOB), APP, [(f"K{value}", value)])
    said = await asked(w, (await w.build()).release.id)
    assert said[-1] == "also: perhaps more, since more than 2 releases were never promoted"


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_rides_along_is_what_was_so_when_it_was_asked_for(w: World):
    first = (await w.ask((await w.build()).release.id)).promotion
    await w.decider.approve(by(BOB), first.id)
    await w.idle()
    built = await w.registrar.register_build(by(BOB), APP, manifest=manifest(3), images={})
    changed = await w.registrar.set_environment(by(ALICE), APP, [("A", "1")])
    waiting = (await w.ask(changed.release.id)).promotion
    await w.registrar.set_environment(by(BOB), APP, [("B", "1")])
    stored = await w.store.read.promotion(waiting.id)
    assert stored.along == (Sentence.of(f"also: build {built.build.id} by ", BOB, ", never promoted"),)
