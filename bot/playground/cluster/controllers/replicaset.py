"""The ReplicaSet controller: as many pods as wanted, and a status that counts them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner
from bot.playground.cluster.controllers.pods import delete_pod, make_pod
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.controllers.replicas import available_in, first_to_go, is_active, status_of
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import whole_seconds
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
# Failed creations are tried again after 5 ms, then twice as long each time, up to 1000 s.
FIRST_RETRY, LONGEST_RETRY = 0.005, 1000.0
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")


class ReplicaSetController(Controller):
    """Makes and deletes pods for ReplicaSets."""

    def __init__(self, api: Api, gate: Any) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "replicaset-controller")
        self._retries: dict[Key, float] = {}

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("ReplicaSet")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "replicasets.apps":
            return [key_of(document)]
        reference = owner(document, "ReplicaSet") if change.group_resource == "pods" else None
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        replica_set = self.api.find("ReplicaSet", *key)
        if replica_set is None:
            self._retries.pop(key, None)
            return None
        meta = replica_set["metadata"]
        pods = owned(self.api.all("Pod", key[0]), meta["uid"])
        error = None
        if "deletionTimestamp" not in meta:
            error = await self._make_even(replica_set, [pod for pod in pods if is_active(pod)])
        # A real controller counts the pods it saw before it made or deleted some.
        await self.pause(0.002)
        # One moment for both: a pod that became available in between would never be looked at again.
        now = self.api.clock.now()
        self._write_status(key, pods, error, now)
        if error is not None:
            self._retries[key] = min(self._retries.get(key, FIRST_RETRY / 2) * 2, LONGEST_RETRY)
            return self._retries[key]
        self._retries.pop(key, None)
        return _next_availability(replica_set, pods, now)

    async def _make_even(self, replica_set: Document, active: list[Document]) -> ApiError | None:
        wanted = int(replica_set["spec"].get("replicas", 1))
        for _ in range(wanted - len(active)):
            error = make_pod(self.api, self._recorder, replica_set, replica_set["spec"]["template"])
            if error is not None:
                return error
            await self.pause(0.002)
        for pod in sorted(active, key=first_to_go)[: max(0, len(active) - wanted)]:
            delete_pod(self.api, self._recorder, replica_set, pod)
            await self.pause(0.002)
        return None

    def _write_status(self, key: Key, pods: list[Document], error: ApiError | None, now: datetime) -> None:
        def counted(replica_set: Document) -> Document:
            failure = None
            if error is not None:
                failure = {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "lastTransitionTime": whole_seconds(now),
                    "reason": "FailedCreate",
                    "message": error.message,
                }
                # The first text stays while the failure lasts.
                before = replica_set.get("status", {}).get("conditions") or []
                failure = before[0] if before else failure
            return {**replica_set, "status": status_of(replica_set, pods, now, failure)}

        self.api.edit("ReplicaSet", *key, counted, STATUS)


def _next_availability(replica_set: Document, pods: list[Document], now: datetime) -> float | None:
    """Return when the next pod becomes available, seen from the moment for which the status was written.

    A later moment would skip a pod that becomes available in between: neither this status counted it nor the next.
    """
    min_ready = int(replica_set["spec"].get("minReadySeconds", 0))
    waits = [available_in(pod, min_ready, now) for pod in pods if is_active(pod)]
    return min((wait + 0.01 for wait in waits if wait), default=None)
