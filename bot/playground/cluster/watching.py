"""Watches as HTTP streams: every change after a version, bookmarks in between, an end in time."""

import asyncio
import logging

from aiohttp import web
from orjson import dumps

from bot.playground.cluster.api import Api
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.listing import bookmark, error_event, matcher, start_version, watch_event
from bot.playground.cluster.requests import ApiRequest
from core.waiting import first_of

log = logging.getLogger(__name__)

# A real API server sends one about every minute, and one shortly before it ends a watch.
BOOKMARK_EVERY = 60.0
BOOKMARK_BEFORE_END = 2.0
LONGEST_WATCH = 1800.0  # seconds


class Watches:
    """The watches that are open now."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._open: set[asyncio.Event] = set()
        self._closing = False
        self._generation = 0
        self.stalled = False

    def close(self) -> None:
        """End every watch, as a server that shuts down."""
        self._closing = True
        self.drop()

    def drop(self) -> None:
        """Cut the open watches' connections, as a network would."""
        self._generation += 1
        for event in self._open:
            event.set()

    @property
    def count(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request, call: ApiRequest) -> web.StreamResponse:
        """Stream changes until the client leaves, the time is over or the history has moved on.

        Raises:
            ApiError: 410, before the stream has begun.
        """
        version = start_version(call.query, self._api.storage)
        self._api.storage.since(version)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        try:
            await response.prepare(request)
            version = await self._initial(response, call, version)
            await self._follow(request, response, call, version)
        except ConnectionError as error:
            # A watcher that leaves does so without a word; nothing is left to be done for it.
            log.debug("a watcher of %s has left: %s", call.target.resource.key, error)
        return response

    async def _follow(
        self, request: web.Request, response: web.StreamResponse, call: ApiRequest, version: int
    ) -> None:
        """Send what changes after a version, until the watch's time is over or it is cut."""
        storage, clock, generation = self._api.storage, self._api.clock, self._generation
        wanted = matcher(call.query, call.target.namespace, call.target.name)
        ends = clock.monotonic() + min(
            float(call.query.get("timeoutSeconds") or LONGEST_WATCH), LONGEST_WATCH
        )
        marks = _next_mark(clock.monotonic(), ends) if call.flag("allowWatchBookmarks") else float("inf")
        with storage.listening() as event:
            self._open.add(event)
            try:
                while (self.stalled or clock.monotonic() < ends) and not self._closing:
                    if generation != self._generation:
                        _cut(request)
                        return
                    event.clear()
                    if self.stalled:
                        await event.wait()
                        continue
                    try:
                        changes = storage.since(version)
                    except ApiError as error:
                        await response.write(dumps(error_event(error)) + b"\n")
                        return
                    lines = [watch_event(change, call.target.resource.key, wanted) for change in changes]
                    text = b"".join(dumps(line) + b"\n" for line in lines if line is not None)
                    version = changes[-1].version if changes else version
                    if clock.monotonic() >= marks:
                        marks = _next_mark(clock.monotonic(), ends)
                        text += dumps(bookmark(call.target.resource, version)) + b"\n"
                    if text:
                        await response.write(text)
                    if not event.is_set():
                        await first_of(event.wait(), clock.sleep(min(ends, marks) - clock.monotonic()))
            finally:
                self._open.discard(event)

    async def _initial(self, response: web.StreamResponse, call: ApiRequest, version: int) -> int:
        """Send what exists already, if the client asked for that instead of a list, and return its version."""
        query, resource = call.query, call.target.resource
        wants = call.flag("sendInitialEvents") or query.get("resourceVersion", "") in {"", "0"}
        if not wants:
            return version
        wanted = matcher(query, call.target.namespace, call.target.name)
        found = self._api.storage.all(resource.key, call.target.namespace)
        version = self._api.storage.version
        lines = [{"type": "ADDED", "object": document} for document in found if wanted(document)]
        if call.flag("sendInitialEvents"):
            lines.append(bookmark(resource, version, initial_end=True))
        for line in lines:
            await response.write(dumps(line) + b"\n")
        return version


def _next_mark(now: float, ends: float) -> float:
    """Return when a watch that ends then is to be sent its next bookmark."""
    last = ends - BOOKMARK_BEFORE_END
    return min(now + BOOKMARK_EVERY, last) if last > now else now + BOOKMARK_EVERY


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
