"""Whose a count is where an autoscaler sets it: its own, until there is none any more (engine rules 20, 57 and 58)."""

import asyncio
from dataclasses import replace

import pytest

from core import failpoints
from core.promotion import Phase
from core.records.bundle import Ref
from tests.core.world import BOB, World, manifest
from tests.fakes import broken, progressing, service

WEB, SCALER = Ref("Deployment", "web"), Ref("HorizontalPodAutoscaler", "web")


def scaled_by_load(low: int, high: int) -> str:
    return manifest().replace("scale: 2", f"scale: {low}-{high}")


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def counts(w: World) -> list[str]:
    """Return what was done to the count and to the autoscaler, and when the Deployment was applied."""
    names = ("scale", "apply Deployment", "apply Horizontal", "remove Horizontal")
    return [r.split(" R")[0] for r in w.cluster.requests if r.startswith(names)]


async def test_a_new_service_begins_with_the_least_and_its_autoscaler_comes_once_it_is_verified(w: World):
    await w.good(text=scaled_by_load(2, 5))
    assert counts(w) == ["apply Deployment/web", "scale web 2", "apply HorizontalPodAutoscaler/web"]


async def test_what_it_has_made_of_the_count_stays(w: World):
    await w.good(text=scaled_by_load(2, 5))
    w.cluster.replicas["web"] = 4
    w.cluster.requests.clear()
    await w.good(text=scaled_by_load(3, 6))
    assert counts(w) == ["apply Deployment/web", "apply HorizontalPodAutoscaler/web"]
    assert w.cluster.replicas["web"] == 4


async def test_a_fixed_count_becomes_one_by_load_without_a_dip(w: World):
    await w.good(text=manifest(4))
    w.cluster.requests.clear()
    await w.good(text=scaled_by_load(2, 5))
    assert w.cluster.replicas["web"] == 4
    assert not [r for r in counts(w) if r.startswith("scale")]


async def test_below_its_least_it_is_raised_for_one_at_0_would_never_be_scaled(w: World):
    nothing = (await w.build(text=manifest(0))).release.id
    w.cluster.behaves[nothing] = lambda _: service(started=0, desired=0)
    await w.promote(nothing)
    await w.good(text=scaled_by_load(2, 5))
    assert w.cluster.replicas["web"] == 2


async def test_a_persons_0_stays_while_the_manifest_says_what_it_said(w: World):
    await w.good(text=scaled_by_load(2, 5))
    w.cluster.replicas["web"] = 0
    again = (await w.build(text=scaled_by_load(2, 5))).release.id
    w.cluster.behaves[again] = lambda _: service(started=0, desired=0)
    await w.promote(again)
    assert w.cluster.replicas["web"] == 0


async def test_one_that_goes_is_removed_before_its_service_is_applied_and_the_count_stays(w: World):
    await w.good(text=scaled_by_load(2, 5))
    w.cluster.replicas["web"] = 5
    w.cluster.requests.clear()
    await w.good(text=manifest(3))
    assert counts(w) == ["remove HorizontalPodAutoscaler/web", "apply Deployment/web"]
    assert w.cluster.replicas["web"] == 5
    await w.good(text=manifest(4))
    assert w.cluster.replicas["web"] == 4, "from then on the manifest's count is compared as any"


async def test_the_way_back_from_one_that_was_added_removes_it_before_it_puts_the_count_back(w: World):
    good = await w.good(text=manifest(2))
    bad = (await w.build(text=scaled_by_load(2, 9))).release.id

    def behave(_: float):
        if SCALER not in w.cluster.live:
            return service()
        w.cluster.replicas["web"] = 8
        return broken()

    w.cluster.behaves[bad] = behave
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert counts(w) == [
        "apply Deployment/web",
        "apply HorizontalPodAutoscaler/web",
        "remove HorizontalPodAutoscaler/web",
        "apply Deployment/web",
        "scale web 2",
    ]
    assert SCALER not in w.cluster.live


async def test_the_way_back_to_one_that_was_removed_makes_it_again_first(w: World):
    good = await w.good(text=scaled_by_load(2, 5))
    w.cluster.replicas["web"] = 4
    bad = (await w.build(text=manifest(2))).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert counts(w) == [
        "remove HorizontalPodAutoscaler/web",
        "apply Deployment/web",
        "apply HorizontalPodAutoscaler/web",
        "apply Deployment/web",
    ]
    assert w.cluster.replicas["web"] == 4
    assert w.cluster.live[SCALER] == good


async def test_one_of_a_service_that_goes_stays_with_it_until_the_prune(w: World):
    worker = "  worker:\n    image: registry.example/worker@sha256:" + "1" * 64 + "\n    scale: 1-3\n"
    await w.good(text=manifest() + worker)
    w.cluster.requests.clear()
    await w.good()
    removed = [r for r in w.cluster.requests if r.startswith(("remove", "apply Deployment"))]
    assert removed[0].startswith("apply Deployment/web")
    assert {"remove Deployment/worker", "remove HorizontalPodAutoscaler/worker"} <= set(removed[1:])


@pytest.mark.parametrize("place", ["step.after_sent", "step.after_effect", "step.after_done"])
async def test_a_crash_around_its_removal_changes_nothing(w: World, place: str):
    await w.good(text=scaled_by_load(2, 5))
    w.cluster.replicas["web"] = 5
    release = (await w.build(text=manifest(3))).release.id
    left = [2]

    def passes(passed: str) -> None:
        left[0] -= passed == place
        if not left[0]:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(passes)
    asked = await w.ask(release)
    await w.idle()
    assert await w.supervisor.resume() == 1
    assert (await w.end(asked.promotion.id)).phase is Phase.RUNNING
    assert w.cluster.replicas["web"] == 5
    assert SCALER not in w.cluster.live
    assert not [r for r in counts(w)[3:] if r.startswith("scale")], (
        "who comes after decides as who was before"
    )


async def test_what_the_cluster_cannot_measure_is_remarked_and_fails_nothing(w: World):
    w.cluster.remarked = ("web is not scaled by its load: this cluster does not measure it",)
    release = (await w.build(text=scaled_by_load(2, 5))).release.id
    promotion = await w.promote(release)
    assert promotion.phase is Phase.RUNNING
    assert promotion.progress.remarks == w.cluster.remarked
    assert replace(promotion.progress, remarks=()) != promotion.progress


async def test_one_that_was_taken_over_goes_before_its_service_is_applied(w: World):
    await w.good(text=manifest(2))
    slow = (await w.build(text=scaled_by_load(2, 9))).release.id
    w.cluster.behaves[slow] = lambda _: service() if SCALER not in w.cluster.live else progressing(ready=1)
    first = await w.ask(slow)
    while SCALER not in w.cluster.live:
        await w.clock.sleep(0)
    w.cluster.replicas["web"] = 9
    w.cluster.requests.clear()
    second = await w.ask((await w.build(text=manifest(2))).release.id, actor=BOB, force=True)
    assert (await w.end(second.promotion.id)).phase is Phase.RUNNING
    assert (await w.store.read.promotion(first.promotion.id)).phase is Phase.SUPERSEDED
    assert [r for r in counts(w) if "apply Horizontal" not in r] == [
        "remove HorizontalPodAutoscaler/web",
        "apply Deployment/web",
        "scale web 2",
    ]
