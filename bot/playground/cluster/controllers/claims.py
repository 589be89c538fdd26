"""What finds a disk for a claim: a provisioner that has one class, `standard`, and any amount of disks."""

import asyncio
from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
CLASSES = ("standard",)


class ClaimBinder(Controller):
    """Binds claims."""

    delay = 0.05

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "persistentvolume-controller")

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("PersistentVolumeClaim")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource != "persistentvolumeclaims" or change.after is None:
            return []
        return [key_of(change.after)]

    async def reconcile(self, key: Key) -> float | None:
        claim = self.api.find("PersistentVolumeClaim", *key)
        if claim is None:
            return None
        asked = claim["spec"].get("storageClassName")
        if asked not in CLASSES:
            why = f'storageclass.storage.k8s.io "{asked}" not found'
            self._recorder.record(claim, "Warning", "ProvisioningFailed", why)
            return 15.0
        if not claim["spec"].get("volumeName"):
            name = f"pvc-{claim['metadata']['uid']}"
            self.api.edit(
                "PersistentVolumeClaim",
                *key,
                lambda live: {**live, "spec": {**live["spec"], "volumeName": name}},
                CONTROLLER,
            )
        status = {
            "phase": "Bound",
            "accessModes": claim["spec"]["accessModes"],
            "capacity": dict(claim["spec"]["resources"]["requests"]),
        }
        if claim.get("status") != status:
            self.api.edit("PersistentVolumeClaim", *key, lambda live: {**live, "status": status}, STATUS)
        return None
