"""Tells everybody who looks at the workspace that something in it has changed."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
Event = dict[str, Any]


class Feed:
    """A stream of events; each subscriber has a queue of its own, so nobody waits for anybody."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    def publish(self, event: Event) -> None:
        for queue in self._queues:
            queue.put_nowait(event)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Event | None]]:
        """Yield a queue that receives every event from now on, and None when the feed closes."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        if self._closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def until(self, predicate: Callable[[], T]) -> T:
        """Return the predicate's first true answer, asking again after every event."""
        with self.subscribe() as queue:
            while not (answer := predicate()):
                if await queue.get() is None:
                    raise RuntimeError("the workspace was stopped while somebody waited for it")
            return answer

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        self._closed = True
        for queue in self._queues:
            queue.put_nowait(None)
