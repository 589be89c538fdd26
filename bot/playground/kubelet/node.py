"""A node as the control plane knows it: registered, ready, and alive as long as its lease is renewed."""

from datetime import UTC
from typing import Any

from bot.playground.kubelet.api import APPLY, MERGE, STRATEGIC, ApiClient, ApiClientError
from bot.playground.kubelet.status import stamp
from core.clock import Clock

Document = dict[str, Any]
LEASE_SECONDS, RENEWAL_SECONDS = 40, 10.0  # a kubelet's defaults
_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "1Ti"}
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


def node_document(name: str) -> Document:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def node_status(name: str, port: int, moment: str) -> Document:
    """Return the status of a ready node whose kubelet listens on that port of loopback."""
    times = {"lastHeartbeatTime": moment, "lastTransitionTime": moment}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
    }
    pressures = [{"type": kind, "status": "False", "reason": f"KubeletHasNo{kind}"} for kind in _PRESSURES]
    return {
        "status": {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "conditions": [{**condition, **times} for condition in (ready, *pressures)],
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
    }


class NodeRegistration:
    """One node."""

    def __init__(self, api: ApiClient, clock: Clock, name: str, *, port: int) -> None:
        self._api = api
        self._clock = clock
        self.name = name
        self._port = port
        self.images: set[str] = set()

    async def register(self) -> None:
        """Make the node known and ready; one that is known already becomes ours."""
        try:
            await self._api.call("POST", "/api/v1/nodes", node_document(self.name))
        except ApiClientError as error:
            if error.code != 409:
                raise
        path = f"/api/v1/nodes/{self.name}"
        status = node_status(self.name, self._port, stamp(self._clock.now()))
        await self._api.call("PATCH", f"{path}/status", status, content=STRATEGIC)
        # Admission puts not-ready on every new node, and the controller takes seconds to take it off.
        await self._api.call("PATCH", path, {"spec": {"taints": None}}, content=MERGE)

    async def deregister(self) -> None:
        """Take the node away: the scheduler gives pods to a node without a kubelet until its lease is over."""
        await self._api.call("DELETE", f"/api/v1/nodes/{self.name}")

    async def renew(self) -> None:
        """Say that the node lives."""
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": f"{self._clock.now().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name},
            "spec": spec,
        }
        path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self.name}"
        await self._api.call(
            "PATCH", path, lease, content=APPLY, query={"fieldManager": "kubelet", "force": "true"}
        )
