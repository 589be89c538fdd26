"""The Deployment controller: replica sets for templates, counts moved between them, a status that tells it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers import progress, revisions
from bot.playground.cluster.controllers.loop import Controller, Key, key_of, owned, owner, reference_to
from bot.playground.cluster.controllers.recorder import Recorder
from bot.playground.cluster.controllers.replicas import ENDED
from bot.playground.cluster.controllers.rolling import (
    Room,
    Sized,
    new_size,
    old_sizes,
    proportional_sizes,
    room_of,
)
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, Target
from bot.playground.cluster.storage import Change
from bot.playground.cluster.writes import Author

Document = dict[str, Any]
STATUS = Author(manager=CONTROLLER.manager, subresource="status")
# As recorded: a new replica set shows after some ms, the observed generation some tens of ms after the apply.
AFTER_WRITE, BEFORE_STATUS = 0.006, 0.015


class DeploymentController(Controller):
    """Rolls Deployments out."""

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = Recorder(api, "deployment-controller")

    def everything(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("Deployment")]

    def concerned(self, change: Change) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.drawer == "deployments.apps":
            return [key_of(document)]
        if change.drawer == "pods":
            reference = owner(document, "ReplicaSet")
            found = (
                self.api.find("ReplicaSet", document["metadata"]["namespace"], reference["name"])
                if reference and change.after is None
                else None
            )
            document = found or {"metadata": {}}
        elif change.drawer != "replicasets.apps":
            return []
        reference = owner(document, "Deployment")
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        deployment = self.api.find("Deployment", *key)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return None
        everyone, new, old = self._replica_sets(deployment)
        spec = deployment["spec"]
        if spec.get("paused") or self._is_scaling(deployment, everyone):
            await self._scale(deployment, new, old)
            return await self._write_status(key, rolling=False)
        if spec["strategy"]["type"] == "Recreate":
            await self._recreate(deployment, new, old)
        else:
            await self._roll(deployment, new, old)
        return await self._write_status(key, rolling=True)

    def _replica_sets(self, deployment: Document) -> tuple[list[Document], Document | None, list[Document]]:
        """Return all replica sets oldest first, the current one, and the others."""
        meta = deployment["metadata"]
        everyone = revisions.by_age(owned(self.api.all("ReplicaSet", meta["namespace"]), meta["uid"]))
        new = revisions.current(deployment, everyone)
        return everyone, new, [each for each in everyone if each is not new]

    def _is_scaling(self, deployment: Document, everyone: list[Document]) -> bool:
        """Say whether only the count changed since the active replica sets were sized."""
        wanted = int(deployment["spec"]["replicas"])
        return any(
            revisions.noted(each, revisions.DESIRED) not in {None, wanted}
            for each in everyone
            if each["spec"].get("replicas")
        )

    # -- the three ways of moving counts -------------------------------------------------------------------

    async def _roll(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        room = room_of(deployment["spec"])
        current, made = await self._current(deployment, new, old, room)
        if current is None or made:
            return
        size = new_size(room, _sized(current), [_sized(each) for each in old])
        if size != current["spec"]["replicas"]:
            await self._resize(deployment, current, size, room)
            return
        sizes = old_sizes(room, _sized(current), [_sized(each) for each in old])
        for each in old:
            if each["metadata"]["name"] in sizes:
                await self._resize(deployment, each, sizes[each["metadata"]["name"]], room)
        if not sizes:
            self._clean_up(deployment, old)

    async def _recreate(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        room = room_of(deployment["spec"])
        serving = [each for each in old if each["spec"].get("replicas")]
        for each in serving:
            await self._resize(deployment, each, 0, room)
        if serving or self._has_pods(deployment, old):
            return
        current, made = await self._current(deployment, new, old, room)
        if current is None or made:
            return
        if current["spec"]["replicas"] != room.replicas:
            await self._resize(deployment, current, room.replicas, room)
        else:
            self._clean_up(deployment, old)

    async def _scale(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        room = room_of(deployment["spec"])
        everyone = [*old, *([new] if new else [])]
        active = [each for each in everyone if each["spec"].get("replicas")]
        if len(active) <= 1:
            only = active[0] if active else new or (old[-1] if old else None)
            sizes = {only["metadata"]["name"]: room.replicas} if only else {}
        elif new is not None and _saturated(deployment, new):
            sizes = {each["metadata"]["name"]: 0 for each in active if each is not new}
        elif deployment["spec"]["strategy"]["type"] == "RollingUpdate":
            newest_first = [_sized(each) for each in reversed(active)]
            sizes = proportional_sizes(room, newest_first)
        else:
            sizes = {}
        for each in everyone:
            size = sizes.get(each["metadata"]["name"], each["spec"].get("replicas", 0))
            await self._resize(deployment, each, size, room)

    # -- effects -------------------------------------------------------------------------------------------

    async def _current(
        self, deployment: Document, new: Document | None, old: list[Document], room: Room
    ) -> tuple[Document | None, bool]:
        """Return the current replica set, made now if there is none, and whether it was made now."""
        number = revisions.next_revision(old)
        if new is not None:
            if revisions.revision(new) < number:
                noted = {revisions.REVISION: str(number)}
                new = self._edit(new, lambda each: revisions.annotated(each, noted)) or new
                await self.pause(AFTER_WRITE)
            await self._take_up_min_ready(deployment, new)
            self._note_revision(deployment, str(revisions.revision(new)), found=new)
            return new, False
        recreate = deployment["spec"]["strategy"]["type"] == "Recreate"
        size = new_size(room, None, [_sized(each) for each in old], recreate=recreate)
        made = self._make(deployment, size, room, number)
        if made is None:
            return None, False
        await self.pause(AFTER_WRITE)
        self._note_revision(deployment, str(number), made=made)
        if size:
            name = made["metadata"]["name"]
            self._say(deployment, f"Scaled up replica set {name} from 0 to {size}")
        return made, True

    def _make(self, deployment: Document, size: int, room: Room, number: int) -> Document | None:
        spec, meta = deployment["spec"], deployment["metadata"]
        template, selector = spec["template"], spec["selector"]
        word = revisions.template_hash(template)
        labels = {**(template["metadata"].get("labels") or {}), revisions.HASH: word}
        body: Document = {
            "metadata": {
                "name": f"{meta['name']}-{word}",
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": {
                    **revisions.sizes_noted(room.replicas, room.most),
                    revisions.REVISION: str(number),
                },
                "ownerReferences": [reference_to(deployment)],
            },
            "spec": {
                "replicas": size,
                "selector": {
                    **selector,
                    "matchLabels": {**(selector.get("matchLabels") or {}), revisions.HASH: word},
                },
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
        }
        if spec.get("minReadySeconds"):
            body["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        target = Target(resource=BY_KIND["ReplicaSet"], namespace=meta["namespace"])
        try:
            return self.api.create(target, body, CONTROLLER)
        except ApiError:
            return None

    def _note_revision(
        self,
        deployment: Document,
        number: str,
        *,
        made: Document | None = None,
        found: Document | None = None,
    ) -> None:
        """Write the revision, and in the same update that there is a replica set; counters stay as they were."""
        now = self.api.clock.now()

        def noted(live: Document) -> Document:
            status = live.get("status", {})
            if made is not None:
                message = f'Created new replica set "{made["metadata"]["name"]}"'
                status = progress.put_condition(
                    status,
                    progress.condition(
                        "Progressing", holds=True, reason="NewReplicaSetCreated", message=message, now=now
                    ),
                )
            elif found is not None and progress.find_condition(status, "Progressing") is None:
                message = f'Found new replica set "{found["metadata"]["name"]}"'
                status = progress.put_condition(
                    status,
                    progress.condition(
                        "Progressing", holds=True, reason="FoundNewReplicaSet", message=message, now=now
                    ),
                )
            return {**revisions.annotated(live, {revisions.REVISION: number}), "status": status}

        self.api.edit("Deployment", *key_of(deployment), noted, STATUS)

    async def _take_up_min_ready(self, deployment: Document, new: Document) -> None:
        """Hand a changed minReadySeconds on: it makes no new replica set."""
        wanted = deployment["spec"].get("minReadySeconds")
        if new["spec"].get("minReadySeconds") != wanted:
            self._edit(new, lambda each: {**each, "spec": {**each["spec"], "minReadySeconds": wanted}})
            await self.pause(AFTER_WRITE)

    async def _resize(self, deployment: Document, replica_set: Document, size: int, room: Room) -> None:
        before = int(replica_set["spec"].get("replicas", 0))
        noted = revisions.sizes_noted(room.replicas, room.most)

        def resized(live: Document) -> Document:
            changed = {**live, "spec": {**live["spec"], "replicas": size}}
            return revisions.annotated(changed, noted)

        if self._edit(replica_set, resized) is None:
            return
        if size != before:
            direction = "up" if size > before else "down"
            name = replica_set["metadata"]["name"]
            self._say(deployment, f"Scaled {direction} replica set {name} from {before} to {size}")
        await self.pause(AFTER_WRITE)

    def _clean_up(self, deployment: Document, old: list[Document]) -> None:
        if not progress.is_complete(deployment, deployment.get("status", {})):
            return
        for each in revisions.expendable(deployment, old):
            self.api.delete(BY_KIND["ReplicaSet"], *key_of(each))

    async def _write_status(self, key: Key, *, rolling: bool) -> float | None:
        """Write what there is to say, and return when the deadline will pass."""
        await self.pause(BEFORE_STATUS)
        deployment = self.api.find("Deployment", *key)
        if deployment is None:
            return None
        everyone, new, _ = self._replica_sets(deployment)
        now = self.api.clock.now()
        status = progress.counters(deployment, new, everyone, now)
        if rolling:
            status = progress.with_progress(deployment, new, status, now)
            status = progress.with_failure(status, new, everyone)
        self.api.edit("Deployment", *key, lambda live: {**live, "status": status}, STATUS)
        overdue = progress.overdue_in(deployment, status, now)
        return overdue + 0.05 if overdue else None

    def _has_pods(self, deployment: Document, old: list[Document]) -> bool:
        pods = self.api.all("Pod", deployment["metadata"]["namespace"])
        return any(
            pod.get("status", {}).get("phase") not in ENDED
            for each in old
            for pod in owned(pods, each["metadata"]["uid"])
        )

    def _edit(self, replica_set: Document, change: Any) -> Document | None:
        return self.api.edit("ReplicaSet", *key_of(replica_set), change, CONTROLLER)

    def _say(self, deployment: Document, message: str) -> None:
        self._recorder.record(deployment, "Normal", "ScalingReplicaSet", message)


def _sized(replica_set: Document) -> Sized:
    return Sized(
        name=replica_set["metadata"]["name"],
        spec=int(replica_set["spec"].get("replicas", 0)),
        available=int(replica_set.get("status", {}).get("availableReplicas", 0)),
        most_before=revisions.noted(replica_set, revisions.MOST),
    )


def _saturated(deployment: Document, replica_set: Document) -> bool:
    wanted = int(deployment["spec"]["replicas"])
    return (
        replica_set["spec"].get("replicas") == wanted
        and revisions.noted(replica_set, revisions.DESIRED) == wanted
        and replica_set.get("status", {}).get("availableReplicas", 0) == wanted
    )
