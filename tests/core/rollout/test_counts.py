"""Replica counts through a whole life of an app: recorded, put back, and used again (engine rule 20)."""

import asyncio

import pytest

from core import failpoints
from core.errors import Rejected
from core.promotion import Phase
from core.records.bundle import Ref
from core.records.observation import Readiness
from tests.core.world import BOB, World, manifest, until
from tests.fakes import broken, progressing, service

WORKER = """\
  worker:
    image: registry.example/worker@sha256:{digest}
    scale: 1
"""


def with_worker(count: int = 2) -> str:
    return manifest(count) + WORKER.format(digest="1" * 64)


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def die_at(name: str, times: int) -> None:
    """Let the process die when it comes to a place for the n-th time."""
    left = [times]

    def passes(passed: str) -> None:
        left[0] -= passed == name
        if not left[0]:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(passes)


def scaled(w) -> list[str]:
    return [request for request in w.cluster.requests if request.startswith("scale")]


async def test_a_service_that_was_pruned_comes_back_with_the_count_of_its_manifest(w: World):
    """Engine rule 58: whoever takes a service out and puts it in again does not mean a count of long ago."""
    await w.good(text=with_worker())
    w.cluster.replicas["worker"] = 4
    await w.good()
    assert Ref("Deployment", "worker") not in w.cluster.live
    w.cluster.requests.clear()
    await w.good(text=with_worker())
    assert scaled(w) == ["scale worker 1"]


async def test_a_deployment_that_somebody_deleted_comes_back_with_its_last_count(w: World):
    await w.good()
    w.cluster.replicas["web"] = 7
    await w.good()
    del w.cluster.live[Ref("Deployment", "web")]
    w.cluster.requests.clear()
    await w.good()
    assert scaled(w) == ["scale web 7"]


async def test_a_count_of_zero_stays_zero_when_the_deployment_is_made_again(w: World):
    await w.good()
    w.cluster.replicas["web"] = 0
    await w.good()
    del w.cluster.live[Ref("Deployment", "web")]
    w.cluster.requests.clear()
    await w.good()
    assert scaled(w) == ["scale web 0"]


async def test_a_count_that_the_manifest_changed_wins_over_the_recorded_one(w: World):
    await w.good()
    del w.cluster.live[Ref("Deployment", "web")]
    w.cluster.requests.clear()
    await w.good(text=manifest(count=5))
    assert scaled(w) == ["scale web 5"]


async def test_the_way_back_makes_a_deleted_deployment_with_its_last_count(w: World):
    await w.good(text=with_worker())
    w.cluster.replicas["worker"] = 3
    good = await w.good(text=with_worker())
    del w.cluster.live[Ref("Deployment", "worker")]
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.requests.clear()
    ended = await w.promote(bad)
    assert ended.back_to == good
    assert scaled(w) == ["scale worker 3"]


async def test_a_take_over_puts_back_the_count_that_the_stopped_rollout_had_set(w: World):
    await w.good()
    big = (await w.build(text=manifest(count=5))).release.id
    w.cluster.behaves[big] = lambda _: progressing()
    first = await w.ask(big)
    await until(w, first.promotion.id, Phase.UPDATING)
    assert w.cluster.replicas["web"] == 5
    second = await w.ask((await w.build()).release.id, actor=BOB, force=True)
    await w.end(second.promotion.id)
    assert w.cluster.replicas["web"] == 2


@pytest.mark.parametrize("refused", ["apply Deployment/web", "scale"])
async def test_a_take_over_that_goes_back_at_once_puts_it_back_too(w: World, refused: str):
    await w.good()
    big = (await w.build(text=manifest(count=5))).release.id
    w.cluster.behaves[big] = lambda _: progressing()
    first = await w.ask(big)
    await until(w, first.promotion.id, Phase.UPDATING)
    second = (await w.build()).release.id

    def refuse(request: str) -> None:
        going_back = any("forced" in each for each in [request, *w.cluster.requests])
        if request.startswith(refused) and not going_back:
            raise Rejected("quota says no")

    w.cluster.refuse = refuse
    ended = await w.end((await w.ask(second, actor=BOB, force=True)).promotion.id)
    assert ended.phase is Phase.REVERTED
    assert w.cluster.replicas["web"] == 2


# Engine rule 57: the manifest's count wins as soon as it has changed, whatever there is; a person's only until then.


