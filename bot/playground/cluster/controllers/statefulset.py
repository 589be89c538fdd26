"""The StatefulSet controller: pods with names of their own, replaced from the last to the first."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner
from bot.playground.cluster.controllers.controller_revisions import HASH, current_revision
from bot.playground.cluster.controllers.pods import delete_pod, make_pod
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.controllers.replicas import TERMINAL_PHASES, available_in, is_active, ready_since
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")


class StatefulSetController(Controller):
    """Keeps the pods of StatefulSets."""

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "statefulset-controller")

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("StatefulSet")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "statefulsets.apps":
            return [key_of(document)]
        reference = owner(document, "StatefulSet") if change.group_resource == "pods" else None
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        found = self.api.find("StatefulSet", *key)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return None
        revision = current_revision(self.api, found)["metadata"]["name"]
        pods = owned(self.api.all("Pod", key[0]), found["metadata"]["uid"])
        self._keep(found, {each["metadata"]["name"]: each for each in pods}, revision)
        await self.pause(0.005)
        now = self.api.clock.now()
        pods = owned(self.api.all("Pod", key[0]), found["metadata"]["uid"])
        status = _status(found, pods, revision, now)
        self.api.edit("StatefulSet", *key, lambda live: {**live, "status": status}, STATUS)
        return _next_availability(found, pods, now)

    def _keep(self, found: Document, pods: dict[str, Document], revision: str) -> None:
        """Make what is missing, then take away what is too much or outdated, one at a time."""
        name, wanted = found["metadata"]["name"], int(found["spec"]["replicas"])
        in_order = found["spec"]["podManagementPolicy"] == "OrderedReady"
        for number in range(wanted):
            pod = pods.get(f"{name}-{number}")
            if pod is None:
                self._make(found, f"{name}-{number}", revision)
            elif pod.get("status", {}).get("phase") in TERMINAL_PHASES:
                delete_pod(self.api, self._recorder, found, pod)
            # A pod that never gets ready holds everything up, also its own replacement (kubernetes#67250).
            if in_order and (pod is None or not is_active(pod) or ready_since(pod) is None):
                return
        for pod in (pods[each] for each in sorted(pods, key=_number, reverse=True)):
            outdated = pod["metadata"]["labels"].get(HASH) != revision
            if "deletionTimestamp" in pod["metadata"]:
                return
            if _number(pod["metadata"]["name"]) >= wanted or outdated:
                delete_pod(self.api, self._recorder, found, pod)
                return
            if ready_since(pod) is None:
                return

    def _make(self, found: Document, name: str, revision: str) -> None:
        labels = {
            HASH: revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(_number(name)),
        }
        spec = {"hostname": name, "subdomain": found["spec"].get("serviceName", "")}
        make_pod(
            self.api,
            self._recorder,
            found,
            found["spec"]["template"],
            name=name,
            labels=labels,
            spec=spec,
        )


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _status(found: Document, pods: list[Document], revision: str, now: datetime) -> Document:
    before, min_ready = found.get("status", {}), int(found["spec"].get("minReadySeconds", 0))
    active = [pod for pod in pods if is_active(pod)]
    updated = sum(pod["metadata"]["labels"].get(HASH) == revision for pod in active)
    old = before.get("currentRevision") or revision
    ready = sum(ready_since(pod) is not None for pod in active)
    current = sum(pod["metadata"]["labels"].get(HASH) == old for pod in active)
    counts = {
        "readyReplicas": ready,
        "currentReplicas": current,
        "updatedReplicas": updated,
    }
    if updated == ready == int(found["spec"]["replicas"]) and old != revision:
        # The update is over: the new revision is the current one.
        old, counts["currentReplicas"] = revision, updated
    return {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": len(active),
        "availableReplicas": sum(available_in(pod, min_ready, now) == 0.0 for pod in active),
        **{name: count for name, count in counts.items() if count},
        "currentRevision": old,
        "updateRevision": revision,
        "collisionCount": 0,
    }


def _next_availability(found: Document, pods: list[Document], now: datetime) -> float | None:
    min_ready = int(found["spec"].get("minReadySeconds", 0))
    waits = [available_in(pod, min_ready, now) for pod in pods if is_active(pod)]
    return min((wait + 0.01 for wait in waits if wait), default=None)
