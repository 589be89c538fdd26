"""A release of which nothing ran is not proved; its first pods are judged as soon as somebody starts them (engine rule 35)."""

import asyncio
import itertools

import pytest

from core.errors import Conflict, Unavailable, Unreachable
from core.promotion import Phase, Promotion
from core.records.observation import Diagnosis, DiagnosisKind, Readiness
from core.rollout.first_pods import FirstPods
from tests.core.world import World, manifest, until
from tests.fakes import broken, progressing, service

IDLE = service(started=0, desired=0, sentence="scaled to 0: nothing is running")
TWO = """\
services:
  web:
    image: registry.example/web@sha256:{digest}
    port: 3000
  worker:
    image: registry.example/worker@sha256:{digest}
""".format(digest="0" * 64)


def judge_of(w: World) -> FirstPods:
    return FirstPods(w.supervisor._ports)


async def idle(w: World) -> Promotion:
    """Return the promotion of a release of which nothing has run."""
    release = (await w.build()).release.id
    w.cluster.behaves[release] = lambda _: IDLE
    ended = await w.promote(release)
    assert (ended.phase, ended.nothing_ran) == (Phase.RUNNING, True)
    w.cluster.replicas["web"] = 0
    return ended


async def unproved(w: World) -> list[str]:
    return [each.id for each in await w.store.read.unproved()]


async def seen(w: World, promotion: Promotion) -> Promotion:
    return await w.store.read.promotion(promotion.id)


async def test_that_nothing_was_proved_is_said_in_the_lines(w: World):
    ended = await idle(w)

    said = [line for line in await w.lines(ended.id) if "nothing was proved" in line]
    assert len(said) == 1
    assert "web is scaled to 0, so no pod of" in said[0]
    assert await unproved(w) == [ended.id]


async def test_a_service_that_is_scaled_to_0_beside_others_is_named_and_the_release_verified(w: World):
    release = (await w.build(text=TWO)).release.id
    # A look asks for web, then for worker.
    asked = itertools.cycle([service, lambda: IDLE])
    w.cluster.behaves[release] = lambda _: next(asked)()
    ended = await w.promote(release)

    assert (ended.phase, ended.nothing_ran) == (Phase.RUNNING, False)
    assert any("not proved: worker is scaled to 0" in line for line in await w.lines(ended.id))
    assert (await w.store.read.release_status(release)).verified_at is not None
    assert await unproved(w) == []


async def test_promoting_what_nothing_has_proved_again_takes_no_pod_at_its_first_word(w: World):
    """Complete at the first look is enough only for what has stood its window once (engine rule 35)."""
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda passed: service() if passed < 3 else broken()
    again = await w.promote(ended.release)

    assert again.phase is Phase.FAILURE
    assert (await w.store.read.release_status(ended.release)).verified_at is None


async def test_as_long_as_nobody_starts_any_nothing_is_watched(w: World):
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda _: broken()
    await judge_of(w).judge(ended)

    assert await unproved(w) == [ended.id]
    assert (await seen(w, ended)).progress.first_pods == ""


async def test_pods_that_stand_verify_it_and_it_becomes_a_way_back(w: World):
    ended = await idle(w)
    del w.cluster.behaves[ended.release]
    w.cluster.replicas["web"] = 2
    before = w.announcer.woken
    await judge_of(w).judge(ended)

    assert (await w.store.read.release_status(ended.release)).verified_at is not None
    now = await seen(w, ended)
    assert (now.progress.proved, now.progress.services) == (True, {"web": (2, 2)})
    assert now.progress.first_pods == "its first pods have started and stood: it is verified"
    assert now.revision > ended.revision
    assert w.announcer.woken > before
    assert await unproved(w) == []
    assert await w.store.read.ways_back("myapp", 5) == [ended.release]


