"""A restart: a promotion of the active release that replaces its pods, and goes back to those of before."""

import asyncio

import pytest

from core import failpoints
from core.errors import Busy, Forbidden, NotFound
from core.lifecycle.outcome import ending
from core.policy.authorization import parse_policy
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.rollout.supervisor import Supervisor
from core.usecases.asking import PromotionRequest
from tests.bot.api.asking import policy_of
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, manifest, until
from tests.fakes import MISSING_IMAGE, broken, progressing, service

WEB, WORKER = Ref("Deployment", "web"), Ref("Deployment", "worker")
TWO = manifest() + "  worker: {image: registry.example/worker@sha256:" + "0" * 64 + "}\n"


async def restart(w: World, *services: str) -> Promotion:
    asked = PromotionRequest(app="myapp", restart=services)
    return (await w.promoter.request(by(BOB, "C1"), asked)).promotion


async def restarted(w: World, *services: str) -> Promotion:
    return await w.end((await restart(w, *services)).id)


async def test_it_replaces_the_pods_of_the_active_release_and_is_verified_as_any_other(w: World):
    release = await w.good(text=TWO)
    ended = await restarted(w)
    assert (ended.phase, ended.release, ended.restarts) == (Phase.RUNNING, release, ("web", "worker"))
    assert str(ending(ended)) == "OK"
    assert ended.started_at is not None
    moment = ended.started_at.isoformat()
    assert w.cluster.restarted == {WEB: moment, WORKER: moment}
    assert ended.progress.watched > 10, (
        "it is watched through its window, though no apply has changed anything"
    )
    app = await w.store.read.app("myapp")
    assert app.active_release == release


async def test_one_service_may_be_restarted_alone(w: World):
    await w.good(text=TWO)
    ended = await restarted(w, "worker")
    assert (ended.phase, ended.restarts) == (Phase.RUNNING, ("worker",))
    assert w.cluster.restarted.keys() == {WORKER}


async def test_what_does_not_become_well_goes_back_to_the_pods_of_before_and_is_not_on_hold(w: World):
    release = await w.good()
    first = await restarted(w)
    assert first.started_at is not None
    w.cluster.behaves[release] = lambda passed: (
        broken() if w.cluster.restarted[WEB] != first.started_at.isoformat() else service()
    )
    ended = await restarted(w)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, release)
    assert str(ending(ended)) == f"ERROR: rolled back to {release}: {MISSING_IMAGE.sentence}"
    assert w.cluster.restarted[WEB] == first.started_at.isoformat(), "the note of before is put back"
    assert not (await w.store.read.release_status(release)).held
    assert (await w.store.read.app("myapp")).active_release == release
    following = await w.promote((await w.build(text=manifest(digit="1"))).release.id)
    assert following.back_to == release, "a later failure still goes back to it"


async def test_a_first_restart_that_fails_takes_its_note_away(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: broken() if w.cluster.restarted[WEB] else service()
    assert (await restarted(w)).phase is Phase.REVERTED
    assert w.cluster.restarted[WEB] == ""


async def test_where_the_pods_of_before_do_not_come_back_a_person_is_needed(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: broken()
    ended = await restarted(w)
    assert ended.phase is Phase.FAILURE
    assert not (await w.store.read.release_status(release)).held


async def test_a_cancelled_one_goes_back_as_well(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: progressing() if w.cluster.restarted[WEB] else service()
    flying = await restart(w)
    await until(w, flying.id, Phase.UPDATING)
    await w.decider.cancel(by(ALICE), flying.id)
    ended = await w.end(flying.id)
    assert ended.phase is Phase.REVERTED
    assert w.cluster.restarted[WEB] == ""
    assert not (await w.store.read.release_status(release)).held


async def test_a_take_over_goes_back_where_the_restart_would_have_gone(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: progressing() if w.cluster.restarted[WEB] else service()
    flying = await restart(w)
    await until(w, flying.id, Phase.UPDATING)
    bad = (await w.build(text=manifest(digit="1"))).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.behaves[release] = lambda _: service()
    ended = await w.promote(bad, force=True)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, release)
    assert (await w.store.read.promotion(flying.id)).phase is Phase.SUPERSEDED


async def test_a_restart_that_takes_its_turn_after_a_crash_notes_the_same_moment(w: World):
    await w.good()

    class DeathError(BaseException):
        pass

    passed: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        if name == "step.after_effect" and any(r.startswith("restart ") for r in w.cluster.requests):
            failpoints.arm(None)
            raise DeathError

    failpoints.arm(die)
    try:
        flying = await restart(w)
        await w.idle()
    finally:
        failpoints.arm(None)
    again = Supervisor(w.supervisor._ports)
    await again.resume()
    await asyncio.gather(*again._tasks.values())
    ended = await w.store.read.promotion(flying.id)
    assert ended.phase is Phase.RUNNING, ended.cause
    notes = {r for r in w.cluster.requests if r.startswith("restart ")}
    assert len(notes) == 1, "another moment would replace the pods twice"


async def test_before_the_first_release_there_is_nothing_to_restart(w: World):
    with pytest.raises(NotFound, match="^no release for app: myapp$") as refused:
        await restart(w)
    assert str(refused.value.hint) == "`releases promote -a myapp` rolls one out"


async def test_an_unknown_service_is_named_and_nothing_begins(w: World):
    await w.good(text=TWO)
    with pytest.raises(NotFound, match="^no such service: wbe$") as refused:
        await restart(w, "wbe")
    assert refused.value.hint == "did you mean web? myapp has web, worker"
    assert await w.store.read.in_flight("myapp") is None


async def test_while_something_rolls_out_it_is_refused_and_the_other_way_round(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: progressing() if w.cluster.restarted else service()
    flying = await restart(w)
    await until(w, flying.id, Phase.UPDATING)
    with pytest.raises(Busy, match=f"^app is currently updating: @u02bob restarts {release} since "):
        await restart(w)
    with pytest.raises(Busy, match=f"@u02bob restarts {release} since "):
        await w.ask((await w.build(text=manifest(digit="1"))).release.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_it_needs_no_approval_and_leaves_alone_what_waits_for_one(w: World):
    w.policy = parse_policy("apps: []\n", open_to_all=True)
    await w.good()
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    waiting = (await w.ask((await w.build(text=manifest(digit="1"))).release.id)).promotion
    assert waiting.phase is Phase.AWAITING_APPROVAL
    assert (await restarted(w)).phase is Phase.RUNNING
    assert (await w.store.read.promotion(waiting.id)).phase is Phase.AWAITING_APPROVAL


async def test_the_right_to_promote_is_not_the_right_to_restart(w: World):
    await w.good()
    w.policy = parse_policy(policy_of("promote", who="U02BOB"))
    with pytest.raises(Forbidden, match="^you may not scale or restart myapp"):
        await restart(w)
    w.policy = parse_policy(policy_of("scale", who="U02BOB"))
    assert (await restarted(w)).phase is Phase.RUNNING


async def test_with_no_pod_to_replace_nothing_ran(w: World):
    release = await w.good()
    w.cluster.behaves[release] = lambda _: service(started=0, desired=0)
    ended = await restarted(w)
    assert str(ending(ended)) == "OK (not verified: nothing ran)"
