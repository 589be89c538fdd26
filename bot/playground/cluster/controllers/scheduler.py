"""The scheduler: a node for every pod that has none, or the sentence that says why not."""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from bot.playground.cluster.admission import TERMINAL_PHASES, demand
from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.quantities import quantity
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import whole_seconds
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager="kube-scheduler", subresource="status")
# A real scheduler looks again at once when a pod goes or a node comes, and after five minutes anyway.
RETRY_SECONDS = 300.0


def choose_node(pod: Document, nodes: Sequence[Document], pods: Sequence[Document]) -> tuple[str, str]:
    """Choose a node.

    Args:
        pod: the pod without a node.
        nodes: all nodes.
        pods: all pods of the cluster.

    Returns:
        The node's name and no sentence, or no name and why none fits.
    """
    there: dict[str, list[Document]] = {node["metadata"]["name"]: [] for node in nodes}
    for each in pods:
        node_name = each["spec"].get("nodeName")
        if node_name in there and each.get("status", {}).get("phase") not in TERMINAL_PHASES:
            there[node_name].append(each)
    reasons: dict[str, int] = {}
    # The emptiest first, so that the first that fits is the one.
    for node in sorted(nodes, key=lambda n: (len(there[n["metadata"]["name"]]), n["metadata"]["name"])):
        name = node["metadata"]["name"]
        why = _objection(pod, node, there[name])
        if why is None:
            return name, ""
        reasons[why] = reasons.get(why, 0) + 1
    total = len(nodes)
    listed = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items()))
    if not total:
        return "", "no nodes available to schedule pods"
    return "", (
        f"0/{total} nodes are available: {listed}. preemption: 0/{total} nodes are available: "
        f"{total} Preemption is not helpful for scheduling."
    )


def _objection(pod: Document, node: Document, here: list[Document]) -> str | None:
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return "node(s) didn't match Pod's node affinity/selector"
    if node["spec"].get("unschedulable") and not _tolerates(pod):
        return "node(s) were unschedulable"
    if (only := _only_node(pod)) is not None and only != node["metadata"]["name"]:
        return "node(s) didn't satisfy plugin(s) [NodeAffinity]"
    allocatable = node["status"]["allocatable"]
    if len(here) >= quantity(allocatable["pods"]):
        return "Too many pods"
    for resource in ("cpu", "memory", "ephemeral-storage"):
        used = sum((demand(each, f"requests.{resource}") for each in here), Decimal(0))
        asked = demand(pod, f"requests.{resource}")
        if asked and used + asked > quantity(allocatable[resource]):
            return f"Insufficient {resource}"
    return None


def _only_node(pod: Document) -> str | None:
    """Return the node that a pod of a DaemonSet was made for."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            return str(field["values"][0])
    return None


def _tolerates(pod: Document) -> bool:
    tolerated = {each.get("key") for each in pod["spec"].get("tolerations") or []}
    return "node.kubernetes.io/unschedulable" in tolerated


def unbound_claim(pod: Document, claims: Sequence[Document]) -> str:
    """Return why a pod must wait for one of its claims, "" where each has its disk."""
    here = pod["metadata"]["namespace"]
    phases = {
        each["metadata"]["name"]: (each.get("status") or {}).get("phase")
        for each in claims
        if each["metadata"]["namespace"] == here
    }
    for volume in pod["spec"].get("volumes") or []:
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if name is not None and name not in phases:
            return f'persistentvolumeclaim "{name}" not found. not found'
        if name is not None and phases[name] != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims. not found"
    return ""


class Scheduler(Controller):
    """Binds pods to nodes."""

    delay = 0.005

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "default-scheduler")

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("Pod") if not each["spec"].get("nodeName")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource in {"nodes", "persistentvolumeclaims"} or (
            change.group_resource == "pods" and change.after is None
        ):
            return self.all_keys()
        if change.group_resource == "pods" and change.before is None and change.after is not None:
            return [key_of(change.after)]
        return []

    async def reconcile(self, key: Key) -> float | None:
        pod = self.api.find("Pod", *key)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        nodes = self.api.all("Node")
        if waits := unbound_claim(pod, self.api.all("PersistentVolumeClaim")):
            self._object(pod, f"0/{len(nodes)} nodes are available: {waits}")
            return RETRY_SECONDS
        node, why = choose_node(pod, nodes, self.api.all("Pod"))
        if not node:
            self._object(pod, why)
            return RETRY_SECONDS
        bound = self._condition({"status": "True"})

        def with_node(live: Document) -> Document:
            status = {**live.get("status", {}), "conditions": [bound]}
            return {**live, "spec": {**live["spec"], "nodeName": node}, "status": status}

        self._bind(key, with_node)
        namespace, name = key
        message = f"Successfully assigned {namespace}/{name} to {node}"
        self._recorder.scheduled(pod, "Normal", "Scheduled", message)
        return None

    def _bind(self, key: Key, change: Any) -> None:
        """Write node and condition in one update, as the binding of a real scheduler does."""
        pod = self.api.find("Pod", *key)
        if pod is not None:
            self.api.storage.put("pods", change(pod))

    def _object(self, pod: Document, why: str) -> None:
        refused = self._condition({"status": "False", "reason": "Unschedulable", "message": why})
        refused["observedGeneration"] = pod["metadata"].get("generation", 1)
        before = (pod.get("status", {}).get("conditions") or [{}])[0]
        if before.get("message") != why:
            self._recorder.scheduled(pod, "Warning", "FailedScheduling", why)
            self.api.edit(
                "Pod",
                *key_of(pod),
                lambda live: {**live, "status": {**live["status"], "conditions": [refused]}},
                STATUS,
            )

    def _condition(self, rest: Document) -> Document:
        return {"type": "PodScheduled", "lastTransitionTime": whole_seconds(self.api.clock.now()), **rest}
