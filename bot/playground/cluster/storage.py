"""What the API server stores: objects, one counter of versions, a history that watches read, and its end."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.playground.cluster.errors import expired

Document = dict[str, Any]
Key = tuple[str, str, str]
"""Group resource (`deployments.apps`), namespace (empty if none), name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageEvent:
    """One write: the object after it (at deletion: as it was last) and before it."""

    version: int
    group_resource: str
    before: Document | None
    after: Document | None


class Storage:
    """Everything that is stored. Documents in it are never changed, only replaced."""

    def __init__(self, *, history: int = 1000) -> None:
        self.objects: dict[Key, Document] = {}
        # Keys by resource: controllers ask for all of one many times a second.
        self._keys: defaultdict[str, set[Key]] = defaultdict(set)
        self.version = 100
        self._history: deque[StorageEvent] = deque(maxlen=history)
        self._oldest = self.version
        self._listeners: set[asyncio.Event] = set()

    def get(self, group_resource: str, namespace: str, name: str) -> Document | None:
        return self.objects.get((group_resource, namespace, name))

    def all(self, group_resource: str, namespace: str = "") -> list[Document]:
        """Return the objects of a resource by namespace and name; of every namespace if none is given."""
        keys = [key for key in self._keys[group_resource] if not namespace or key[1] == namespace]
        return [self.objects[key] for key in sorted(keys)]

    def put(self, group_resource: str, document: Document) -> Document:
        """Store an object under a new version, and return it as stored."""
        meta = document["metadata"]
        key = (group_resource, meta.get("namespace", ""), meta["name"])
        self.version += 1
        stored = {**document, "metadata": {**meta, "resourceVersion": str(self.version)}}
        before = self.objects.get(key)
        self.objects[key] = stored
        self._keys[group_resource].add(key)
        self._record(
            StorageEvent(version=self.version, group_resource=group_resource, before=before, after=stored)
        )
        return stored

    def remove(self, group_resource: str, namespace: str, name: str) -> Document:
        """Take an object away under a new version, and return it as it was, with that version."""
        key = (group_resource, namespace, name)
        document = self.objects.pop(key)
        self._keys[group_resource].discard(key)
        self.version += 1
        last = {**document, "metadata": {**document["metadata"], "resourceVersion": str(self.version)}}
        self._record(
            StorageEvent(version=self.version, group_resource=group_resource, before=last, after=None)
        )
        return last

    def since(self, version: int) -> list[StorageEvent]:
        """Return the changes after a version.

        Raises:
            ApiError: 410, if the history no longer reaches back that far.
        """
        if version < self._oldest:
            raise expired(self._oldest, version)
        changes: list[StorageEvent] = []
        for change in reversed(self._history):
            if change.version <= version:
                break
            changes.append(change)
        changes.reverse()
        return changes

    def expire(self) -> None:
        """Forget the whole history: every version from before now is too old."""
        self.version += 1
        self._history.clear()
        self._oldest = self.version
        self.wake()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Hand out an event that is set at every change, for as long as the block lasts."""
        event = asyncio.Event()
        self._listeners.add(event)
        try:
            yield event
        finally:
            self._listeners.discard(event)

    def _record(self, change: StorageEvent) -> None:
        if len(self._history) == self._history.maxlen:
            self._oldest = self._history[0].version
        self._history.append(change)
        self.wake()

    def wake(self) -> None:
        """Make every listener look."""
        for event in self._listeners:
            event.set()

    def snapshot(self) -> Document:
        """Return everything that must survive a restart."""
        return {"version": self.version, "objects": [[*key, value] for key, value in self.objects.items()]}

    def restore(self, snapshot: Document) -> None:
        """Put a snapshot in the place of everything; watches from before it are too old."""
        self.objects = {
            (group_resource, namespace, name): value
            for group_resource, namespace, name, value in snapshot["objects"]
        }
        self._keys.clear()
        for key in self.objects:
            self._keys[key[0]].add(key)
        self.version = int(snapshot["version"])
        self.expire()