async def test_pods_that_fail_put_it_on_hold_and_nothing_is_undone(w: World):
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda _: broken()
    w.cluster.replicas["web"] = 2
    w.cluster.requests.clear()
    await judge_of(w).judge(ended)

    status = await w.store.read.release_status(ended.release)
    assert str(status.held) == "its first pods failed: image registry.example/web:nope does not exist"
    assert status.verified_at is None
    assert w.cluster.requests == ["look"]
    assert "nothing was undone" in (await seen(w, ended)).progress.first_pods
    assert (await w.store.read.app("myapp")).active_release == ended.release
    assert await unproved(w) == []
    with pytest.raises(Conflict, match="is on hold: its first pods failed"):
        await w.ask(ended.release)


async def test_pods_that_never_become_ready_are_not_waited_for_for_ever(w: World):
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda _: progressing()
    w.cluster.replicas["web"] = 2
    await judge_of(w).judge(ended)

    held = (await w.store.read.release_status(ended.release)).held
    assert str(held).startswith("its first pods failed: no progress for 600 s")


async def test_what_somebody_else_has_put_there_is_not_held_against_it_and_not_judged_again(w: World):
    ended = await idle(w)
    changed = "kubectl-set changed .spec.template of web while it was rolled out"
    found = Diagnosis(kind=DiagnosisKind.OVERWRITTEN, sentence=changed, fact=changed)
    w.cluster.behaves[ended.release] = lambda _: service(
        readiness=Readiness.FAILED, started=0, diagnoses=(found,)
    )
    w.cluster.replicas["web"] = 2
    await judge_of(w).judge(ended)

    assert (await w.store.read.release_status(ended.release)).held is None
    now = await seen(w, ended)
    assert now.progress.first_pods == f"its first pods could not be judged: {changed}"
    assert await judge_of(w)._unproved() == []


async def test_whoever_scales_it_down_again_leaves_it_unproved(w: World):
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda passed: progressing() if passed < 5 else IDLE
    w.cluster.replicas["web"] = 2
    await judge_of(w).judge(ended)

    assert await unproved(w) == [ended.id]


async def test_a_newer_promotion_ends_it_and_has_its_own_verdict(w: World):
    ended = await idle(w)
    w.cluster.behaves[ended.release] = lambda _: progressing()
    w.cluster.replicas["web"] = 2
    task = asyncio.create_task(judge_of(w).judge(ended))
    newer = await w.ask((await w.build()).release.id)
    await until(w, newer.promotion.id, Phase.RUNNING)
    await task

    assert (await w.store.read.release_status(ended.release)).held is None
    assert (await seen(w, ended)).progress.first_pods == ""
    assert await unproved(w) == []


async def test_a_verdict_that_comes_too_late_is_not_written(w: World, monkeypatch):
    ended = await idle(w)
    del w.cluster.behaves[ended.release]
    w.cluster.replicas["web"] = 2
    newer = (await w.build(text=manifest(1))).release.id
    judge = judge_of(w)
    write = judge._write

    async def later(*given):
        await w.promote(newer)
        await write(*given)

    monkeypatch.setattr(judge, "_write", later)
    await judge.judge(ended)

    assert (await w.store.read.release_status(ended.release)).verified_at is None


async def test_it_goes_on_looking_and_no_trouble_ends_it(w: World, monkeypatch, caplog):
    ended = await idle(w)
    w.cluster.replicas["web"] = 2
    del w.cluster.behaves[ended.release]
    judge, troubles = judge_of(w), [Unavailable("the disk is full"), RuntimeError("a defect")]
    read = type(w.store.read).unproved

    async def sometimes(reader):
        if troubles:
            raise troubles.pop()
        return await read(reader)

    monkeypatch.setattr(type(w.store.read), "unproved", sometimes)
    refusals = [RuntimeError("another defect"), Unreachable("no answer")]

    def refuse(request: str) -> None:
        if refusals:
            raise refusals.pop()

    w.cluster.refuse = refuse
    running = asyncio.create_task(judge.run())
    while (await w.store.read.release_status(ended.release)).verified_at is None:
        assert not running.done()
        await w.clock.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "releases that nothing has proved could not be looked for",
        "releases that nothing has proved are looked for later",
        f"the first pods of {ended.release} are looked for later",
        f"the first pods of {ended.release} could not be judged",
    ]
