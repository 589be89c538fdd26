"""The two clusters that every scenario runs on: without one face for both, each scenario would be written twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import yaml

from bot.clock import ScaledClock, SystemClock
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.kubelet.api import ApiClient, connect
from bot.playground.kubelet.simulated import SimulatedKubelet
from core.clock import Clock
from tests.controlplane.plane import ControlPlane

Document = dict[str, Any]
# Ten seconds of a scenario in one of the wall's. Faster, and a pause of a busy machine looks like a slow cluster.
SPEED = 10.0
# One node: which of two nodes has an image already would be luck.
# Nothing here provisions disks, so claims get what lies ready, as on a rack without a storage class.
DISKS = 4
NODES = 1


class Cluster(Protocol):
    """What a stage needs of a cluster.

    Attributes:
        clock: the time in which its controllers live.
        rack: of a name of its own, so that a namespace that is going from an earlier test is another one.
        admin: asks as somebody who may everything.
        patience: seconds of the wall after which a wait has failed.
    """

    clock: Clock
    rack: str
    admin: ApiClient
    patience: float

    def kubeconfig(self) -> Mapping[str, Any]:
        """Return the bot's kubeconfig."""
        ...

    async def prepare(self, app: str) -> None:
        """Do what an administrator does for an app before the bot can work with it."""
        ...

    def freeze(self) -> None:
        """Stop the controllers: writes are accepted and no status follows."""
        ...

    def thaw(self) -> None: ...

    def freeze_server(self) -> None:
        """Let the API server stand still, connections and all."""
        ...

    def thaw_server(self) -> None: ...

    async def restart_server(self) -> None:
        """Kill the API server and start it again; at first it refuses the bot what it will allow."""
        ...


class Simulated:
    """The playground's cluster, faster than the wall."""

    rack = "convox"
    patience = 30.0
    admin: ApiClient

    def __init__(self, speed: float) -> None:
        self.clock: Clock = ScaledClock(speed)
        self.cluster = SimulatedCluster(self.clock, nodes=NODES, accounts={"convox-builds": "convox-builds"})

    def kubeconfig(self) -> Mapping[str, Any]:
        return self.cluster.kubeconfig()

    async def prepare(self, app: str) -> None:
        """Nothing: here the bot may create namespaces."""

    def freeze(self) -> None:
        self.cluster.freeze_controllers()

    def thaw(self) -> None:
        self.cluster.thaw_controllers()

    def freeze_server(self) -> None:
        self.cluster.freeze_server()

    def thaw_server(self) -> None:
        self.cluster.thaw_server()

    async def restart_server(self) -> None:
        await self.cluster.restart_server(down=3.0, refusing=3.0)


class Real:
    """A real control plane with a simulated kubelet, in real time; the bot has the rights of `deploy/` only."""

    patience = 100.0
    admin: ApiClient

    def __init__(self, plane: ControlPlane, rack: str) -> None:
        self.clock: Clock = SystemClock()
        self.rack = rack
        self.plane = plane
        self.apps: list[str] = []

    def kubeconfig(self) -> Mapping[str, Any]:
        document: Document = yaml.safe_load(self.plane.kubeconfig("convox-bot").read_text())
        return document

    async def prepare(self, app: str) -> None:
        await self.plane.create_app(self.rack, app)
        self.apps.append(app)

    def freeze(self) -> None:
        self.plane.freeze_controllers()

    def thaw(self) -> None:
        self.plane.thaw_controllers()

    def freeze_server(self) -> None:
        self.plane.freeze_server()

    def thaw_server(self) -> None:
        self.plane.thaw_server()

    async def restart_server(self) -> None:
        await self.plane.restart_server()


@asynccontextmanager
async def simulated(folder: Path, speed: float) -> AsyncIterator[Simulated]:
    """Start a simulated cluster."""
    made = Simulated(speed)
    async with AsyncExitStack() as stack:
        await made.cluster.start()
        stack.push_async_callback(made.cluster.stop)
        stack.callback(made.thaw)
        stack.callback(made.thaw_server)
        path = folder / "admin.kubeconfig"
        path.write_text(yaml.safe_dump(made.cluster.kubeconfig("admin")))
        made.admin = await stack.enter_async_context(connect(path))
        yield made


@asynccontextmanager
async def real(
    plane: ControlPlane, rack: str, *, nodes: int = NODES, disks: int = DISKS
) -> AsyncIterator[Real]:
    """Register nodes and disks with the control plane, and take them and the apps' namespaces away afterwards."""
    made = Real(plane, rack)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_hang_up)
        made.admin = await stack.enter_async_context(connect(plane.kubeconfig("admin")))
        await stack.enter_async_context(SimulatedKubelet(made.admin, made.clock, nodes=nodes))
        await make_disks(made.admin, rack, disks)
        stack.push_async_callback(take_disks, made.admin, rack, disks)
        stack.callback(made.thaw)
        try:
            yield made
        finally:
            made.thaw_server()
            made.thaw()
            for app in made.apps:
                await made.admin.call("DELETE", f"/api/v1/namespaces/{made.rack}-{app}")


async def make_disks(admin: ApiClient, rack: str, disks: int) -> None:
    for number in range(disks):
        spec = {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/var/lib/{rack}/{number}"},
        }
        disk = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{rack}-{number}"},
            "spec": spec,
        }
        await admin.call("POST", "/api/v1/persistentvolumes", disk)


async def take_disks(admin: ApiClient, rack: str, disks: int) -> None:
    for number in range(disks):
        await admin.call("DELETE", f"/api/v1/persistentvolumes/{rack}-{number}")


async def _hang_up() -> None:
    """End what still says goodbye: over TLS a connection that was closed lives until its peer has answered."""
    loop: Any = asyncio.get_running_loop()
    for transport in list(loop._transports.values()):
        transport.abort()
    # The first round calls `connection_lost` of the sockets, the second what TLS has put on top of them.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
