"""What a crash, a lost answer or an error nobody foresaw leaves behind, and what the next look makes of it."""

import asyncio
import logging
from dataclasses import replace

import pytest

from core import failpoints
from core.errors import Rejected, Unreachable
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.records.observation import Diagnosis, DiagnosisKind, Observation
from storage.store import SqliteTransaction
from tests.core.world import BOB, World, by, manifest, until
from tests.fakes import FakeWatch, broken, progressing, service

WORKER = "  worker:\n    image: registry.example/worker@sha256:" + "1" * 64 + "\n    scale: 1\n"


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def die_at(name: str, times: int = 1) -> None:
    left = [times]

    def passes(passed: str) -> None:
        if passed == name:
            left[0] -= 1
            if not left[0]:
                failpoints.arm(None)
                raise asyncio.CancelledError

    failpoints.arm(passes)


async def resumed(w, promotion_id: str):
    await w.idle()
    assert await w.supervisor.resume() == 1
    return await w.end(promotion_id)


@pytest.mark.parametrize("lost", ["the process", "the answer"])
async def test_a_lost_answer_never_passes_for_nothing_changed(w: World, lost: str):
    """Applied, and nobody heard of it: the second try changes nothing, and the settle window is due all the same."""
    good = await w.good()
    del w.cluster.live[Ref("Deployment", "web")]
    w.cluster.replicas["web"] = 2
    if lost == "the process":
        die_at("step.after_effect", times=_applies_before_the_deployment(w, good))
        asked = await w.ask(good)
        ended = await resumed(w, asked.promotion.id)
    else:
        real, failed = w.cluster.apply, list[Ref]()

        async def apply(app, bundle, ref, **more):
            applied = await real(app, bundle, ref, **more)
            if ref.kind == "Deployment" and not failed:
                failed.append(ref)
                raise Unreachable("the connection was cut")
            return applied

        w.cluster.apply = apply
        ended = await w.promote(good)
    assert ended.phase is Phase.RUNNING
    steps = await w.store.read.steps(ended.id)
    assert [s.changed for s in steps if s.ref == Ref("Deployment", "web") and s.action == "apply"] == [True]


def _applies_before_the_deployment(w, release: str) -> int:
    """Effects up to the Deployment's own: the anchor, then each object in the order of the bundle."""
    applied = [r for r in w.cluster.requests if r.startswith("apply")]
    return 1 + next(i for i, r in enumerate(applied, 1) if "Deployment" in r)


async def test_a_defect_is_said_on_the_card_and_tried_again_ever_more_seldom(w: World, caplog):
    good = await w.good()
    slow = (await w.build()).release.id
    pauses: list[float] = []
    real = w.clock.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real(seconds)

    def defect(_: float):
        raise KeyError("a defect")

    w.cluster.behaves[slow] = defect
    w.clock.sleep = sleep
    asked = await w.ask(slow)
    with caplog.at_level(logging.CRITICAL):
        while len([p for p in pauses if p >= 5]) < 6:
            await real(0)
    assert [p for p in pauses if p >= 5][:6] == [5, 10, 20, 40, 60, 60]
    stuck = await w.store.read.promotion(asked.promotion.id)
    assert stuck.progress.waiting.startswith("something went wrong here (E-")
    assert stuck.revision > asked.promotion.revision
    # Nobody is locked out: a person stops it, and it goes back.
    await w.decider.cancel_app(by(BOB), "myapp")
    ended = await w.end(asked.promotion.id)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)


async def test_a_defect_that_the_card_cannot_say_leaves_no_rollout_unattended(w: World, monkeypatch, caplog):
    fresh, tries = (await w.build()).release.id, []
    real = SqliteTransaction.save_progress

    async def save_progress(self, promotion_id, progress, **more):
        if progress.waiting.startswith("something went wrong here"):
            raise KeyError("a second defect")
        await real(self, promotion_id, progress, **more)

    def defect(passed: float):
        tries.append(passed)
        if len(tries) == 2:
            del w.cluster.behaves[fresh]
        raise KeyError("a defect")

    monkeypatch.setattr(SqliteTransaction, "save_progress", save_progress)
    w.cluster.behaves[fresh] = defect
    with caplog.at_level(logging.ERROR):
        ended = await w.promote(fresh)
    assert ended.phase is Phase.RUNNING
    assert f"the card of {ended.id} cannot say so" in caplog.text


async def test_a_defect_in_clearing_up_keeps_nobody_waiting(w: World, caplog):
    await w.good(text=manifest() + WORKER)

    def refuse(request: str) -> None:
        if request == "remove Deployment/worker":
            raise KeyError("a defect")

    w.cluster.refuse = refuse
    with caplog.at_level(logging.CRITICAL):
        await w.good()
        assert not w.supervisor._locks["myapp"].locked()
        await w.good()


