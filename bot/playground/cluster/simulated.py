"""A Kubernetes cluster in one process: API server, controllers, scheduler and kubelets on one clock."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Self

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.authorization import Authorizer, Identity
from bot.playground.cluster.controllers.addresses import (
    AddressController,
    balancer_status,
    ingress_status,
    route_status,
)
from bot.playground.cluster.controllers.autoscaler import HorizontalPodAutoscalerController
from bot.playground.cluster.controllers.claims import ClaimBinder
from bot.playground.cluster.controllers.controller import Controller
from bot.playground.cluster.controllers.cronjob import CronJobController
from bot.playground.cluster.controllers.daemonset import DaemonSetController
from bot.playground.cluster.controllers.deployment import DeploymentController
from bot.playground.cluster.controllers.garbage import GarbageCollector
from bot.playground.cluster.controllers.job import JobController
from bot.playground.cluster.controllers.kubelet import Kubelets
from bot.playground.cluster.controllers.replicaset import ReplicaSetController
from bot.playground.cluster.controllers.scheduler import Scheduler
from bot.playground.cluster.controllers.statefulset import StatefulSetController
from bot.playground.cluster.faults import Faults
from bot.playground.cluster.logs import ContainerLogs
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.server import ApiServer
from bot.playground.cluster.storage import Storage
from bot.playground.cluster.timestamps import whole_seconds
from core.clock import Clock

Document = dict[str, Any]
log = logging.getLogger(__name__)
NONE: Mapping[str, str] = MappingProxyType({})
NAMESPACES = ("default", "kube-system", "kube-node-lease")
ALLOCATABLE = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "50Gi"}


def _tell(task: asyncio.Task[None]) -> None:
    """Say at once that a controller failed; `stop` raises it later."""
    failure = None if task.cancelled() else task.exception()
    if failure is not None:
        log.error("%s failed", task.get_name(), exc_info=failure)


class SimulatedCluster:
    """Speaks the Kubernetes API on loopback and behaves as a small cluster does.

    What a pod does is chosen by words in its image's name (`bot.playground.kubelet.pod_lifecycle`).

    Attributes:
        access: tokens and the `deny` hook.
        faults: for coming requests.
        api: the server's verbs without HTTP, for tests that look behind the scenes.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        nodes: int = 2,
        history: int = 5000,
        extensions: Collection[str] = (),
        accounts: Mapping[str, str] = NONE,
    ) -> None:
        """Make a cluster that does not run yet.

        Args:
            clock: its time; share it with whatever talks to it.
            nodes: how many nodes it has, each with 4 cores, 8 GiB and room for 110 pods.
            extensions: groups that not every cluster has, such as `gateway.networking.k8s.io`.
            accounts: namespace → ServiceAccount in it, which an administrator has made beforehand.
            history: how many changes it remembers for watches; older versions are answered with 410.
        """
        self.access = Authorizer()
        self.faults = Faults()
        self.api = Api(Storage(history=history), clock)
        self._clock = clock
        self._nodes = nodes
        self._accounts = accounts
        self._logs = ContainerLogs()
        self._gate = asyncio.Event()
        self._gate.set()
        self._kubelets = Kubelets(self.api, self._gate, self._logs)
        self._server = ApiServer(self.api, self.access, self.faults, self._logs, extensions)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """The address of the API server, once it has started."""
        return self._server.url

    def kubeconfig(self, token: str | None = None) -> Document:
        """Return a kubeconfig document for a token; `admin` and `convox-bot` (the default) exist already."""
        token = token or "convox-bot"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "playground", "cluster": {"server": self.url}}],
            "users": [{"name": token, "user": {"token": token}}],
            "contexts": [{"name": "playground", "context": {"cluster": "playground", "user": token}}],
            "current-context": "playground",
        }

    def grant(self, token: str, identity: Identity) -> None:
        """Let a token in."""
        self.access.tokens[token] = identity

    # -- running -------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Furnish the cluster, start its controllers and listen; port 0 takes a free one."""
        self._furnish()
        controllers: list[Controller] = [
            DeploymentController(self.api, self._gate),
            ReplicaSetController(self.api, self._gate),
            StatefulSetController(self.api, self._gate),
            DaemonSetController(self.api, self._gate),
            ClaimBinder(self.api, self._gate),
            HorizontalPodAutoscalerController(self.api, self._gate),
            CronJobController(self.api, self._gate),
            JobController(self.api, self._gate),
            Scheduler(self.api, self._gate),
            GarbageCollector(self.api, self._gate),
            AddressController(self.api, self._gate, "Ingress", ingress_status),
            AddressController(self.api, self._gate, "HTTPRoute", route_status),
            AddressController(self.api, self._gate, "Service", balancer_status),
            self._kubelets,
        ]
        self._tasks = [asyncio.create_task(each.run(), name=f"cluster {each.name}") for each in controllers]
        for task in self._tasks:
            task.add_done_callback(_tell)
        await self._server.start(host, port)

    async def stop(self) -> None:
        """Close the port and end every task.

        Raises:
            Exception: what a controller failed with, if one did.
        """
        await self._server.stop()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for result in ended:
            if isinstance(result, Exception):
                raise result

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- what tests do to it -------------------------------------------------------------------------------

    def freeze_controllers(self) -> None:
        """Stop everything but the API server: writes are accepted, nothing follows, old statuses stay."""
        self._gate.clear()

    def thaw_controllers(self) -> None:
        """Let everything go on."""
        self._gate.set()

    def freeze_server(self) -> None:
        """Let the API server's process stand still: its connections stay and nothing comes out of them."""
        self.faults.freeze()
        self.stall_watches()

    def thaw_server(self) -> None:
        """Let it go on, with everything that has been asked meanwhile."""
        self.faults.thaw()
        self.stall_watches(stalled=False)

    async def restart_server(self, *, down: float = 2.0, refusing: float = 0.5) -> None:
        """Kill the API server and start it again; at first it refuses what it will allow."""
        await self._server.restart(down=down, refusing=refusing)

    def drop_watches(self) -> None:
        """Cut the connections of all open watches."""
        self._server.watches.drop()

    def stall_watches(self, *, stalled: bool = True) -> None:
        """Let watches stay silent and open, or go on."""
        self._server.watches.stalled = stalled
        self.api.storage.wake()

    def expire_history(self) -> None:
        """Forget all changes: watches and lists from before get 410."""
        self.api.storage.expire()

    @property
    def open_watches(self) -> int:
        """How many watches are open now."""
        return self._server.watches.count

    # -- surviving a restart -------------------------------------------------------------------------------

    def snapshot(self) -> Document:
        """Return everything as a JSON document: objects, logs, images on nodes."""
        return {
            "storage": self.api.storage.snapshot(),
            "logs": self._logs.snapshot(),
            "images": {node: sorted(images) for node, images in self._kubelets.images.items()},
        }

    def restore(self, snapshot: Document) -> None:
        """Put a snapshot in place, before `start`; pods go on from where their statuses stand."""
        self.api.storage.restore(snapshot["storage"])
        self._logs.restore(snapshot["logs"])
        self._kubelets.images = {node: set(images) for node, images in snapshot["images"].items()}

    def _furnish(self) -> None:
        """Make the namespaces and nodes every cluster has, unless a snapshot brought them."""
        for name in (*NAMESPACES, *self._accounts):
            if self.api.find("Namespace", "", name) is None:
                body = {"metadata": {"name": name}}
                self.api.create(RequestTarget(resource=BY_KIND["Namespace"]), body, CONTROLLER)
        for namespace, account in self._accounts.items():
            if self.api.find("ServiceAccount", namespace, account) is None:
                target = RequestTarget(resource=BY_KIND["ServiceAccount"], namespace=namespace)
                self.api.create(target, {"metadata": {"name": account, "namespace": namespace}}, CONTROLLER)
        for number in range(1, self._nodes + 1):
            if self.api.find("Node", "", f"node-{number}") is None:
                self.api.storage.put("nodes", self._node(number))

    def _node(self, number: int) -> Document:
        name, moment = f"node-{number}", whole_seconds(self._clock.now())
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "uid": f"00000000-0000-4000-8000-{number:012d}",
                "creationTimestamp": moment,
                "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            },
            "spec": {},
            "status": {
                "capacity": ALLOCATABLE,
                "allocatable": ALLOCATABLE,
                "addresses": [{"type": "InternalIP", "address": f"192.168.77.{number}"}],
                "nodeInfo": {"kubeletVersion": "v1.37.2", "containerRuntimeVersion": "containerd://2.4.2"},
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "reason": "KubeletReady",
                        "message": "kubelet is posting ready status",
                        "lastHeartbeatTime": moment,
                        "lastTransitionTime": moment,
                    }
                ],
            },
        }
