"""Whose turn it is to write: what is urgent comes before whatever else waits, each in the order in which it came."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


class WriteQueue:
    """A lock that is handed from one writer straight to the next, so that nobody comes between.

    Whoever is urgent waits for the one that writes and for others who are urgent. These must be few and short, or the rest
    waits for ever.
    """

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, urgent: bool = False) -> AsyncGenerator[None]:
        """Hold the turn for the length of the block."""
        await self._acquire(self._urgent if urgent else self._others)
        try:
            yield
        finally:
            self._hand_on()

    async def _acquire(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            return
        waiter = asyncio.get_running_loop().create_future()
        queue.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._hand_on()  # it was cancelled in the moment in which its turn came
            else:
                with suppress(ValueError):
                    queue.remove(waiter)
            raise

    def _hand_on(self) -> None:
        for queue in (self._urgent, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._taken = False
