"""What a Deployment's controller does to replica sets: make one, take one up again, resize, remove."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers import progress, revisions
from bot.playground.cluster.controllers.controller import key_of, reference_to
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.controllers.rolling import ReplicaSetCounts, RolloutBounds, new_size
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
# As recorded: about this long from one write of the controller to the next.
AFTER_WRITE = 0.006


class ReplicaSetWriter:
    """The replica sets of Deployments, changed one write at a time."""

    def __init__(self, api: Api, pause: Callable[[float], Awaitable[None]]) -> None:
        self._api = api
        self._pause = pause
        self._recorder = EventRecorder(api, "deployment-controller")

    async def current(
        self, deployment: Document, new: Document | None, old: list[Document], bounds: RolloutBounds
    ) -> tuple[Document | None, bool]:
        """Return the current replica set, made now if there is none, and whether it was made now."""
        number = revisions.next_revision(old)
        if new is not None:
            if revisions.revision(new) < number:
                noted = {revisions.REVISION: str(number)}
                new = self._edit(new, lambda each: revisions.annotated(each, noted)) or new
                await self._pause(AFTER_WRITE)
            await self._take_up_min_ready(deployment, new)
            self._note_revision(deployment, str(revisions.revision(new)), found=new)
            return new, False
        recreate = deployment["spec"]["strategy"]["type"] == "Recreate"
        size = new_size(bounds, None, [counts_of(each) for each in old], recreate=recreate)
        made = self._make(deployment, size, bounds, number)
        if made is None:
            return None, False
        await self._pause(AFTER_WRITE)
        self._note_revision(deployment, str(number), made=made)
        if size:
            name = made["metadata"]["name"]
            self._say(deployment, f"Scaled up replica set {name} from 0 to {size}")
        return made, True

    def _make(self, deployment: Document, size: int, bounds: RolloutBounds, number: int) -> Document | None:
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
                    **revisions.size_annotations(bounds.replicas, bounds.max_pods),
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
        target = RequestTarget(resource=BY_KIND["ReplicaSet"], namespace=meta["namespace"])
        try:
            return self._api.create(target, body, CONTROLLER)
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
        now = self._api.clock.now()

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

        self._api.edit("Deployment", *key_of(deployment), noted, STATUS)

    async def _take_up_min_ready(self, deployment: Document, new: Document) -> None:
        """Hand a changed minReadySeconds on: it makes no new replica set."""
        wanted = deployment["spec"].get("minReadySeconds")
        if new["spec"].get("minReadySeconds") != wanted:
            self._edit(new, lambda each: {**each, "spec": {**each["spec"], "minReadySeconds": wanted}})
            await self._pause(AFTER_WRITE)

    async def resize(
        self, deployment: Document, replica_set: Document, size: int, bounds: RolloutBounds
    ) -> None:
        """Give a replica set a size, note what it was made for, and say it if it changed."""
        before = int(replica_set["spec"].get("replicas", 0))
        noted = revisions.size_annotations(bounds.replicas, bounds.max_pods)

        def resized(live: Document) -> Document:
            changed = {**live, "spec": {**live["spec"], "replicas": size}}
            return revisions.annotated(changed, noted)

        if self._edit(replica_set, resized) is None:
            return
        if size != before:
            direction = "up" if size > before else "down"
            name = replica_set["metadata"]["name"]
            self._say(deployment, f"Scaled {direction} replica set {name} from {before} to {size}")
        await self._pause(AFTER_WRITE)

    def clean_up(self, deployment: Document, old: list[Document]) -> None:
        """Remove the empty replica sets beyond the history limit, once a rollout is complete."""
        if not progress.is_complete(deployment, deployment.get("status", {})):
            return
        for each in revisions.beyond_history_limit(deployment, old):
            self._api.delete(BY_KIND["ReplicaSet"], *key_of(each))

    def _edit(self, replica_set: Document, change: Any) -> Document | None:
        return self._api.edit("ReplicaSet", *key_of(replica_set), change, CONTROLLER)

    def _say(self, deployment: Document, message: str) -> None:
        self._recorder.record(deployment, "Normal", "ScalingReplicaSet", message)


def counts_of(replica_set: Document) -> ReplicaSetCounts:
    """Return a replica set in numbers."""
    return ReplicaSetCounts(
        name=replica_set["metadata"]["name"],
        spec=int(replica_set["spec"].get("replicas", 0)),
        available=int(replica_set.get("status", {}).get("availableReplicas", 0)),
        max_pods_before=revisions.size_annotation(replica_set, revisions.MAX_REPLICAS),
    )
