"""The Deployment controller: replica sets for templates, counts moved between them, a status that tells it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers import progress, revisions
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner
from bot.playground.cluster.controllers.replicas import TERMINAL_PHASES
from bot.playground.cluster.controllers.replicasets import STATUS, ReplicaSetWriter, counts_of
from bot.playground.cluster.controllers.rolling import new_size, old_sizes, proportional_sizes, rollout_bounds
from bot.playground.cluster.storage import StorageEvent

Document = dict[str, Any]
# As recorded, the observed generation shows some tens of ms after the apply.
BEFORE_STATUS = 0.015


class DeploymentController(Controller):
    """Rolls Deployments out."""

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._sets = ReplicaSetWriter(api, self.pause)

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("Deployment")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "deployments.apps":
            return [key_of(document)]
        if change.group_resource == "pods":
            reference = owner(document, "ReplicaSet")
            found = (
                self.api.find("ReplicaSet", document["metadata"]["namespace"], reference["name"])
                if reference and change.after is None
                else None
            )
            document = found or {"metadata": {}}
        elif change.group_resource != "replicasets.apps":
            return []
        reference = owner(document, "Deployment")
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        deployment = self.api.find("Deployment", *key)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return None
        deployment = self._note_pause(key, deployment)
        everyone, new, old = self._replica_sets(deployment)
        seen = {each["metadata"]["uid"]: each.get("status", {}) for each in everyone}
        spec = deployment["spec"]
        if spec.get("paused") or self._is_scaling(deployment, everyone):
            await self._scale(deployment, new, old)
            return await self._write_status(key, deployment, seen, rolling=False)
        if spec["strategy"]["type"] == "Recreate":
            await self._recreate(deployment, new, old)
        else:
            await self._roll(deployment, new, old)
        return await self._write_status(key, deployment, seen, rolling=True)

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
            revisions.size_annotation(each, revisions.DESIRED_REPLICAS) not in {None, wanted}
            for each in everyone
            if each["spec"].get("replicas")
        )

    # -- the three ways of moving counts -------------------------------------------------------------------

    async def _roll(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        bounds = rollout_bounds(deployment["spec"])
        current, made = await self._sets.current(deployment, new, old, bounds)
        if current is None or made:
            return
        size = new_size(bounds, counts_of(current), [counts_of(each) for each in old])
        if size != current["spec"]["replicas"]:
            await self._sets.resize(deployment, current, size, bounds)
            return
        sizes = old_sizes(bounds, counts_of(current), [counts_of(each) for each in old])
        for each in old:
            if each["metadata"]["name"] in sizes:
                await self._sets.resize(deployment, each, sizes[each["metadata"]["name"]], bounds)
        if not sizes:
            self._sets.clean_up(deployment, old)

    async def _recreate(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        bounds = rollout_bounds(deployment["spec"])
        serving = [each for each in old if each["spec"].get("replicas")]
        for each in serving:
            await self._sets.resize(deployment, each, 0, bounds)
        if serving or self._has_pods(deployment, old):
            return
        current, made = await self._sets.current(deployment, new, old, bounds)
        if current is None or made:
            return
        if current["spec"]["replicas"] != bounds.replicas:
            await self._sets.resize(deployment, current, bounds.replicas, bounds)
        else:
            self._sets.clean_up(deployment, old)

    async def _scale(self, deployment: Document, new: Document | None, old: list[Document]) -> None:
        bounds = rollout_bounds(deployment["spec"])
        everyone = [*old, *([new] if new else [])]
        active = [each for each in everyone if each["spec"].get("replicas")]
        if len(active) <= 1:
            only = active[0] if active else new or (old[-1] if old else None)
            sizes = {only["metadata"]["name"]: bounds.replicas} if only else {}
        elif new is not None and _saturated(deployment, new):
            sizes = {each["metadata"]["name"]: 0 for each in active if each is not new}
        elif deployment["spec"]["strategy"]["type"] == "RollingUpdate":
            newest_first = [counts_of(each) for each in reversed(active)]
            sizes = proportional_sizes(bounds, newest_first)
        else:
            sizes = {}
        for each in everyone:
            size = sizes.get(each["metadata"]["name"], each["spec"].get("replicas", 0))
            await self._sets.resize(deployment, each, size, bounds)

    async def _write_status(
        self, key: Key, worked_on: Document, seen: dict[str, Document], *, rolling: bool
    ) -> float | None:
        """Write what there is to say, and return when the deadline will pass.

        The counts are those that were seen before counts were moved, so a new replica set counts nothing yet: the
        first status after an apply never shows more, however late it is written.
        """
        await self.pause(BEFORE_STATUS)
        deployment = self.api.find("Deployment", *key)
        if deployment is None or _generation(deployment) != _generation(worked_on):
            # A real controller claims no generation that it has not worked on; this one is in the queue already.
            return None
        everyone, new, _ = self._replica_sets(deployment)
        everyone = [{**each, "status": seen.get(each["metadata"]["uid"], {})} for each in everyone]
        new = next(
            (each for each in everyone if new and each["metadata"]["uid"] == new["metadata"]["uid"]), None
        )
        now = self.api.clock.now()
        status = progress.counters(deployment, new, everyone, now)
        if rolling:
            status = progress.with_progress(deployment, new, status, now)
            status = progress.with_failure(status, new, everyone)
        self.api.edit("Deployment", *key, lambda live: {**live, "status": status}, STATUS)
        # A second later than due, because the stamps have whole seconds.
        overdue = progress.overdue_in(deployment, status, now)
        return overdue + 1.0 if overdue else None

    def _note_pause(self, key: Key, deployment: Document) -> Document:
        status = deployment.get("status", {})
        noted = progress.with_pause(deployment, status, self.api.clock.now())
        if noted is status:
            return deployment
        change = {"status": noted}
        return self.api.edit("Deployment", *key, lambda live: {**live, **change}, STATUS) or deployment

    def _has_pods(self, deployment: Document, old: list[Document]) -> bool:
        pods = self.api.all("Pod", deployment["metadata"]["namespace"])
        return any(
            pod.get("status", {}).get("phase") not in TERMINAL_PHASES
            for each in old
            for pod in owned(pods, each["metadata"]["uid"])
        )


def _generation(document: Document) -> int:
    return int(document["metadata"]["generation"])


def _saturated(deployment: Document, replica_set: Document) -> bool:
    wanted = int(deployment["spec"]["replicas"])
    return (
        replica_set["spec"].get("replicas") == wanted
        and revisions.size_annotation(replica_set, revisions.DESIRED_REPLICAS) == wanted
        and replica_set.get("status", {}).get("availableReplicas", 0) == wanted
    )
