"""A real control plane to measure on, and a person with kubectl beside the bot."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.playground.kubelet.api import ApiClient, connect
from tests.bench.arena import Arena, arena
from tests.bench.machine import Stopwatch
from tests.controlplane import assets
from tests.controlplane.plane import ControlPlane, ControlPlaneError
from tests.controlplane.processes import Process

Document = dict[str, Any]
RACK, SERVICE = "convox", "web"
LOOK_SECONDS = 0.05
# What the API server adds by itself and refuses, or ignores, when it is applied.
SERVERS_OWN = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "namespace")


class LeftOut(Exception):
    """A table that this machine cannot measure, and what would mend that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealArena:
    """An arena whose cluster is a real control plane with simulated nodes."""

    arena: Arena
    plane: ControlPlane
    admin: ApiClient

    async def deployment(self, namespace: str) -> Document:
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{SERVICE}"
        return await self.admin.call("GET", path)

    async def completed(self, app: str, release: str) -> float:
        """Wait until a release's Deployment is complete; return the seconds from now."""
        stopwatch = Stopwatch()
        while True:
            found = await self.deployment(f"{RACK}-{app}")
            labels = found["spec"]["template"]["metadata"]["labels"]
            if labels.get("release") == release and complete(found):
                return stopwatch.seconds
            await asyncio.sleep(LOOK_SECONDS)


class Kubectl:
    """Somebody who does by hand what the bot does, with the same Deployment in a namespace of their own."""

    def __init__(self, plane: ControlPlane, namespace: str, document: Document) -> None:
        self._plane = plane
        self._namespace = namespace
        self._document = document

    async def prepare(self) -> None:
        """Make the namespace and let the Deployment be complete once."""
        await self._plane.kubectl("create", "namespace", self._namespace)
        account = ("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
        await self._plane.kubectl(*account, f"-n{self._namespace}")
        await self.rolled_out(self._image)

    @property
    def _image(self) -> str:
        return str(self._document["spec"]["template"]["spec"]["containers"][0]["image"])

    async def apply(self, image: str) -> None:
        """`kubectl apply` with another image."""
        self._document["spec"]["template"]["spec"]["containers"][0]["image"] = image
        await self._plane.kubectl("apply", f"-n{self._namespace}", "-f-", stdin=json.dumps(self._document))

    async def rolled_out(self, image: str) -> float:
        """`kubectl apply && kubectl rollout status`; return the seconds of both."""
        stopwatch = Stopwatch()
        await self.apply(image)
        complaint = await self.status(300)
        assert not complaint, complaint
        return stopwatch.seconds

    async def status(self, within: int) -> str:
        """`kubectl rollout status`; return what it complains about after so many seconds, or "" where all is well."""
        words = ("rollout", "status", f"deployment/{SERVICE}", f"-n{self._namespace}", f"--timeout={within}s")
        try:
            await self._plane.kubectl(*words)
        except ControlPlaneError as error:
            pods = await self._plane.kubectl("get", "pods,replicasets", f"-n{self._namespace}", "-owide")
            return f"{error}\n{pods}"
        return ""

    async def undone(self) -> float:
        """`kubectl rollout undo && kubectl rollout status`; return the seconds of both."""
        stopwatch = Stopwatch()
        await self._plane.kubectl("rollout", "undo", f"deployment/{SERVICE}", f"-n{self._namespace}")
        complaint = await self.status(300)
        assert not complaint, complaint
        return stopwatch.seconds


def complete(deployment: Document) -> bool:
    """Judge a Deployment as `kubectl rollout status` does (kubectl's DeploymentStatusViewer)."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    updated = status.get("updatedReplicas", 0)
    return (
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        and updated >= wanted
        and status.get("replicas", 0) <= updated
        and status.get("availableReplicas", 0) >= updated
    )


def by_hand(deployment: Document) -> Document:
    """Return a live Deployment as a person would have it in a file."""
    metadata = {key: value for key, value in deployment["metadata"].items() if key not in SERVERS_OWN}
    metadata.pop("annotations", None)
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        # The bot keeps variables in a Secret of the release; a person would have none for this.
        container.pop("envFrom", None)
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment["spec"]}


@asynccontextmanager
async def real_arena(*, policy: str, nodes: int = 3) -> AsyncIterator[RealArena]:
    """Open an arena on a real control plane.

    Raises:
        LeftOut: it was never obtained.
    """
    binaries = assets.find()
    if binaries is None:
        raise LeftOut("it needs a real control plane and its kubectl: `make cluster` obtains both")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plane-")))
        plane = await stack.enter_async_context(ControlPlane(binaries, folder))
        await plane.install()
        kubeconfig = plane.kubeconfig("admin")
        command = [sys.executable, "-m", "tests.bench.kubelet", str(kubeconfig), str(nodes)]
        stack.callback(Process(command, folder / "kubelet.log").kill)
        admin = await stack.enter_async_context(connect(kubeconfig))
        made = await stack.enter_async_context(
            arena(policy=policy, kubeconfig_file=plane.kubeconfig("convox-bot"))
        )
        yield RealArena(arena=made, plane=plane, admin=admin)
