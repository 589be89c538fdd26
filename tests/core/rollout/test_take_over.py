"""A take-over inherits what the stopped rollout did: it is the new one's to keep or to undo (engine rule 3)."""

from dataclasses import replace

import pytest

from core.errors import Conflict, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.policy.authorization import parse_policy
from core.promotion import Phase
from core.records.bundle import Ref
from tests.core.world import ALICE, BOB, CAROL, ONE_APPROVAL, World, by, manifest, until
from tests.fakes import broken, progressing, service

WORKER = "  {name}:\n    image: registry.example/{name}@sha256:" + "1" * 64 + "\n    scale: 1\n"
TWO_APPROVALS = ONE_APPROVAL.replace("count: 1", "count: 2")


def with_services(*names: str) -> str:
    return manifest() + "".join(WORKER.format(name=name) for name in names)


async def flying(w, text: str | None = None, **more):
    """Return a promotion that is Updating and stays so."""
    made = await w.build(text=text)
    w.cluster.behaves[made.release.id] = lambda _: progressing()
    asked = await w.ask(made.release.id, **more)
    await until(w, asked.promotion.id, Phase.UPDATING)
    return asked.promotion


async def test_what_a_chain_of_take_overs_made_is_no_baseline(w: World):
    await w.good()
    await flying(w)
    await flying(w, with_services("worker"), force=True)
    third = (await w.build(text=with_services("worker"))).release.id
    w.cluster.behaves[third] = lambda _: broken()
    ended = await w.end((await w.ask(third, force=True)).promotion.id)
    assert ended.phase is Phase.REVERTED
    assert Ref("Deployment", "worker") not in w.cluster.live


async def test_going_back_removes_what_the_stopped_rollout_had_added(w: World):
    good = await w.good()
    await flying(w, with_services("worker"))
    second = (await w.build()).release.id
    w.cluster.behaves[second] = lambda _: broken()
    ended = await w.end((await w.ask(second, force=True)).promotion.id)
    assert ended.back_to == good
    assert {ref.name for ref in w.cluster.live if ref.kind == "Deployment"} == {"web"}


async def test_with_nothing_to_go_back_to_all_that_the_chain_made_is_removed(w: World):
    await flying(w, with_services("worker"))
    second = (await w.build()).release.id
    w.cluster.behaves[second] = lambda _: broken()
    ended = await w.end((await w.ask(second, force=True)).promotion.id)
    assert ended.removed
    assert w.cluster.live == {}


async def test_an_app_that_runs_something_else_is_never_removed(w: World):
    """The active release was never verified, and shares no object with the one that fails."""
    idle = (await w.build(text=manifest(count=0))).release.id
    w.cluster.behaves[idle] = lambda _: service(desired=0, started=0, ready=0, restarts={})
    assert (await w.promote(idle)).nothing_ran
    other = "services:\n" + WORKER.format(name="worker")
    bad = (await w.build(text=other)).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    ended = await w.promote(bad)
    assert ended.phase is Phase.FAILURE
    assert "there is no verified release to go back to" in str(ended.cause)
    assert (await w.store.read.app("myapp")).active_release == idle


async def test_a_take_over_of_an_untouched_one_starts_from_the_cluster_itself(w: World):
    good = await w.good()

    def refuse(request: str) -> None:
        if request == "look" and not moved:
            raise Unreachable("connection refused")

    moved: list[str] = []
    w.cluster.refuse = refuse
    first = await w.ask((await w.build()).release.id)
    for _ in range(50):
        await w.clock.sleep(0)
    second = await w.ask((await w.build()).release.id, actor=BOB, force=True)
    moved.append(second.promotion.id)
    ended = await w.end(second.promotion.id)
    assert (ended.phase, ended.baseline_of, ended.back_to) == (Phase.RUNNING, None, good)
    stopped = await w.store.read.promotion(first.promotion.id)
    assert (stopped.phase, stopped.touched_at) == (Phase.SUPERSEDED, None)


@pytest.mark.parametrize("phase", [Phase.ERROR, Phase.ROLLBACK])
async def test_a_take_over_while_it_goes_back(w: World, phase: Phase):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.behaves[good] = lambda _: progressing()

    def refuse(request: str) -> None:
        if phase is Phase.ERROR and request.endswith(f"{good} forced") and not taken:
            raise Unreachable("connection refused")

    taken: list[str] = []
    w.cluster.refuse = refuse
    first = await w.ask(bad)
    await until(w, first.promotion.id, phase)
    second = await w.ask((await w.build()).release.id, actor=BOB, force=True)
    taken.append(second.promotion.id)
    ended = await w.end(second.promotion.id)
    assert (ended.phase, ended.back_to) == (Phase.RUNNING, good)
    stopped = await w.store.read.promotion(first.promotion.id)
    assert stopped.phase is Phase.SUPERSEDED


