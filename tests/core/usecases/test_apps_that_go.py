"""Locking an app, deleting it, and making it again."""

import sqlite3
from pathlib import Path

import pytest

from core.errors import Busy, Conflict, NotFound
from core.promotion import Phase
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, until
from tests.fakes import broken, progressing

APP = "myapp"


async def test_a_locked_app_is_deleted_only_once_it_is_unlocked(w: World):
    await w.registrar.lock(by(ALICE), APP, locked=True)
    await w.registrar.lock(by(ALICE), APP, locked=True)
    assert (await w.store.read.app(APP)).locked
    with pytest.raises(Conflict, match=f"^app is locked: {APP}$"):
        await w.decider.delete_app(by(ALICE), APP)
    with pytest.raises(Conflict, match=f"^app is locked: {APP}$"):
        await w.viewer.deletable(by(ALICE), APP)
    await w.good()
    await w.registrar.lock(by(ALICE), APP, locked=False)
    assert (await w.viewer.deletable(by(ALICE), APP)).name == APP
    await w.decider.delete_app(by(ALICE), APP)
    with pytest.raises(NotFound, match=f"^app not found: {APP}$"):
        await w.registrar.lock(by(ALICE), APP, locked=True)


async def test_a_deleted_app_is_in_no_list_and_what_it_ran_is_removed(w: World):
    await w.good()
    await w.decider.delete_app(by(ALICE), APP)
    await w.idle()
    assert await w.store.read.apps() == []
    assert await w.store.read.app_of_channel("C1") is None
    for look in (w.viewer.app(by(ALICE), APP), w.viewer.releases(by(ALICE), APP, 9)):
        with pytest.raises(NotFound, match=f"^app not found: {APP}$"):
            await look
    gone = {each for each in w.cluster.requests if each.startswith("remove ")}
    assert gone >= {"remove Deployment/web", "remove Service/web"}
    assert {ref.kind for ref in w.cluster.live} == {"Secret"}
    assert await w.store.read.prune_jobs(APP) == []


async def test_what_waits_is_cancelled_and_what_rolls_out_keeps_the_app(w: World):
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    with pytest.raises(Busy, match="^app is currently updating"):
        await w.decider.delete_app(by(ALICE), APP)
    await w.decider.cancel(by(ALICE), flying.id)
    await w.idle()
    await w.decider.delete_app(by(ALICE), APP)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_an_approval_of_a_deleted_app_is_waited_for_no_more(w: World):
    waiting = (await w.ask((await w.build()).release.id)).promotion
    await w.decider.delete_app(by(BOB), APP)
    ended = await w.store.read.promotion(waiting.id)
    assert (ended.phase, ended.cancelled_by) == (Phase.REFUSED, BOB)


async def test_an_app_that_is_made_again_has_its_records_and_goes_back_to_none_of_them(w: World):
    old = await w.good()
    token = (await w.store.read.app(APP)).token
    await w.registrar.set_environment(by(ALICE), APP, [("A", "1")])
    await w.decider.delete_app(by(ALICE), APP)
    await w.idle()
    await w.registrar.create_app(by(BOB, "C1"), APP)
    app = await w.store.read.app(APP)
    assert (app.active_release, app.channel, app.created_by, app.token) == (None, "C1", BOB, token)
    bad = (await w.build()).release
    assert bad.environment.get("A") == "1"
    w.cluster.behaves[bad.id] = lambda _: broken()
    failed = await w.promote(bad.id)
    assert (failed.phase, failed.back_to) == (Phase.REVERTED, None)
    assert (await w.store.read.release_status(old)).withdrawn
    with pytest.raises(Conflict, match=f"^app already exists: {APP}$"):
        await w.registrar.create_app(by(BOB), APP)


async def test_an_app_that_never_ran_leaves_nothing_to_remove(w: World, tmp_path: Path):
    await w.decider.delete_app(by(ALICE), APP)
    await w.idle()
    assert w.cluster.requests == []
    with sqlite3.connect(tmp_path / "convox.db") as connection:
        actions = [row[0] for row in connection.execute("SELECT action FROM audit ORDER BY seq")]
    connection.close()
    assert actions == ["app.create", "app.delete"]
