"""What the API server holds, kept current: a kubelet acts on changes, and on what it missed while it could not see."""

import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.playground.kubelet.api import ApiClient, ApiClientError
from core.clock import Clock

log = logging.getLogger(__name__)
Document = dict[str, Any]
TRANSIENT = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
GONE = 410  # the version to go on from is no longer kept: list again
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class InformerEvent:
    """An object as it is now, or as it was when it went."""

    document: Document
    deleted: bool = False


class Informer:
    """Follows every object of one path."""

    def __init__(self, api: ApiClient, clock: Clock, path: str, *, field: str = "") -> None:
        self._api = api
        self._clock = clock
        self._path = path
        self._query = {"fieldSelector": field} if field else {}
        self._known: dict[str, Document] = {}

    async def changes(self) -> AsyncIterator[InformerEvent]:
        """Yield every change for ever; what vanished while the connection was down is deleted then."""
        failures = 0
        while True:
            try:
                async for change in self._list_and_watch():
                    failures = 0
                    yield change
            except ApiClientError as error:
                if error.code != GONE:
                    log.warning("%s: %s", self._path, error)
            except TRANSIENT as error:
                log.debug("%s: %s", self._path, error)
            failures += 1
            await self._clock.sleep(
                min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 6)) * random.uniform(0.5, 1.0)
            )

    async def _list_and_watch(self) -> AsyncIterator[InformerEvent]:
        listing = await self._api.call("GET", self._path, query=self._query)
        for change in self._replace(listing.get("items") or []):
            yield change
        version = listing["metadata"]["resourceVersion"]
        while True:
            seen = 0
            async for event in self._api.watch(self._path, {**self._query, "resourceVersion": version}):
                seen += 1
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    yield self._keep(event["object"], deleted=event["type"] == "DELETED")
            if not seen:
                return  # a stream that ends at once must not be opened again at once

    def _replace(self, items: list[Document]) -> list[InformerEvent]:
        present = {item["metadata"]["uid"]: item for item in items}
        gone = [self._keep(old, deleted=True) for uid, old in list(self._known.items()) if uid not in present]
        return [*gone, *(self._keep(item, deleted=False) for item in present.values())]

    def _keep(self, document: Document, *, deleted: bool) -> InformerEvent:
        uid = document["metadata"]["uid"]
        if deleted:
            self._known.pop(uid, None)
        else:
            self._known[uid] = document
        return InformerEvent(document, deleted)