async def test_promoting_the_way_back_itself_still_has_a_way_back(w: World):
    """Taken over by the very release that the stopped one would have gone back to."""
    older, good = await w.good(), await w.good()
    await flying(w)
    second = await w.ask(good, force=True)
    assert second.promotion.back_to == older
    await w.end(second.promotion.id)


async def test_the_last_approval_of_something_else_than_was_asked_for_stops_nobody(w: World):
    """Void at the last approval: the rollout in flight goes on, since nothing takes its place."""
    await w.good()
    running = await flying(w)
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    asked = await w.ask((await w.build()).release.id, force=True)
    async with w.store.transaction() as tx:
        await tx.save_app(replace(await tx.app("myapp"), namespace_uid="somewhere-else"))
    with pytest.raises(Conflict, match="was refused: what was approved has changed since"):
        await w.decider.approve(by(BOB), asked.promotion.id)
    refused = await w.store.read.promotion(asked.promotion.id)
    assert refused.phase is Phase.REFUSED
    assert (await w.store.read.promotion(running.id)).phase is Phase.UPDATING
    await w.decider.cancel_app(by(ALICE), "myapp")
    await w.end(running.id)


async def test_an_approver_who_lost_the_right_stops_nobody_either(w: World):
    await w.good()
    running = await flying(w)
    w.policy = parse_policy(TWO_APPROVALS, open_to_all=True)
    asked = await w.ask((await w.build()).release.id, force=True)
    await w.decider.approve(by(BOB), asked.promotion.id)
    w.directory.guests = frozenset({BOB.id})
    with pytest.raises(Conflict, match="was refused: an approval no longer counts: @u02bob"):
        await w.decider.approve(by(CAROL), asked.promotion.id)
    assert (await w.store.read.promotion(running.id)).phase is Phase.UPDATING
    await w.decider.cancel_app(by(ALICE), "myapp")
    await w.end(running.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_the_last_approval_of_a_plain_promote_is_refused_while_something_else_runs(w: World):
    asked = await w.ask((await w.build()).release.id)
    w.policy = parse_policy("apps: []\n", open_to_all=True)
    # Something that needs no approval runs meanwhile; the request was superseded by it, so ask again.
    running = await flying(w)
    async with w.store.transaction() as tx:
        waits = await tx.promotion(asked.promotion.id)
        assert waits.phase is Phase.SUPERSEDED
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    async with w.store.transaction() as tx:
        fresh = _waiting_again(waits)
        await tx.add_promotion(fresh)
    with pytest.raises(Conflict, match="was refused: app is currently updating: @u01alice promotes"):
        await w.decider.approve(by(BOB), fresh.id)
    assert str(ending(await w.store.read.promotion(fresh.id))).startswith(
        "ERROR: refused, nothing was changed: app is currently updating"
    )
    await w.decider.cancel_app(by(ALICE), "myapp")
    await w.end(running.id)


def _waiting_again(promotion):
    return replace(
        promotion,
        id="PZZZZZZZZZZ",
        phase=Phase.AWAITING_APPROVAL,
        superseded_by=None,
        taken_over_by=None,
        settled_at=None,
    )


async def test_a_take_over_waits_until_the_request_in_flight_has_returned(w: World):
    await w.good()
    running = await flying(w)
    second = await w.ask((await w.build()).release.id, force=True)
    before = len(w.cluster.requests)
    lock = w.supervisor._locks["myapp"]
    assert lock.locked(), "the stopped rollout holds the app until its request has returned"
    ended = await w.end(second.promotion.id)
    assert ended.phase is Phase.RUNNING
    assert w.cluster.requests[before] == "check anchor"
    assert running.id != ended.id


async def test_a_stopped_rollout_does_not_keep_the_new_one_with_its_clearing_up(w: World):
    """Prunes of a superseded rollout are the business of the one that took its place."""
    await w.good(text=with_services("worker"))

    def refuse(request: str) -> None:
        if request == "remove Deployment/worker":
            raise Rejected("forbidden")

    w.cluster.refuse = refuse
    await w.good()
    await flying(w)
    w.cluster.requests.clear()
    second = await w.ask((await w.build()).release.id, force=True)
    await w.end(second.promotion.id)
    looks = [i for i, r in enumerate(w.cluster.requests) if r == "look"]
    claimed = w.cluster.requests.index("claim anchor")
    assert [i for i in looks if i < claimed] == looks[:1], w.cluster.requests


async def test_asking_again_and_again_does_not_outgrow_an_anchor_that_refuses(w: World):
    """A restored database knows older numbers than the anchor; each refusal gives its number back."""
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == "check anchor":
            raise Rejected("the namespace was written to with a newer number")

    w.cluster.refuse = refuse
    tokens = {(await w.promote(release)).token for _ in range(5)}
    assert tokens == {1}
    assert (await w.store.read.app("myapp")).token == 0
