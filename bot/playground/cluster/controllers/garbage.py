"""The garbage collector: what lost its owner goes, what waits for its dependents waits, namespaces are emptied."""

from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers.controller import Controller, Key
from bot.playground.cluster.controllers.recorder import LIFETIME
from bot.playground.cluster.resources import BY_KEY, BY_KIND
from bot.playground.cluster.storage import Change
from bot.playground.cluster.timestamps import read_moment

Document = dict[str, Any]
EVERYTHING: Key = ("", "")


class GarbageCollector(Controller):
    """Looks at everything whenever something was deleted or marked; there is never much."""

    delay = 0.05

    def everything(self) -> Iterable[Key]:
        return [EVERYTHING]

    def concerned(self, change: Change) -> Iterable[Key]:
        if change.drawer == "events":
            return []
        marked = change.after is not None and "deletionTimestamp" in change.after["metadata"]
        orphaned = change.before is None and change.after is not None and _references(change.after)
        return [EVERYTHING] if change.after is None or marked or orphaned else []

    async def reconcile(self, _key: Key) -> float | None:
        objects = self.api.storage.objects
        alive = {document["metadata"]["uid"] for document in objects.values()}
        for (drawer, namespace, name), document in list(objects.items()):
            if drawer == "events":
                self._age(namespace, name, document)
            elif (drawer, namespace, name) in objects:
                self._look_at(drawer, document, alive)
        return 60.0

    def _look_at(self, drawer: str, document: Document, alive: set[str]) -> None:
        meta = document["metadata"]
        references = _references(document)
        if references and not any(each["uid"] in alive for each in references):
            self._delete(drawer, document)
        if "deletionTimestamp" not in meta:
            return
        held = meta.get("finalizers") or []
        dependents = _dependents(self.api, meta["uid"])
        if "orphan" in held:
            for each_drawer, each in dependents:
                self._let_go(each_drawer, each, meta["uid"])
            self._release(drawer, document, "orphan")
        elif "foregroundDeletion" in held:
            for each_drawer, each in dependents:
                self._delete(each_drawer, each, policy="Foreground")
            if not dependents:
                self._release(drawer, document, "foregroundDeletion")
        elif drawer == "namespaces":
            self._empty(meta["name"])

    def _empty(self, namespace: str) -> None:
        left = False
        for drawer, where, _ in list(self.api.storage.objects):
            if where == namespace:
                left = True
                document = self.api.storage.get(drawer, where, _)
                if document is not None:
                    self._delete(drawer, document)
        if not left:
            self.api.release("namespaces", "", namespace, "kubernetes")

    def _delete(self, drawer: str, document: Document, *, policy: str = "Background") -> None:
        meta = document["metadata"]
        if self.api.storage.get(drawer, meta.get("namespace", ""), meta["name"]) is None:
            return
        if "deletionTimestamp" not in meta:
            options = {"propagationPolicy": policy}
            self.api.delete(BY_KEY[drawer], meta.get("namespace", ""), meta["name"], options)

    def _release(self, drawer: str, document: Document, finalizer: str) -> None:
        meta = document["metadata"]
        self.api.release(drawer, meta.get("namespace", ""), meta["name"], finalizer)

    def _let_go(self, drawer: str, document: Document, uid: str) -> None:
        meta = document["metadata"]
        kept = [each for each in meta["ownerReferences"] if each["uid"] != uid]
        rest = {key: value for key, value in meta.items() if key != "ownerReferences"}
        if kept:
            rest["ownerReferences"] = kept
        self.api.storage.put(drawer, {**document, "metadata": rest})

    def _age(self, namespace: str, name: str, event: Document) -> None:
        """Drop an event after an hour, as `--event-ttl` does."""
        last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        if (self.api.clock.now() - read_moment(last)).total_seconds() > LIFETIME:
            self.api.delete(BY_KIND["Event"], namespace, name)


def _references(document: Document) -> list[Document]:
    return document["metadata"].get("ownerReferences") or []


def _dependents(api: Api, uid: str) -> list[tuple[str, Document]]:
    return [
        (drawer, document)
        for (drawer, _, _), document in list(api.storage.objects.items())
        if any(each["uid"] == uid for each in _references(document))
    ]