async def test_one_object_that_may_not_be_removed_keeps_no_other(w: World):
    await w.good(text=manifest() + WORKER + WORKER.replace("worker", "another"))

    def refuse(request: str) -> None:
        if request == "remove Deployment/another":
            raise Rejected("the bot may not delete deployments")

    w.cluster.refuse = refuse
    await w.good()
    asked = (await w.store.read.promotions("myapp", 1))[0]
    left = {ref.name for ref in w.cluster.live if ref.kind == "Deployment"}
    assert left == {"web", "another"}
    assert asked.progress.clearing == (
        "not removed yet: the bot may not delete deployments; tried again after the next rollout and at a restart"
    )
    w.cluster.refuse = lambda _: None
    await w.good()
    assert {ref.name for ref in w.cluster.live if ref.kind == "Deployment"} == {"web"}
    pruned = await w.store.read.promotion(asked.id)
    assert pruned.progress.clearing == (
        "no longer part of the app, removed: Deployment/another, Deployment/worker, PodDisruptionBudget/another,"
        " PodDisruptionBudget/worker"
    )
    assert pruned.revision > asked.revision, "the card is shown anew"
    later = await w.store.read.promotion((await w.ask((await w.build()).release.id)).promotion.id)
    assert (await w.end(later.id)).progress.clearing == "", "what went long ago is not told again"


async def test_a_start_does_not_wait_for_a_cluster_that_is_away(w: World):
    await w.good(text=manifest() + WORKER)

    def refuse(request: str) -> None:
        if request == "remove Deployment/worker":
            raise Unreachable("no route to host")

    w.cluster.refuse = refuse
    await w.good()
    hanging = asyncio.Event()

    async def check_anchor(*_: object, **__: object) -> None:
        await hanging.wait()

    w.cluster.check_anchor = check_anchor
    assert await asyncio.wait_for(w.supervisor.resume(), 5) == 0
    hanging.set()
    w.cluster.refuse = lambda _: None
    await w.idle()
    assert Ref("Deployment", "worker") not in w.cluster.live


async def test_a_restored_database_prunes_nothing_in_a_namespace_that_is_newer(w: World):
    await w.good(text=manifest() + WORKER)

    def refuse(request: str) -> None:
        if request == "remove Deployment/worker":
            raise Unreachable("no route to host")

    w.cluster.refuse = refuse
    await w.good()

    async def check_anchor(*_: object, **__: object) -> None:
        raise Rejected("namespace convox-myapp was written to with a newer number (9)")

    w.cluster.check_anchor = check_anchor
    w.cluster.refuse = lambda _: None
    await w.supervisor.resume()
    await w.idle()
    assert Ref("Deployment", "worker") in w.cluster.live
    assert await w.store.read.prune_jobs("myapp")


async def test_after_a_stop_nothing_begins(w: World):
    release = (await w.build()).release.id
    await w.supervisor.stop()
    asked = await w.ask(release)
    assert not w.supervisor._tasks
    assert (await w.store.read.promotion(asked.promotion.id)).phase is Phase.PENDING


async def test_a_restart_in_the_middle_of_a_take_over_drives_the_new_one_only(w: World):
    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    first = await w.ask(slow)
    await until(w, first.promotion.id, Phase.UPDATING)
    w.supervisor.drive = lambda promotion: None
    second = await w.ask((await w.build()).release.id, force=True)
    await w.supervisor.stop()
    del w.supervisor.drive
    w.supervisor._stopping = False
    ended = await resumed(w, second.promotion.id)
    assert (ended.phase, ended.baseline_of) == (Phase.RUNNING, first.promotion.id)
    assert (await w.store.read.promotion(first.promotion.id)).phase is Phase.SUPERSEDED


async def test_restarts_that_the_settle_window_counts_from_are_saved_at_once(w: World):
    """A restart of a container must not be forgotten because the bot itself was restarted just before it."""
    made = await w.build()
    ready = service(readiness="progressing", sentence="2 of 2 new pods ready for long enough")
    w.cluster.behaves[made.release.id] = lambda passed: (
        progressing() if passed < 2 else service() if passed >= 3 else ready
    )
    asked = await w.ask(made.release.id)

    async def counted() -> Promotion | None:
        found = await w.store.read.promotion(asked.promotion.id)
        assert not found.settled
        return found if any(pod.baseline is not None for pod in found.progress.pods.values()) else None

    while not (p := await counted()):
        await w.clock.sleep(0)
    assert p.progress.watched < 5
    await w.end(asked.promotion.id)


