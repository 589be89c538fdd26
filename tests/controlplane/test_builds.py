"""Builds on a real API server: what deploy/builds.yaml makes is accepted, and gives the bot what a build takes and no more."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from tests.controlplane.plane import ControlPlaneError
from tests.controlplane.support import eventually
from tests.core.building.endings import ENDINGS, FULL, NO_NODE, Stage, all_end

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
        # What the page gives to be copied stands beside it.
        await control_plane.kubectl("apply", "--validate=strict", "-f-", stdin=own_policy())
        here, elsewhere = await rights(control_plane, "convox-builds"), await rights(control_plane, "default")
        assert {name.removesuffix(".batch"): verbs for name, verbs in here - elsewhere} == RIGHTS
        # Whatever a Dockerfile runs may do what any other pod may, without a token even that it may not.
        builder = "--as=system:serviceaccount:convox-builds:convox-builds"
        nobody = "--as=system:serviceaccount:convox-builds:default"
        assert await rights(control_plane, "convox-builds", "admin", builder) == await rights(
            control_plane, "convox-builds", "admin", nobody
        )
        document = yaml.safe_load(control_plane.kubeconfig("convox-bot").read_text())
        async with KubeClient(from_document(document), clock=SystemClock()) as client:
            builds = KubernetesBuilds(client, SETTINGS, rack="convox")
            job = await builds.start(SPEC)
            assert await builds.start(SPEC) == job
            # Admitted by the quota and by Pod Security: a pod of it is made.
            await eventually(lambda: client_sees_a_pod(control_plane))
            assert (await builds.look(SPEC.build)).job == job
            await asyncio.gather(*(refused(control_plane, deed) for deed in DEEDS))
            await builds.log(SPEC.build, "", Redactor([]))
            assert await builds.left("abc") == [SPEC.build]
            await builds.remove(SPEC.build)
            await eventually(lambda: gone(control_plane))
            # With users of its own it is admitted as well, and the API server keeps what it asks for.
            builds = KubernetesBuilds(client, replace(SETTINGS, user_namespaces=True), rack="convox")
            await builds.start(SPEC)
            await eventually(lambda: client_sees_a_pod(control_plane))
            asked = await control_plane.kubectl(
                "-nconvox-builds", "get", "pods", "-ojsonpath={.items[*].spec.hostUsers}"
            )
            assert asked == "false"
            await builds.remove(SPEC.build)
            await eventually(lambda: gone(control_plane))
    finally:
        await control_plane.kubectl("delete", "namespace", "--wait=false", "convox-builds")


def own_policy() -> str:
    """Return the policy that docs/builds.md gives for hosts of one's own."""
    text = BUILDS.parents[1].joinpath("docs", "builds.md").read_text(encoding="utf-8")
    return text.partition("```yaml\n")[2].partition("```")[0]


# What would lead from building to everything else, or change what an administrator has set.
DEEDS = (
    "get secrets",
    "get secret build-babcdefghij",
    "delete secret build-babcdefghij",
    "patch job build-babcdefghij --type=merge -p {}",
    "delete pod build-b",
    "run strange --image=strange",
    "exec build-b -- true",
    "create configmap strange",
    "create serviceaccount strange",
    "create token convox-builds",
    "create rolebinding strange --clusterrole=admin --serviceaccount=convox-system:convox-bot",
    "patch role convox-bot-builds --type=merge -p {}",
    "delete resourcequota builds",
    "delete networkpolicy builds",
    "label namespace convox-builds a=b",
)


async def refused(control_plane, deed: str) -> None:
    with pytest.raises(ControlPlaneError) as told:
        await control_plane.kubectl("-nconvox-builds", *deed.split(), user="convox-bot")
    assert "forbidden" in str(told.value).lower(), f"{deed}: {told.value}"


async def rights(control_plane, namespace: str, user: str = "convox-bot", *words: str) -> set:
    """Return (resource, its verbs) of everything that somebody may do in a namespace."""
    listing = await control_plane.kubectl(
        "auth", "can-i", "--list", "-n", namespace, "--no-headers", *words, user=user
    )
    return {
        (line.split()[0], frozenset(line.rpartition("[")[2].strip("] ").split()))
        for line in listing.splitlines()
        if line[:1] != " "
    }


@pytest.mark.timeout(180)
async def test_however_a_build_ends_it_is_recorded_said_and_cleared_up(
    control_plane, kubelet, tmp_path: Path
):
    """Whole builds, in namespaces that deploy/builds.yaml makes for racks that have another name."""
    async with staged(control_plane, hurry=10.0) as stage:
        await all_end(stage, tmp_path, ENDINGS)


async def test_one_that_no_node_takes_says_so_while_it_waits_and_at_its_end(control_plane, tmp_path: Path):
    nodes = (await control_plane.kubectl("get", "nodes", "-oname")).split()
    if nodes:
        await control_plane.kubectl("cordon", *nodes)
    try:
        async with staged(control_plane, hurry=3.0) as stage:
            await all_end(stage, tmp_path, {"no node takes it": NO_NODE})
    finally:
        if nodes:
            await control_plane.kubectl("uncordon", *nodes)


@asynccontextmanager
async def staged(control_plane, *, hurry: float) -> AsyncGenerator[Stage]:
    """Make two racks for builds, of which one takes none; `hurry`: seconds of builds whose time is over soon."""
    racks = {name: f"{name}-{secrets.token_hex(3)}" for name in ("convox", FULL)}
    namespaces = [f"{rack}-builds" for rack in racks.values()]
    roomy = {"pods": "20", "limits.cpu": "40", "limits.memory": "80Gi"}
    documents = [*renamed(racks["convox"], roomy), *renamed(racks[FULL], {"pods": "0"})]
    await control_plane.kubectl("apply", "--validate=strict", "-f-", stdin=yaml.safe_dump_all(documents))
    try:
        document, clock = yaml.safe_load(control_plane.kubeconfig("convox-bot").read_text()), SystemClock()

        async def left() -> list[str]:
            said = [
                await control_plane.kubectl("get", "jobs,pods,secrets", "-n", namespace, "-oname")
                for namespace in namespaces
            ]
            return "".join(said).split()

        async with KubeClient(from_document(document), clock=clock) as client:
            yield Stage(client=client, clock=clock, racks=racks, left=left, hurry=hurry, patience=90.0)
    finally:
        await control_plane.kubectl("delete", "namespace", "--wait=false", *namespaces)


def renamed(rack: str, hard: dict[str, str]) -> list[dict[str, Any]]:
    """Return deploy/builds.yaml for a rack, as its head says how, with another quota."""
    found = list(yaml.safe_load_all(BUILDS.read_text()))
    for each in found:
        each["metadata"]["name" if each["kind"] == "Namespace" else "namespace"] = f"{rack}-builds"
        if each["kind"] == "ResourceQuota":
            each["spec"]["hard"] |= hard
    return found


async def client_sees_a_pod(control_plane) -> bool:
    return "build-babcdefghij" in await control_plane.kubectl("get", "pods", "-nconvox-builds", "-oname")


async def gone(control_plane) -> bool:
    return not await control_plane.kubectl("get", "jobs,secrets", "-nconvox-builds", "-oname")
