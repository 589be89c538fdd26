"""The DaemonSet controller: one pod on every node that takes it, replaced a node at a time."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner
from bot.playground.cluster.controllers.controller_revisions import HASH, current_revision
from bot.playground.cluster.controllers.pods import delete_pod, make_pod
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.controllers.replicas import TERMINAL_PHASES, available_in, is_active, ready_since
from bot.playground.cluster.quantities import int_or_percent
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
# Real ones tolerate seven taints; this is the one that the simulated nodes can have.
TOLERATIONS = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]


class DaemonSetController(Controller):
    """Keeps the pods of DaemonSets."""

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "daemonset-controller")

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("DaemonSet")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "nodes":
            return self.all_keys()
        if change.group_resource == "daemonsets.apps":
            return [key_of(document)]
        reference = owner(document, "DaemonSet") if change.group_resource == "pods" else None
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        found = self.api.find("DaemonSet", *key)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return None
        mark = str(current_revision(self.api, found)["metadata"]["name"]).rpartition("-")[2]
        nodes = [each["metadata"]["name"] for each in self.api.all("Node") if _takes(each, found)]
        kept_at = self.api.clock.now()
        self._keep(found, nodes, self._pods(found), mark, kept_at)
        await self.pause(0.005)
        now, pods = self.api.clock.now(), self._pods(found)
        status = _status(found, nodes, pods, mark, now)
        self.api.edit("DaemonSet", *key, lambda live: {**live, "status": status}, STATUS)
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        # By the moment of what was kept: what has become available since is news to the next look.
        waits = [available_in(pod, min_ready, kept_at) for pod in pods if is_active(pod)]
        return min((wait + 0.01 for wait in waits if wait), default=None)

    def _pods(self, found: Document) -> list[Document]:
        meta = found["metadata"]
        return owned(self.api.all("Pod", meta["namespace"]), meta["uid"])

    def _keep(
        self, found: Document, nodes: list[str], pods: list[Document], mark: str, now: datetime
    ) -> None:
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        rolling = found["spec"]["updateStrategy"]["rollingUpdate"]
        surge = int_or_percent(rolling["maxSurge"], len(nodes), up=True)
        missing = int_or_percent(rolling["maxUnavailable"], len(nodes), up=True)
        here = [_NodePods.of(node, pods, mark, min_ready, now) for node in nodes]
        room = missing - sum(not each.serving for each in here)
        surge_room = surge - sum(bool(each.old and each.new) for each in here)
        for each in here:
            going, made = each.surging(surge_room) if surge else each.in_place(room)
            room -= sum(pod in each.serving for pod in going)
            surge_room -= made and bool(each.old)
            for pod in [*each.ended, *going]:
                delete_pod(self.api, self._recorder, found, pod)
            if made:
                self._make(found, each.node, mark)
        for pod in pods:
            if _node_of(pod) not in nodes:
                delete_pod(self.api, self._recorder, found, pod)

    def _make(self, found: Document, node: str, mark: str) -> None:
        affinity = {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
                    ]
                }
            }
        }
        spec = {"affinity": affinity, "tolerations": TOLERATIONS}
        template = found["spec"]["template"]
        make_pod(self.api, self._recorder, found, template, labels={HASH: mark}, spec=spec)


@dataclass(frozen=True, slots=True)
class _NodePods:
    """The pods of one node.

    Attributes:
        all: going ones too; `old`, `new`: by their template, without those that go or have ended; `ended`: these.
        serving: those of `old` and `new` that are available.
    """

    node: str
    all: list[Document]
    old: list[Document]
    new: list[Document]
    ended: list[Document]
    serving: list[Document]

    @classmethod
    def of(cls, node: str, pods: list[Document], mark: str, min_ready: int, now: datetime) -> "_NodePods":
        """Sort the pods that are on a node, or made for it."""
        here = [pod for pod in pods if _node_of(pod) == node]
        active = [pod for pod in here if is_active(pod)]
        ended = [
            pod
            for pod in here
            if pod.get("status", {}).get("phase") in TERMINAL_PHASES
            and "deletionTimestamp" not in pod["metadata"]
        ]
        new = [pod for pod in active if pod["metadata"]["labels"].get(HASH) == mark]
        old = [pod for pod in active if pod not in new]
        serving = [pod for pod in active if available_in(pod, min_ready, now) == 0.0]
        return cls(node, here, old, new, ended, serving)

    def surging(self, room: int) -> tuple[list[Document], bool]:
        """Return the old pods to delete and whether a new one is to be made, where both may run on so many more nodes.

        An old pod that serves stays until the new one is available; one that does not goes at once.
        """
        replaced = any(pod in self.serving for pod in self.new)
        going = [pod for pod in self.old if replaced or pod not in self.serving]
        return going, not self.new and (len(going) == len(self.old) or room > 0)

    def in_place(self, room: int) -> tuple[list[Document], bool]:
        """Return the same where the old pod goes first, while so many more nodes may be without one."""
        broken = [pod for pod in self.old if pod not in self.serving]
        return broken + [pod for pod in self.old if pod in self.serving][: max(0, room)], not self.all


def _takes(node: Document, found: Document) -> bool:
    labels = node["metadata"].get("labels") or {}
    wanted = found["spec"]["template"]["spec"].get("nodeSelector") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def _node_of(pod: Document) -> str:
    """Return the node that a pod is bound to, or made for."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(terms["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def _status(found: Document, nodes: list[str], pods: list[Document], mark: str, now: datetime) -> Document:
    min_ready = int(found["spec"].get("minReadySeconds", 0))
    active: dict[str, list[Document]] = {}
    for pod in pods:
        if is_active(pod):
            active.setdefault(_node_of(pod), []).append(pod)
    # The real one counts the oldest pod of a node, of ready ones the first; a surge pod alone makes it updated.
    on = {node: active.get(node, []) for node in nodes}
    ready = sum(any(ready_since(p) is not None for p in each) for each in on.values())
    available = sum(any(available_in(p, min_ready, now) == 0.0 for p in each) for each in on.values())
    updated = sum(any(p["metadata"]["labels"].get(HASH) == mark for p in each) for each in on.values())
    return {
        "observedGeneration": found["metadata"]["generation"],
        "desiredNumberScheduled": len(nodes),
        "currentNumberScheduled": sum(bool(each) for each in on.values()),
        "numberMisscheduled": sum(node not in on for node in active),
        "numberReady": ready,
        **({"updatedNumberScheduled": updated} if updated else {}),
        **({"numberAvailable": available} if available else {}),
        **({"numberUnavailable": len(nodes) - available} if len(nodes) > available else {}),
    }
