"""Replica counts through a whole life of an app: recorded, put back, and used again (engine rule 20)."""

import pytest

from core.errors import Rejected
from core.promotion import Phase
from core.records.bundle import Ref
from tests.core.world import BOB, World, manifest, until
from tests.fakes import broken, progressing

WORKER = """\
  worker:
    image: registry.example/worker@sha256:{digest}
    scale: 1
"""


def with_worker(count: int = 2) -> str:
    return manifest(count) + WORKER.format(digest="1" * 64)


def scaled(w) -> list[str]:
    return [request for request in w.cluster.requests if request.startswith("scale")]


async def test_a_service_that_was_pruned_comes_back_with_the_count_it_had(w: World):
    await w.good(text=with_worker())
    w.cluster.replicas["worker"] = 4
    await w.good()
    assert Ref("Deployment", "worker") not in w.cluster.live
    w.cluster.requests.clear()
    await w.good(text=with_worker())
    assert scaled(w) == ["scale worker 4"]


async def test_a_count_set_while_the_last_rollout_ran_is_recorded_before_the_prune(w: World):
    await w.good(text=with_worker())
    without = await w.ask((await w.build()).release.id)
    await until(w, without.promotion.id, Phase.UPDATING)
    w.cluster.replicas["worker"] = 6
    await w.end(without.promotion.id)
    w.cluster.requests.clear()
    await w.good(text=with_worker())
    assert scaled(w) == ["scale worker 6"]


async def test_a_deployment_that_somebody_deleted_comes_back_with_its_last_count(w: World):
    await w.good()
    w.cluster.replicas["web"] = 7
    await w.good()
    del w.cluster.live[Ref("Deployment", "web")]
    w.cluster.requests.clear()
    await w.good()
    assert scaled(w) == ["scale web 7"]


async def test_a_count_of_zero_stays_zero_when_the_deployment_is_made_again(w: World):
    await w.good(text=with_worker())
    w.cluster.replicas["worker"] = 0
    await w.good()
    w.cluster.requests.clear()
    await w.good(text=with_worker())
    assert scaled(w) == ["scale worker 0"]


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
