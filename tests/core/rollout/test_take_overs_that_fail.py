"""Whoever takes over has taken on what is half rolled out: it is undone even where nothing more was done."""

from collections.abc import Sequence

import pytest

from core.errors import Conflict, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.policy.authorization import parse_policy
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.records.line import Line
from core.records.observation import Observation
from core.records.release import ReleaseStatus
from tests.core.world import ALICE, BOB, CAROL, ONE_APPROVAL, World, by, manifest, until
from tests.fakes import FakeWatch, broken, progressing

WORKER = f"  worker:\n    image: registry.example/worker@sha256:{'1' * 64}\n    scale: 1\n"
WORKER_REF = Ref("Deployment", "worker")


def said(promotion: Promotion) -> str:
    return str(ending(promotion))


async def flying(w: World, *, text: str | None = None) -> Promotion:
    """Return a promotion of a new release, in the middle of its rollout."""
    release = (await w.build(text=text)).release.id
    w.cluster.behaves[release] = lambda _: progressing()
    asked = await w.ask(release)
    await until(w, asked.promotion.id, Phase.UPDATING)
    return asked.promotion


def refusing(prefix: str, error: Exception):
    def refuse(request: str) -> None:
        if request.startswith(prefix):
            raise error

    return refuse


async def test_one_that_is_refused_goes_back_for_the_one_that_it_stopped(w: World):
    good = await w.good()
    await flying(w, text=manifest() + WORKER)
    release = (await w.build()).release.id
    w.cluster.refuse = refusing(f"preflight {release}", Rejected("another tool owns the image"))
    ended = await w.end((await w.ask(release, force=True)).promotion.id)
    assert said(ended) == f"ERROR: rolled back to {good}: another tool owns the image"
    assert w.cluster.live[Ref("Deployment", "web")] == good
    assert WORKER_REF not in w.cluster.live, "what only the stopped release had is removed"
    assert (await w.store.read.app("myapp")).active_release == good


async def test_one_that_is_cancelled_before_its_first_effect_goes_back(w: World):
    good = await w.good()
    await flying(w)
    w.cluster.refuse = refusing("look", Unreachable("timeout"))
    asked = await w.ask((await w.build()).release.id, force=True)
    while not (await w.store.read.promotion(asked.promotion.id)).progress.waiting:
        await w.clock.sleep(0)
    await w.decider.cancel_app(by(BOB), "myapp")
    w.cluster.refuse = lambda _: None
    ended = await w.end(asked.promotion.id)
    assert said(ended) == f"ERROR: cancelled by @u02bob, rolled back to {good}"
    assert w.cluster.live[Ref("Deployment", "web")] == good


async def test_without_a_cluster_it_goes_back_by_what_the_one_before_had_found(w: World):
    good = await w.good()
    first = await flying(w)
    w.cluster.refuse = refusing("look", Unreachable("timeout"))
    ended = await w.end((await w.ask((await w.build()).release.id, force=True)).promotion.id)
    assert ended.phase is Phase.REVERTED
    assert "timeout" in str(ended.cause)
    assert w.cluster.live[Ref("Deployment", "web")] == good
    found, before = await w.store.read.intent(ended.id), await w.store.read.intent(first.id)
    assert found is not None
    assert before is not None
    assert [o.existed for o in found.objects] == [o.existed for o in before.objects]


async def test_of_a_first_release_everything_is_removed(w: World):
    await flying(w)
    release = (await w.build()).release.id
    w.cluster.refuse = refusing(f"preflight {release}", Rejected("no"))
    ended = await w.end((await w.ask(release, force=True)).promotion.id)
    assert said(ended) == "ERROR: removed, there was no release to go back to: no"
    assert not w.cluster.live


async def test_a_rollback_that_stopped_something_and_is_refused_needs_a_person(w: World):
    first, second = await w.good(), await w.good()
    stopped = await flying(w)
    w.cluster.refuse = refusing("preflight", Rejected("no"))
    ended = await w.end((await w.ask(first, actor=BOB, kind="rollback")).promotion.id)
    assert said(ended) == "ERROR: rollback failed, a person is needed: no"
    read = w.store.read
    assert not (await read.release_status(second)).withdrawn, "it has written nothing"
    assert await read.release_status(stopped.release) == ReleaseStatus(release=stopped.release)


async def test_a_release_that_was_going_back_stays_on_hold_when_it_is_taken_over(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken("no such image")
    w.cluster.behaves[good] = lambda _: progressing()
    asked = await w.ask(bad)
    await until(w, asked.promotion.id, Phase.ROLLBACK)
    release = (await w.build()).release.id
    await w.ask(release, force=True)
    status = await w.store.read.release_status(bad)
    assert status.held is not None
    assert str(status.held).startswith("its rollout failed: ")


async def test_a_withdrawn_release_is_inherited_by_nobody(w: World):
    first, second = await w.good(), await w.good()
    rollback = (await w.ask(first, kind="rollback")).promotion
    w.cluster.behaves[rollback.release] = lambda _: progressing()
    await until(w, rollback.id, Phase.UPDATING)
    assert (await w.store.read.release_status(second)).withdrawn
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    ended = await w.end((await w.ask(bad, force=True)).promotion.id)
    assert said(ended).startswith(f"ERROR: rolled back to {first}: ")


async def test_a_rollback_that_stopped_something_does_not_wait_for_a_look_that_nobody_needs(w: World):
    first, _ = await w.good(), await w.good()
    await flying(w)
    w.cluster.refuse = refusing("look", Unreachable("timeout"))
    began = w.clock.monotonic()
    ended = await w.end((await w.ask(first, kind="rollback")).promotion.id)
    assert ended.phase is Phase.FAILURE
    assert w.clock.monotonic() - began < 330, (
        "once the patience of Pending, not the one of a way back besides"
    )


async def test_nothing_is_inherited_of_a_rollback_that_has_written_nothing(w: World):
    first, second = await w.good(), await w.good()
    w.cluster.refuse = refusing("look", Unreachable("timeout"))
    await w.ask(first, kind="rollback")
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    asked = await w.ask(bad, force=True)
    w.cluster.refuse = lambda _: None
    ended = await w.end(asked.promotion.id)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, second)


