"""Builds on a real API server: what deploy/builds.yaml makes is accepted, and gives the bot what a build takes and no more."""

from pathlib import Path

import pytest
import yaml

from bot.clock import SystemClock
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.cluster.builds.adapter import RIGHTS, KubernetesBuilds
from core.cluster.builds.settings import BuildSettings
from core.manifest.image_builds import ImageBuild
from core.ports.builds import BuildJobSpec
from core.redaction import Redactor
from tests.controlplane.support import eventually

BUILDS = Path(__file__).parents[2] / "deploy" / "builds.yaml"
SETTINGS = BuildSettings(registry="registry.example", address="http://convox-bot.convox-system:3001")
SPEC = BuildJobSpec(
    build="BABCDEFGHIJ",
    app="myapp",
    installation="abc",
    images=(ImageBuild(services=("web",)),),
    token="0" * 64,
    secrets={"KEY": "value"},
)


@pytest.mark.controlplane
async def test_a_build_takes_the_rights_of_deploy_and_no_more(control_plane):
    await control_plane.kubectl("apply", "--validate=strict", "-f", str(BUILDS))
    try:
        listing = await control_plane.kubectl(
            "auth", "can-i", "--list", "-nconvox-builds", "--no-headers", user="convox-bot"
        )
        found = {
            line.split()[0]: frozenset(line.rpartition("[")[2].strip("] ").split())
            for line in listing.splitlines()
            if line[:1] != " "
        }
        assert {
            name.removesuffix(".batch"): found.get(name)
            for name in ("jobs.batch", "secrets", "pods", "pods/log", "events")
        } == RIGHTS
        document = yaml.safe_load(control_plane.kubeconfig("convox-bot").read_text())
        async with KubeClient(from_document(document), clock=SystemClock()) as client:
            builds = KubernetesBuilds(client, SETTINGS, rack="convox")
            job = await builds.start(SPEC)
            assert await builds.start(SPEC) == job
            # Admitted by the quota and by Pod Security: a pod of it is made.
            await eventually(lambda: client_sees_a_pod(control_plane))
            assert (await builds.look(SPEC.build)).job == job
            await builds.log(SPEC.build, "", Redactor([]))
            assert await builds.left("abc") == [SPEC.build]
            await builds.remove(SPEC.build)
            await eventually(lambda: gone(control_plane))
    finally:
        await control_plane.kubectl("delete", "namespace", "--wait=false", "convox-builds")


async def client_sees_a_pod(control_plane) -> bool:
    return "build-babcdefghij" in await control_plane.kubectl("get", "pods", "-nconvox-builds", "-oname")


async def gone(control_plane) -> bool:
    return not await control_plane.kubectl("get", "jobs,secrets", "-nconvox-builds", "-oname")
