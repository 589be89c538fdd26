"""How every controller works: see what changed, wait a little, bring one object after the other in order."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.storage import StorageEvent
from core.waiting import first_of

Document = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name of the object a controller keeps in order."""


class Controller(ABC):
    """A worker with a queue of its own, which a gate can stop between any two writes.

    Attributes:
        delay: seconds between a change and the look at it, as a real controller's watch and queue need.
    """

    delay = 0.004

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        self.api = api
        self.clock = api.clock
        self._gate = gate
        self._due: dict[Key, float] = {}

    @abstractmethod
    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        """Return which objects a change concerns."""

    @abstractmethod
    def all_keys(self) -> Iterable[Key]:
        """Return all objects, for a start and after the history was lost."""

    @abstractmethod
    async def reconcile(self, key: Key) -> float | None:
        """Bring one object in order.

        Returns:
            Seconds until it must be looked at again even if nothing changes, `None` for never.
        """

    @property
    def name(self) -> str:
        """What its task is called."""
        return type(self).__name__

    async def pause(self, seconds: float) -> None:
        """Let time pass between two writes, and wait while the controllers are frozen."""
        await self.clock.sleep(seconds)
        await self._gate.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        storage = self.api.storage
        version = storage.version
        self._enqueue(self.all_keys(), 0.0)
        with storage.listening() as event:
            while True:
                event.clear()
                version = self._catch_up(version)
                now = self.clock.monotonic()
                ready = [key for key, at in self._due.items() if at <= now]
                if not ready:
                    due = [self.clock.sleep(min(self._due.values()) - now)] if self._due else []
                    await first_of(event.wait(), *due)
                for key in ready:
                    del self._due[key]
                    await self._gate.wait()
                    again = await self.reconcile(key)
                    if again is not None:
                        self._enqueue([key], again)

    def _catch_up(self, version: int) -> int:
        storage = self.api.storage
        try:
            changes = storage.since(version)
        except ApiError:
            self._enqueue(self.all_keys(), self.delay)
            return storage.version
        for change in changes:
            self._enqueue(self.affected_keys(change), self.delay)
        return changes[-1].version if changes else version

    def _enqueue(self, keys: Iterable[Key], seconds: float) -> None:
        at = self.clock.monotonic() + seconds
        for key in keys:
            self._due[key] = min(self._due.get(key, at), at)


def key_of(document: Document) -> Key:
    return (document["metadata"].get("namespace", ""), document["metadata"]["name"])


def owner(document: Document, kind: str) -> Document | None:
    """Return the reference to the controlling owner, if it is of that kind."""
    for reference in document["metadata"].get("ownerReferences") or []:
        if reference.get("controller") and reference["kind"] == kind:
            found: Document = reference
            return found
    return None


def owned(documents: list[Document], uid: str) -> list[Document]:
    """Return those documents whose controlling owner has that uid."""
    return [
        document
        for document in documents
        if any(
            reference["uid"] == uid and reference.get("controller")
            for reference in document["metadata"].get("ownerReferences") or []
        )
    ]


def reference_to(document: Document) -> Document:
    """Return the owner reference for what an object controls."""
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": document["metadata"]["name"],
        "uid": document["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
