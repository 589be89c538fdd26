"""Builds through the Kubernetes API: Job, Secret, log and clean-up on the simulated cluster."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from bot.clock import ScaledClock
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.cluster.writes import FieldManager
from core.building.job_spec import job_spec
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.cluster.builds.adapter import KubernetesBuilds
from core.cluster.builds.job import SERVICE_ACCOUNT
from core.cluster.builds.settings import BuildSettings
from core.redaction import Redactor
from tests.core.building.endings import ENDINGS, NO_NODE, Ending, Stage, all_end
from tests.core.building.nursery import Builds, builds
from tests.fakes import FakeCluster, JumpingClock

SETTINGS = BuildSettings(registry="registry.example", address="http://127.0.0.1:1", seconds=600)
PLACE, LEFT = "convox-builds", ("Job", "Secret", "Pod")


class Ground(NamedTuple):
    b: Builds
    cluster: SimulatedCluster

    def left(self) -> list[str]:
        return [kind for kind in LEFT if self.names(kind)]

    def names(self, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.cluster.api.all(kind, PLACE)}

    async def until(self, look: Callable[[], object], seconds: float = 300.0) -> None:
        """Wait for so many seconds of the cluster's time at the most."""
        deadline = self.b.w.clock.monotonic() + seconds
        while not look():
            assert self.b.w.clock.monotonic() < deadline, self.left()
            await self.b.w.clock.sleep(0.5)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncGenerator[Ground]:
    clock = ScaledClock(40.0)
    async with (
        SimulatedCluster(clock, accounts={PLACE: SERVICE_ACCOUNT}) as cluster,
        KubeClient(from_document(cluster.kubeconfig()), clock=clock) as client,
        builds(
            tmp_path,
            KubernetesBuilds(client, SETTINGS, rack="convox"),
            at=FakeCluster(cast("JumpingClock", clock)),
        ) as b,
    ):
        yield Ground(b, cluster)


def of(path: str) -> str:
    return f"services:\n  web: {{build: {path}, port: 3000}}\n  worker: {{build: {path}}}\n  api: {{build: api}}\n"


async def test_a_good_one_makes_a_release_of_what_was_pushed(ground: Ground):
    run = await ground.b.made(manifest=of("."))
    assert (run.status, run.cleared) == ("complete", True)
    build = await ground.b.w.store.read.build("myapp", run.id)
    assert build.images["web"].startswith(f"registry.example/myapp:web.{run.id}@sha256:")
    assert build.images["web"].partition("@")[2] == build.images["worker"].partition("@")[2]
    assert build.images["api"].partition("@")[2] != build.images["web"].partition("@")[2]
    log = await ground.b.log(run.id)
    assert [line for line in log if line.startswith("Building")] == [
        "Building web, worker (1/2)",
        "Building api (2/2)",
    ]
    assert [line for line in log if "pushing" in line] == [
        f"#9 pushing manifest for registry.example/myapp:{service}.{run.id} done"
        for service in ("web", "api")
    ]
    await ground.b.w.clock.sleep(60)
    assert ground.left() == []


@pytest.mark.parametrize(("nodes", "endings"), [(2, ENDINGS), (0, {"no node takes it": NO_NODE})])
async def test_however_a_build_ends_it_is_recorded_said_and_cleared_up(
    tmp_path: Path, nodes: int, endings: dict[str, Ending]
):
    clock, full = ScaledClock(20.0), "full-builds"
    async with (
        SimulatedCluster(
            clock, nodes=nodes, accounts={PLACE: SERVICE_ACCOUNT, full: SERVICE_ACCOUNT}
        ) as cluster,
        KubeClient(from_document(cluster.kubeconfig()), clock=clock) as client,
    ):
        quota = {"metadata": {"name": "builds"}, "spec": {"hard": {"pods": "0"}}}
        target = RequestTarget(resource=BY_KIND["ResourceQuota"], namespace=full)
        cluster.api.create(target, quota, FieldManager(manager="admin"))

        async def left() -> list[str]:
            found = [(kind, cluster.api.all(kind, place)) for kind in LEFT for place in (PLACE, full)]
            return [f"{kind}/{each['metadata']['name']}" for kind, objects in found for each in objects]

        racks = {"convox": "convox", "full": "full"}
        stage = Stage(client=client, clock=clock, racks=racks, left=left, hurry=50.0, patience=600.0)
        await all_end(stage, tmp_path, endings)


async def test_a_job_is_made_once_and_no_strangers_is_touched(ground: Ground):
    jobs, store = ground.b.jobs, ground.b.w.store
    ground.b.hold()
    run = (await ground.b.ask(manifest=of("."))).run
    assert (await jobs.look(run.id)).phase == "gone"
    assert await jobs.log(run.id, "", Redactor([])) == []
    spec = await job_spec(store.read, run)
    assert await jobs.start(spec) == await jobs.start(spec)
    assert await jobs.left(await store.read.installation()) == [run.id]
    assert await jobs.left("another") == []
    await jobs.remove(run.id)
    await jobs.remove(run.id)


async def test_a_database_of_yesterday_leaves_no_job_of_today_and_no_other_installation_loses_one(
    ground: Ground,
):
    """Whoever restores a database has Jobs in the cluster of which it knows nothing."""
    jobs, store = ground.b.jobs, ground.b.w.store
    ground.b.hold()
    kept = (await ground.b.ask(manifest=of("."))).run
    spec = await job_spec(store.read, kept)
    for build, installation in (("BTODAYAAAAA", spec.installation), ("BSTRANGERAA", "another")):
        await jobs.start(replace(spec, build=build, installation=installation))
    await jobs.start(spec)
    await ground.b.supervisor.remove_orphans()
    await ground.until(lambda: ground.names("Job") == {f"build-{kept.id.lower()}", "build-bstrangeraa"})
    await ground.until(lambda: ground.names("Secret") == ground.names("Job"))


async def test_without_its_namespace_it_is_said_what_an_administrator_applies(tmp_path: Path):
    clock = ScaledClock(40.0)
    async with (
        SimulatedCluster(clock) as cluster,
        KubeClient(from_document(cluster.kubeconfig()), clock=clock) as client,
        builds(
            tmp_path,
            KubernetesBuilds(client, SETTINGS, rack="convox"),
            at=FakeCluster(cast("JumpingClock", clock)),
        ) as b,
    ):
        run = await b.made(manifest=of("."))
        assert run.status == "failed"
        assert "nothing can be built in convox-builds" in str(run.reason)
        assert "deploy/builds.yaml" in str(run.reason)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (SETTINGS, ""),
        (
            BuildSettings(),
            "this rack builds nothing, since CONVOX_REGISTRY and CONVOX_BUILD_ADDRESS are not set",
        ),
    ],
)
def test_what_an_operator_has_not_set(settings: BuildSettings, missing: str):
    assert KubernetesBuilds(cast("KubeClient", None), settings, rack="convox").why_not() == missing
