"""`GET /metrics` asks nobody who they are: however often and slowly it is asked, it costs the process one look at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.api.metrics import exposition, wants_openmetrics
from bot.api.metrics_snapshot import MetricsSnapshot
from core.errors import Unavailable

# Prometheus hangs up after ten (scrape_timeout, where nobody sets it), and what it was told why it gets nothing is in its list of targets.
SCRAPE_SECONDS = 8.0

Scrape = tuple[bytes, str]


class MetricsEndpoint:
    """Answers whoever scrapes at the same time from one look."""

    def __init__(
        self, look: Callable[[], Awaitable[MetricsSnapshot]], *, seconds: float = SCRAPE_SECONDS
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._running: dict[bool, asyncio.Task[Scrape]] = {}

    async def get(self, request: web.Request) -> web.Response:
        """Answer Prometheus, as OpenMetrics where it asks for that.

        Raises:
            Unavailable: the database cannot be read, or not in time.
        """
        task = self._scrape(openmetrics=wants_openmetrics(request.headers.get("Accept", "")))
        try:
            # Who hangs up ends nobody else's look; who waits too long leaves it to the next one.
            body, content_type = await asyncio.wait_for(asyncio.shield(task), self._seconds)
        except TimeoutError:
            raise Unavailable(
                f"the metrics could not be read within {self._seconds:g} s: the database is busy or its disk slow. "
                "The next scrape is answered as soon as it has been read"
            ) from None
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def stop(self, _: web.Application) -> None:
        """Let go of a look that is still under way, when the port closes."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _scrape(self, *, openmetrics: bool) -> asyncio.Task[Scrape]:
        task = self._running.get(openmetrics)
        if task is None or task.done():
            task = asyncio.create_task(self._read(openmetrics=openmetrics), name="scrape")
            # Where everybody has hung up nobody asks what became of it.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._running[openmetrics] = task
        return task

    async def _read(self, *, openmetrics: bool) -> Scrape:
        facts = await self._look()
        # Of hundreds of apps it takes a tenth of a second to write down: aside, since people wait for the loop. What is counted
        # meanwhile may be one more in a bucket than in its sum.
        return await asyncio.to_thread(exposition, facts, openmetrics=openmetrics)