async def test_a_log_that_cannot_be_had_keeps_no_verdict(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()

    def refuse(request: str) -> None:
        if request.startswith("evidence"):
            raise Unreachable("no route to host")

    w.cluster.refuse = refuse
    ended = await w.promote(bad)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)


@pytest.mark.parametrize("down", [10.0, 100_000.0])
async def test_the_time_while_nobody_looked_counts_for_nothing(w: World, monkeypatch, down: float):
    """Neither the deadline nor the settle window moves on while the bot is away (engine rules 11 and 13)."""
    here, halfway = [True], asyncio.Event()
    real = FakeWatch.next

    async def halting(watch: FakeWatch, seconds: float) -> Observation:
        if here[0] and watch._cluster.clock.monotonic() - watch._aimed >= 310:
            halfway.set()
            await asyncio.Event().wait()
        return await real(watch, seconds)

    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing(started=1)
    monkeypatch.setattr(FakeWatch, "next", halting)
    p = (await w.ask(slow)).promotion
    await halfway.wait()
    await w.supervisor.stop()
    here[0] = False
    before = await w.store.read.promotion(p.id)
    assert before.progress.watched >= 300
    w.clock.jump(down)
    w.supervisor._stopping = False
    began = w.clock.monotonic()
    ended = await resumed(w, p.id)
    assert str(ended.cause).startswith("no progress for 600 s")
    # What was watched before still counts, but for the few seconds that were not saved yet.
    line = next(at for _, at in await w.store.read.lines(p.id) if "Updating => Deadline" in at.text)
    waited = (line.at - w.clock.now()).total_seconds() + w.clock.monotonic() - began
    assert 0 <= waited - (600 - before.progress.watched) <= 6


def with_templates(w: World) -> None:
    """Let each apply answer with the digest of a template, as a cluster does."""
    real = w.cluster.apply

    async def apply(app, bundle, ref, **more):
        return replace(await real(app, bundle, ref, **more), template=f"template-{ref.name}")

    w.cluster.apply = apply


async def died_half_way(w: World) -> Promotion:
    """Return a promotion of which all but the last answer of an apply was stored, and whose process died then."""
    with_templates(w)
    await w.good()
    die_at("applied.before_commit")
    asked = await w.ask((await w.build(text=manifest(3))).release.id)
    await w.idle()
    applied = [s for s in await w.store.read.steps(asked.promotion.id) if s.action == "apply"]
    other = next(step for step in applied if step.ref.kind != "Deployment")
    async with w.store.transaction() as tx:
        await tx.save_step(replace(other, state="sent", template=""))
    w.cluster.requests.clear()
    return asked.promotion


async def test_what_somebody_changed_while_it_was_away_is_theirs_before_anything_more_is_sent(w: World):
    promotion = await died_half_way(w)
    sentence = "kubectl changed web while it was rolled out"
    taken = broken(diagnosis=Diagnosis(kind=DiagnosisKind.OVERWRITTEN, sentence=sentence))
    w.cluster.behaves[promotion.release] = lambda _: taken

    ended = await resumed(w, promotion.id)

    assert (ended.phase, str(ended.cause)) == (Phase.SUPERSEDED, sentence)
    assert not [r for r in w.cluster.requests if r.startswith("apply")]


async def test_a_look_that_nobody_can_take_keeps_nothing_from_going_on(w: World):
    """Whatever is sent next meets the same, and says so."""
    promotion = await died_half_way(w)
    asked: list[str] = []

    def refuse(request: str) -> None:
        if request == "watch":
            asked.append(request)
            raise Rejected("the bot may not list pods")

    w.cluster.refuse = refuse
    ended = await resumed(w, promotion.id)
    assert ended.phase is Phase.RUNNING
    assert len(asked) > 1, "one refusal alone is no answer"


async def test_a_look_that_saw_nothing_is_taken_again_before_anything_more_is_sent(w: World, monkeypatch):
    promotion = await died_half_way(w)
    taken = broken(diagnosis=Diagnosis(kind=DiagnosisKind.OVERWRITTEN, sentence="kubectl changed web"))
    w.cluster.behaves[promotion.release] = lambda _: taken
    looks, look = (
        [Observation(synced=False, blind=""), Observation(synced=False, blind="503")],
        FakeWatch.fresh,
    )

    async def fresh(watch: FakeWatch) -> Observation:
        return looks.pop() if looks else await look(watch)

    monkeypatch.setattr(FakeWatch, "fresh", fresh)
    ended = await resumed(w, promotion.id)

    assert not looks
    assert (ended.phase, str(ended.cause)) == (Phase.SUPERSEDED, "kubectl changed web")
    assert not [r for r in w.cluster.requests if r.startswith("apply")]
