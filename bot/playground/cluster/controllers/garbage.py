"""The garbage collector: what lost its owner goes, what waits for its dependents waits, namespaces are emptied."""

import asyncio
from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers.controller import Controller, Key
from bot.playground.cluster.controllers.recorder import LIFETIME
from bot.playground.cluster.resources import BY_KEY, BY_KIND
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import read_moment

Document = dict[str, Any]
WHOLE_CLUSTER: Key = ("", "")
AGING_SECONDS = 60.0


class GarbageCollector(Controller):
    """Looks at everything whenever something was deleted or marked; there is never much."""

    delay = 0.05

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._aged_at = float("-inf")

    def all_keys(self) -> Iterable[Key]:
        return [WHOLE_CLUSTER]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource == "events":
            return []
        marked = change.after is not None and "deletionTimestamp" in change.after["metadata"]
        orphaned = change.before is None and change.after is not None and _references(change.after)
        return [WHOLE_CLUSTER] if change.after is None or marked or orphaned else []

    async def reconcile(self, _key: Key) -> float | None:
        objects = self.api.storage.objects
        alive = {document["metadata"]["uid"] for document in objects.values()}
        old = self._old_events_due()
        for (group_resource, namespace, name), document in list(objects.items()):
            if group_resource == "events":
                if old:
                    self._age(namespace, name, document)
            elif (group_resource, namespace, name) in objects:
                self._look_at(group_resource, document, alive)
        return AGING_SECONDS

    def _old_events_due(self) -> bool:
        """Events are many: they are looked through once a minute, and not whenever something has gone."""
        now = self.clock.monotonic()
        if now - self._aged_at < AGING_SECONDS:
            return False
        self._aged_at = now
        return True

    def _look_at(self, group_resource: str, document: Document, alive: set[str]) -> None:
        meta = document["metadata"]
        references = _references(document)
        if references and not any(each["uid"] in alive for each in references):
            self._delete(group_resource, document)
        if "deletionTimestamp" not in meta:
            return
        held = meta.get("finalizers") or []
        if "orphan" in held:
            for each_drawer, each in _dependents(self.api, meta["uid"]):
                self._let_go(each_drawer, each, meta["uid"])
            self._remove_finalizer(group_resource, document, "orphan")
        elif "foregroundDeletion" in held:
            dependents = _dependents(self.api, meta["uid"])
            for each_drawer, each in dependents:
                self._delete(each_drawer, each, policy="Foreground")
            if not dependents:
                self._remove_finalizer(group_resource, document, "foregroundDeletion")
        elif group_resource == "namespaces":
            self._empty(meta["name"])

    def _empty(self, namespace: str) -> None:
        left = False
        for group_resource, where, _ in list(self.api.storage.objects):
            if where == namespace:
                left = True
                document = self.api.storage.get(group_resource, where, _)
                if document is not None:
                    self._delete(group_resource, document)
        if not left:
            self.api.remove_finalizer("namespaces", "", namespace, "kubernetes")

    def _delete(self, group_resource: str, document: Document, *, policy: str = "Background") -> None:
        meta = document["metadata"]
        if self.api.storage.get(group_resource, meta.get("namespace", ""), meta["name"]) is None:
            return
        if "deletionTimestamp" not in meta:
            options = {"propagationPolicy": policy}
            self.api.delete(BY_KEY[group_resource], meta.get("namespace", ""), meta["name"], options)

    def _remove_finalizer(self, group_resource: str, document: Document, finalizer: str) -> None:
        meta = document["metadata"]
        self.api.remove_finalizer(group_resource, meta.get("namespace", ""), meta["name"], finalizer)

    def _let_go(self, group_resource: str, document: Document, uid: str) -> None:
        meta = document["metadata"]
        kept = [each for each in meta["ownerReferences"] if each["uid"] != uid]
        rest = {key: value for key, value in meta.items() if key != "ownerReferences"}
        if kept:
            rest["ownerReferences"] = kept
        self.api.storage.put(group_resource, {**document, "metadata": rest})

    def _age(self, namespace: str, name: str, event: Document) -> None:
        """Drop an event after an hour, as `--event-ttl` does."""
        last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        if (self.api.clock.now() - read_moment(last)).total_seconds() > LIFETIME:
            self.api.delete(BY_KIND["Event"], namespace, name)


def _references(document: Document) -> list[Document]:
    return document["metadata"].get("ownerReferences") or []


def _dependents(api: Api, uid: str) -> list[tuple[str, Document]]:
    return [
        (group_resource, document)
        for (group_resource, _, _), document in list(api.storage.objects.items())
        if any(each["uid"] == uid for each in _references(document))
    ]
