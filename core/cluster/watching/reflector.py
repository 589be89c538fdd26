"""A gap-free stream of changes of one collection: list, watch, and every way in which a watch goes wrong.

The rules are client-go's (`tools/cache/reflector.go`): resource versions are opaque; a list is a consistent read;
a watch continues from exactly the list's version; only events and bookmarks move it on; whatever vanished while
nobody was looking is told as deleted after the next list.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Self

import aiohttp
import orjson

from core.clock import Clock
from core.cluster.api.address import Address
from core.cluster.api.client import LIST_SECONDS, Json, KubeClient, selectors
from core.cluster.api.refusals import ApiUnreachable, refusal, status_of
from core.cluster.api.transport import StreamIdle
from core.errors import Unreachable

MAX_LINE = 4 << 20  # etcd keeps at most 1.5 MiB an object; its JSON may be larger
VERY_SHORT_WATCH = 1.0  # client-go's "very short watch", in seconds
# Seconds after which a watch has worked, though nothing happened in it: the next failure is a first one.
WORKING_AFTER = 5.0
# Seconds of Retry-After that are believed: no server may make a rollout blind for an hour.
LONGEST_RETRY_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change.

    Attributes:
        type: SYNC: what was told is the server's state and the watch is open. STALE: the watch is broken.
        why: of STALE, what went wrong, as far as it is known.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED", "SYNC", "STALE"]
    object: Json | None = None
    why: str = ""


Sink = Callable[[WatchEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectorOptions:
    """Times in seconds.

    Attributes:
        idle: silence after which a watch counts as dead and is opened anew (engine rule 48).
        timeout_range: range of `timeoutSeconds`; random, so that watches do not end all at once. A server that lives sends a
            bookmark two seconds before that end, and otherwise about once a minute: so a short watch is what makes
            it speak, at the price of a request, and no list.
        backoff: first and longest pause between failures; half of it is random.
        relist: patience for a list while the one before still counts as the present state.
    """

    idle: float = 15.0
    timeout_range: tuple[int, int] = (8, 11)
    backoff: tuple[float, float] = (0.5, 30.0)
    relist: float = 5.0


# For what no verdict rests on: nobody needs to know at once whether it is still told.
UNHURRIED = ReflectorOptions(idle=75.0, timeout_range=(240, 360))


class StaleStream(Exception):
    """The stream continues an older list than the one that is known by now."""


class MalformedEvent(Exception):
    """A line of a watch that cannot be read: only a fresh list tells what it would have said."""


class Reflector:
    """Follows one collection and tells `sink` each change, never waiting for it.

    Args:
        client: whom to ask.
        at: the collection.
        sink: told each change; it must return at once, since a slow watcher is closed by the server.
        clock: for pauses.
        label_selector: what is followed, "" for all.
        tuning: times, for tests.
    """

    def __init__(
        self,
        client: KubeClient,
        at: Address,
        sink: Sink,
        *,
        clock: Clock,
        label_selector: str = "",
        tuning: ReflectorOptions | None = None,
    ) -> None:
        self._client = client
        self._at = at
        self._sink = sink
        self._clock = clock
        self._label_selector = label_selector
        self._tuning = tuning or ReflectorOptions()
        self._random = random.SystemRandom()
        self._objects: dict[tuple[str, str], Json] = {}
        self._version = ""
        self._events = 0
        self._failures = 0
        self._synced = False
        self._stale = True
        self._lists = 0
        self._opened: float | None = None
        self._heard = clock.monotonic()
        self._content: aiohttp.StreamReader | None = None

    async def run(self) -> NoReturn:
        """List and watch for ever.

        Raises:
            Rejected: the right is missing, or the request is wrong: pausing would not mend it.
        """
        while True:
            await self._list()
            while await self._watch():
                pass

    @property
    def silent(self) -> float:
        """How many seconds ago the server last said anything of this collection: a list, an event, a bookmark, an end."""
        return self._clock.monotonic() - self._heard

    def doubt(self) -> None:
        """Take the open watch for dead: it has been silent for too long."""
        if self._content is not None:
            self._content.set_exception(
                StreamIdle(f"the watch of {self._at} was silent for {self.silent:.0f} s")
            )

    async def refresh(self, seconds: float) -> None:
        """Read the collection now, tell what differs, and watch on from there: what the open watch says is older.

        Raises:
            Rejected, Unreachable: it cannot be read, or not within so many seconds a page.
        """
        self._replace(*await self._read(seconds))
        if self._content is not None:
            self._content.set_exception(StaleStream())

    async def _list(self) -> None:
        while True:
            lists = self._lists
            # While the state before still counts as synced, it must not grow old for a minute.
            seconds = LIST_SECONDS if self._stale else self._tuning.relist
            try:
                items, version = await self._read(seconds)
            except Unreachable as error:
                await self._pause(error)
                continue
            if lists == self._lists:
                self._replace(items, version)
            return

    async def _read(self, seconds: float) -> tuple[list[Json], str]:
        return await self._client.list(self._at, label_selector=self._label_selector, seconds=seconds)

    def _replace(self, items: list[Json], version: str) -> None:
        """Tell the difference between what was known and a fresh list; the order of a watch would be lost anyway."""
        self._synced, self._version = False, version
        self._lists += 1
        self._heard = self._clock.monotonic()
        fresh = {_key(item): item for item in items}
        for key in self._objects.keys() - fresh.keys():
            self._sink(WatchEvent("DELETED", self._objects.pop(key)))
        for key, item in fresh.items():
            old = self._objects.get(key)
            if old is None or _version(old) != _version(item):
                self._put(key, item)

    async def _watch(self) -> bool:
        """Watch once; return whether to watch on from where it ended, as opposed to list again."""
        before, began = self._events, self._clock.monotonic()
        try:
            await self._follow(self._lists)
        except StaleStream:
            pass
        except StreamIdle as error:
            self._lose(error)
        except MalformedEvent as error:
            await self._pause(error)
            return False
        except ApiUnreachable as error:
            expired = error.status.code == 410
            # An expired version without progress would expire again at once: that must not spin.
            if not expired or self._events == before:
                await self._pause(error)
            return not expired
        except Unreachable as error:
            await self._pause(error)
        else:
            if self._events == before and self._clock.monotonic() - began < VERY_SHORT_WATCH:
                await self._pause(None)
        return True

    async def _follow(self, lists: int) -> None:
        """Take what one watch says, for as long as `lists` is the newest list that was read."""
        params = {
            **selectors(self._label_selector),
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._random.randint(*self._tuning.timeout_range)),
        }
        async with self._client.watch(self._at, params, idle=self._tuning.idle) as content:
            self._opened, self._content = self._clock.monotonic(), content
            try:
                self._sync(lists)
                async for line in _Lines(content):
                    self._sync(lists)
                    self._take(line)
                self._heard = self._clock.monotonic()
            finally:
                self._content = None

    def _sync(self, lists: int) -> None:
        """Tell once that the watch is open; raise StaleStream where it is not the newest list that it continues."""
        if lists != self._lists:
            raise StaleStream
        self._heard = self._clock.monotonic()
        if not self._synced:
            self._synced, self._stale = True, False
            self._sink(WatchEvent("SYNC"))

    def _take(self, line: bytes) -> None:
        kind, item = _event(line)
        if kind == "ERROR":
            raise refusal(status_of(item), "watch", self._at)
        try:
            key, self._version = _key(item) if kind != "BOOKMARK" else ("", ""), _version(item)
        except KeyError as error:
            raise MalformedEvent(f"an event of {self._at} without {error}") from error
        self._events += 1
        self._failures = 0
        if kind == "DELETED":
            self._objects.pop(key, None)
            self._sink(WatchEvent("DELETED", item))
        elif kind != "BOOKMARK":
            self._put(key, item)

    def _put(self, key: tuple[str, str], item: Json) -> None:
        known, self._objects[key] = key in self._objects, item
        self._sink(WatchEvent("MODIFIED" if known else "ADDED", item))

    def _lose(self, error: Exception | None) -> None:
        """Tell that what is known may be old."""
        self._synced, self._stale = False, True
        self._sink(WatchEvent("STALE", why=str(error or "")))

    async def _pause(self, error: Exception | None) -> None:
        self._lose(error)
        if self._opened is not None and self._clock.monotonic() - self._opened >= WORKING_AFTER:
            self._failures = 0
        self._opened = None
        first, longest = self._tuning.backoff
        span = min(longest, first * 2 ** min(self._failures, 8))
        self._failures += 1
        asked = error.status.retry_after if isinstance(error, ApiUnreachable) else None
        await self._clock.sleep(
            max(min(asked or 0.0, LONGEST_RETRY_AFTER), span * self._random.uniform(0.5, 1.0))
        )


class _Lines:
    """Whole lines of a stream; what a connection ends in the middle of is dropped, since it will be told again."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self._ready: deque[bytes] = deque()
        self._rest = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._ready:
            chunk = await self._content.readany()
            if not chunk:
                raise StopAsyncIteration
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            self._ready.extend(line for line in whole if line.strip())
            if len(self._rest) > MAX_LINE:
                raise MalformedEvent(f"a line of more than {MAX_LINE} bytes")
        return self._ready.popleft()


def _event(line: bytes) -> tuple[str, Json]:
    try:
        event: Any = orjson.loads(line)
        kind, item = event["type"], event["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise MalformedEvent("a line that is no watch event") from error
    if not isinstance(kind, str) or not isinstance(item, dict):
        raise MalformedEvent("a line that is no watch event")
    return kind, item


def _key(item: Json) -> tuple[str, str]:
    # With the uid: an object that is deleted and made anew under its name is two objects.
    return item["metadata"]["name"], item["metadata"].get("uid", "")


def _version(item: Json) -> str:
    version: str = item["metadata"]["resourceVersion"]
    return version
