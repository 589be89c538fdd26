"""The two kinds of cluster that the sweep runs on, as far as a test looks at them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import yaml

from bot.clock import SystemClock
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.cluster.writes import FieldManager
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_file
from core.cluster.fencing import AppNamespace
from tests.controlplane.plane import ControlPlane

Document = dict[str, Any]
# The namespace in which images are built.
BUILDS = "convox-builds"
KINDS = (
    *("StatefulSet", "DaemonSet", "Deployment", "ReplicaSet", "ControllerRevision", "Pod"),
    *("Service", "Secret", "PersistentVolumeClaim", "ConfigMap"),
    *("PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress", "CronJob", "Job"),
)


class Place(Protocol):
    """One app's namespace.

    Attributes:
        app: its name.
        kubeconfig: the bot's.
        kinds: what is looked at.
    """

    app: str
    kinds: tuple[str, ...]
    kubeconfig: Path

    async def objects(self, kind: str) -> list[Document]: ...

    async def make_stranger(self, kind: str, name: str) -> None:
        """Let somebody else make an object of that name, which does nothing."""
        ...

    def snapshot(self) -> Document | None:
        """Return the whole cluster, where it can be put back."""
        ...

    async def unrest(self) -> str:
        """Say what the controllers have still to do, or ""."""
        ...


class _Calming:
    async def objects(self, kind: str) -> list[Document]:
        raise NotImplementedError

    async def unrest(self) -> str:
        counted = [*await self.objects("Deployment"), *await self.objects("StatefulSet")]
        agents = await self.objects("DaemonSet")
        pods = await self.objects("Pod")
        going = [
            o["metadata"]["name"] for o in [*counted, *agents, *pods] if "deletionTimestamp" in o["metadata"]
        ]
        wanted = sum(d["spec"].get("replicas", 1) for d in counted)
        wanted += sum((d.get("status") or {}).get("desiredNumberScheduled", 0) for d in agents)
        if going:
            return f"{going} are going"
        return "" if len(pods) == wanted else f"{len(pods)} pods where {wanted} are wanted"


class Simulated(_Calming):
    """The simulated cluster, which is this process's own."""

    app = "myapp"
    kinds: tuple[str, ...] = (*KINDS, "HTTPRoute")

    def __init__(self, cluster: SimulatedCluster, folder: Path) -> None:
        self._cluster = cluster
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(cluster.kubeconfig()))

    async def objects(self, kind: str) -> list[Document]:
        return self._cluster.api.all(kind, f"convox-{self.app}")

    def building(self) -> list[str]:
        """Return what there is of builds."""
        found = [each for kind in ("Job", "Pod", "Secret") for each in self._cluster.api.all(kind, BUILDS)]
        return [f"{each['kind']}/{each['metadata']['name']}" for each in found]

    async def make_stranger(self, kind: str, name: str) -> None:
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/x:v1"}]}
        job = {"spec": {"template": {"spec": pod}}}
        body = {"metadata": {"name": name}, "spec": {"schedule": "0 0 1 1 *", "jobTemplate": job}}
        target = RequestTarget(resource=BY_KIND[kind], namespace=f"convox-{self.app}")
        self._cluster.api.create(target, body, FieldManager(manager="somebody"))

    def snapshot(self) -> Document:
        return self._cluster.snapshot()


class Real(_Calming):
    """A namespace of the real control plane, seen as its administrator."""

    kinds: tuple[str, ...] = KINDS

    def __init__(self, app: str, kubeconfig: Path, admin: KubeClient) -> None:
        self.app = app
        self.kubeconfig = kubeconfig
        self._admin = admin

    async def objects(self, kind: str) -> list[Document]:
        found, _ = await self._admin.list(AppNamespace("convox", self.app).at(kind))
        return found

    async def make_stranger(self, kind: str, name: str) -> None:
        raise NotImplementedError

    def snapshot(self) -> None:
        return None


@asynccontextmanager
async def real(plane: ControlPlane, namespace: str) -> AsyncIterator[Real]:
    """Look at a namespace of the control plane."""
    async with KubeClient(from_file(str(plane.kubeconfig())), clock=SystemClock()) as admin:
        yield Real(namespace.removeprefix("convox-"), plane.kubeconfig("convox-bot"), admin)