async def test_the_copy_of_a_rollback_that_was_stopped_in_turn_is_no_ground_for_the_next(w: World):
    good = await w.good()
    stopped = await flying(w)
    w.cluster.refuse = refusing("look", Unreachable("timeout"))
    await w.ask(good, kind="rollback")
    w.cluster.behaves.pop(stopped.release)
    again = await w.ask(stopped.release, force=True)
    w.cluster.refuse = lambda _: None
    assert (await w.end(again.promotion.id)).phase is Phase.RUNNING
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "b")])
    assert made.release.build == (await w.store.read.release("myapp", stopped.release)).build


async def test_a_rollback_that_is_refused_leaves_everything_as_it_was(w: World):
    first, second = await w.good(), await w.good()
    w.cluster.refuse = refusing("preflight", Rejected("no"))
    ended = await w.end((await w.ask(first, kind="rollback")).promotion.id)
    assert said(ended) == "ERROR: refused, nothing was changed: no"
    w.cluster.refuse = lambda _: None
    assert not (await w.store.read.release_status(second)).withdrawn
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "b")])
    assert made.release.build == (await w.store.read.release("myapp", second)).build
    assert made.skipped == "", "nobody need know of the copy"
    promoted = await w.ask()
    assert promoted.promotion.release == made.release.id


async def test_a_release_whose_build_failed_while_it_waited_needs_a_reason(w: World):
    await w.good()
    made = await w.build()
    sibling = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "b")])).release
    assert sibling.build == made.release.build
    failing = [False]
    w.cluster.behaves[made.release.id] = lambda _: broken() if failing[0] else progressing()
    running = await w.ask(made.release.id)
    await until(w, running.promotion.id, Phase.UPDATING)
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    waiting = (await w.ask(sibling.id, force=True)).promotion
    failing[0] = True
    await w.end(running.promotion.id)
    again = (await w.ask(sibling.id, anyway="the registry is back")).promotion
    assert (again.id, again.anyway) == (waiting.id, "the registry is back")
    assert (await w.decider.approve(by(CAROL), waiting.id)).promotion.phase is Phase.PENDING
    await w.end(waiting.id)


async def test_a_reason_that_comes_after_an_approval_is_too_late(w: World):
    await w.good()
    made = await w.build()
    sibling = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "b")])).release
    failing = [False]
    w.cluster.behaves[made.release.id] = lambda _: broken() if failing[0] else progressing()
    running = await w.ask(made.release.id)
    await until(w, running.promotion.id, Phase.UPDATING)
    w.policy = parse_policy(ONE_APPROVAL.replace("count: 1", "count: 2"), open_to_all=True)
    waiting = (await w.ask(sibling.id, force=True)).promotion
    await w.decider.approve(by(BOB), waiting.id)
    failing[0] = True
    await w.end(running.promotion.id)
    assert (await w.ask(sibling.id, anyway="the registry is back")).came_too_late
    with pytest.raises(Conflict, match=r"is on hold: its build .* --ask"):
        await w.decider.approve(by(CAROL), waiting.id)
    assert (await w.store.read.promotion(waiting.id)).phase is Phase.REFUSED


async def test_the_same_release_again_has_its_settle_window(w: World):
    await w.good()
    slow = await flying(w)
    w.cluster.behaves.pop(slow.release)
    asked = await w.ask(slow.release, force=True)
    began = w.clock.monotonic()
    ended = await w.end(asked.promotion.id)
    assert ended.phase is Phase.RUNNING
    assert w.clock.monotonic() - began >= 20


async def test_nothing_is_added_to_a_thread_that_has_ended(w: World, monkeypatch):
    await w.good()
    stopped = (await w.build()).release.id
    newer = (await w.build()).release.id
    real = w.cluster.apply

    async def apply(app, bundle, ref, **more):
        answer = await real(app, bundle, ref, **more)
        if bundle.release == stopped and ref.kind == "Deployment":
            await w.ask(newer, force=True)
        return answer

    def seen(_: FakeWatch) -> Observation:
        at = w.clock.now()
        return Observation(synced=True, lines=(Line(at=at, object="web", text="late", key=f"{at}"),))

    asked = await w.ask(stopped)
    w.cluster.apply = apply
    monkeypatch.setattr(FakeWatch, "_seen", seen)
    await until(w, asked.promotion.id, Phase.SUPERSEDED)
    # The new one is driven once the old one has let go of the app.
    while not await w.store.read.steps((await w.store.read.promotions("myapp", 1))[0].id):
        await w.clock.sleep(0)
    assert [line for line in await w.lines(asked.promotion.id) if line.endswith("late")] == []


async def test_the_look_before_a_start_asks_for_no_secret_of_an_old_release(w: World):
    asked: list[list[Ref]] = []
    look = w.cluster.read_baseline

    async def noting(app: str, refs: Sequence[Ref]):
        asked.append(list(refs))
        return await look(app, refs)

    w.cluster.read_baseline = noting
    for _ in range(3):
        await w.good(text=manifest() + WORKER)
    await w.good()
    secrets = [sum(ref.kind == "Secret" for ref in refs) for refs in asked]
    assert secrets == [2, 2, 2, 1, 0], "the last look is the pruning one"
    assert WORKER_REF in asked[-2], "what may have to be pruned is looked at"
