"""The drawers of the API server: objects, one counter of versions, a history that watches read, and its end."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.playground.cluster.errors import expired

Document = dict[str, Any]
Key = tuple[str, str, str]
"""Drawer, namespace (empty if none), name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: the object after it (at deletion: as it was last) and before it."""

    version: int
    drawer: str
    before: Document | None
    after: Document | None


class Storage:
    """Everything that is stored. Documents in it are never changed, only replaced."""

    def __init__(self, *, history: int = 1000) -> None:
        self.objects: dict[Key, Document] = {}
        self.version = 100
        self._history: deque[Change] = deque(maxlen=history)
        self._oldest = self.version
        self._listeners: set[asyncio.Event] = set()

    def get(self, drawer: str, namespace: str, name: str) -> Document | None:
        return self.objects.get((drawer, namespace, name))

    def all(self, drawer: str, namespace: str = "") -> list[Document]:
        """Return the objects of a drawer by namespace and name; of every namespace if none is given."""
        keys = [key for key in self.objects if key[0] == drawer and (not namespace or key[1] == namespace)]
        return [self.objects[key] for key in sorted(keys)]

    def put(self, drawer: str, document: Document) -> Document:
        """Store an object under a new version, and return it as stored."""
        meta = document["metadata"]
        key = (drawer, meta.get("namespace", ""), meta["name"])
        self.version += 1
        stored = {**document, "metadata": {**meta, "resourceVersion": str(self.version)}}
        before = self.objects.get(key)
        self.objects[key] = stored
        self._record(Change(version=self.version, drawer=drawer, before=before, after=stored))
        return stored

    def remove(self, drawer: str, namespace: str, name: str) -> Document:
        """Take an object away under a new version, and return it as it was, with that version."""
        document = self.objects.pop((drawer, namespace, name))
        self.version += 1
        last = {**document, "metadata": {**document["metadata"], "resourceVersion": str(self.version)}}
        self._record(Change(version=self.version, drawer=drawer, before=last, after=None))
        return last

    def since(self, version: int) -> list[Change]:
        """Return the changes after a version.

        Raises:
            ApiError: 410, if the history no longer reaches back that far.
        """
        if version < self._oldest:
            raise expired(self._oldest, version)
        changes: list[Change] = []
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

    def _record(self, change: Change) -> None:
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
            (drawer, namespace, name): value for drawer, namespace, name, value in snapshot["objects"]
        }
        self.version = int(snapshot["version"])
        self.expire()