async def test_from_0_to_2_really_gives_2_and_they_are_judged(w: World):
    nothing = await w.build(text=manifest(count=0))
    w.cluster.behaves[nothing.release.id] = lambda _: service(started=0, desired=0)
    assert (await w.promote(nothing.release.id)).nothing_ran
    w.cluster.requests.clear()
    bad = (await w.build(text=manifest(count=2))).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    assert (await w.promote(bad)).phase is Phase.FAILURE, (
        "nothing was verified before, so there is no way back"
    )
    assert scaled(w) == ["scale web 2"]


async def test_a_count_of_zero_by_hand_does_not_keep_a_manifest_that_has_changed(w: World):
    await w.good()
    w.cluster.replicas["web"] = 0
    await w.good(text=manifest(count=3))
    assert w.cluster.replicas["web"] == 3


async def test_a_count_by_hand_stays_while_the_manifest_says_what_it_said(w: World):
    await w.good()
    w.cluster.replicas["web"] = 0
    await w.good()
    assert w.cluster.replicas["web"] == 0


@pytest.mark.parametrize(("count", "then"), [(5, []), (2, ["scale web 2"])])
async def test_a_release_that_failed_is_what_ran_last(w: World, count: int, then: list[str]):
    """It is still there, with the count that it was given: what comes next is compared with that."""
    first = (await w.build(text=manifest(count=5))).release.id
    w.cluster.behaves[first] = lambda _: broken()
    w.cluster.live[Ref("Deployment", "web")] = "something of before"
    w.cluster.uids[Ref("Deployment", "web")] = "uid-before"
    w.cluster.replicas["web"] = 2
    assert (await w.promote(first)).phase is Phase.FAILURE
    w.cluster.requests.clear()
    other = (await w.build(text=manifest(count=count))).release.id
    assert (await w.promote(other, anyway="another build")).phase is Phase.RUNNING
    assert scaled(w) == then


@pytest.mark.parametrize("place", ["step.after_done", "step.after_effect", "step.after_sent"])
async def test_a_changed_count_is_set_though_the_process_dies_just_before(w: World, place: str):
    """What ran last is compared with as it was at the baseline, not as a first try has left it."""
    await w.good()
    bigger = (await w.build(text=manifest(count=5))).release.id
    applies = 1 + len([r for r in w.cluster.requests if r.startswith("apply")])
    # What became of the applies is written together, with what comes next.
    die_at(place, times=1 if place == "step.after_done" else applies)
    asked = await w.ask(bigger)
    await w.idle()
    assert await w.supervisor.resume() == 1
    assert (await w.end(asked.promotion.id)).phase is Phase.RUNNING
    assert w.cluster.replicas["web"] == 5


# Engine rule 58: what is made anew gets the count that it had when it was seen alive for the last time.

WEB = Ref("Deployment", "web")
DELETED = service(
    readiness=Readiness.FAILED, sentence="its Deployment was deleted by somebody", started=0, seen=False
)


async def test_a_deployment_deleted_in_the_middle_comes_back_with_the_count_it_had_then(w: World):
    good = await w.good()
    deleted = (await w.build()).release.id

    def behave(passed: float):
        if passed < 5:
            w.cluster.replicas["web"] = 7
            return progressing(desired=7)
        w.cluster.live.pop(WEB, None)
        return DELETED

    w.cluster.behaves[deleted] = behave
    w.cluster.requests.clear()
    ended = await w.promote(deleted)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)
    assert scaled(w) == ["scale web 7"]


async def test_one_deleted_between_the_look_and_the_apply_gets_what_the_look_saw(w: World):
    await w.good()
    w.cluster.replicas["web"] = 6
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request.startswith("apply Service"):
            w.cluster.live.pop(WEB, None)

    w.cluster.refuse = refuse
    w.cluster.requests.clear()
    assert (await w.promote(release)).phase is Phase.RUNNING
    assert scaled(w) == ["scale web 6"]


async def test_a_crash_between_making_it_anew_and_its_count_is_mended(w: World):
    await w.good()
    w.cluster.replicas["web"] = 6
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request.startswith("apply Service"):
            w.cluster.live.pop(WEB, None)

    w.cluster.refuse = refuse
    die_at("step.after_effect", times=5)
    asked = await w.ask(release)
    await w.idle()
    assert w.cluster.replicas["web"] == 1, "made, and the process died"
    w.cluster.refuse = lambda _: None
    assert await w.supervisor.resume() == 1
    assert (await w.end(asked.promotion.id)).phase is Phase.RUNNING
    assert w.cluster.replicas["web"] == 6
