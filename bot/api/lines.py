"""`GET /promotions/{id}/lines`: a promotion from its first line to its verdict, as it happens (contract 5)."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from aiohttp import web

from bot.api.authentication import caller_of
from bot.api.formats import FORMATS, Format
from bot.api.names import Names
from bot.http.errors import route_of
from core.clock import Clock
from core.errors import Invalid, NotFound, UserError
from core.ids import normalise
from core.promotion import Promotion
from core.records.line import Line
from core.usecases.viewer import Viewer

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5  # lines are read by people; one small query for each who waits
PART_BYTES = 1 << 15
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would hold lines back until it has a few kilobytes
}


# Returns a promotion, and its lines after a number.
Look = Callable[[int], Awaitable[tuple[Promotion, list[tuple[int, Line]]]]]


class LinesEndpoint:
    """Streams the lines of promotions."""

    def __init__(self, viewer: Viewer, names: Names, clock: Clock) -> None:
        self._viewer = viewer
        self._names = names
        self._clock = clock
        self._streaming: set[asyncio.Task[Any]] = set()

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Stream from the line after `after` to the terminal message, then end."""
        after, shape = position(request), self._format(request.query.get("format", "text"))
        caller = caller_of(request)
        promotion = await self._viewer.promotion(caller, _id(request.match_info["id"]))
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": shape.media})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._streaming.add(task)
        try:
            look = partial(self._viewer.lines, caller, promotion.id)
            await self._stream(request, response, look, shape, after)
        finally:
            self._streaming.discard(task)
        return response

    def _format(self, name: str) -> Format:
        if name not in FORMATS:
            raise Invalid(f"format is one of {', '.join(FORMATS)}")
        return FORMATS[name](self._names)

    async def stop(self, _: web.Application) -> None:
        """Let go of everybody who listens; a stream without its end tells them to come back."""
        for streaming in self._streaming:
            streaming.cancel()

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, look: Look, shape: Format, after: int
    ) -> None:
        def listening() -> bool:
            return request.transport is not None and not request.transport.is_closing()

        try:
            chunks = follow(look, shape, self._clock, after=after, listening=listening)
            async with aclosing(chunks):
                async for chunk in chunks:
                    await write_parts(response, chunk.encode())
            await response.write_eof()
        except ConnectionError:
            return  # whoever listened has left
        # The status is out already: only a stream without its end tells the reader to ask again.
        except UserError:
            hang_up(request)  # they may not view it any more, and are told so when they ask
        except Exception:
            log.exception("%s failed while streaming", route_of(request))
            hang_up(request)


async def write_parts(response: web.StreamResponse, text: bytes) -> None:
    """Write in parts, each when the reader has taken those before, so that no more than one waits in memory twice."""
    for start in range(0, len(text), PART_BYTES):
        await response.write(text[start : start + PART_BYTES])


async def follow(
    look: Look,
    shape: Format,
    clock: Clock,
    *,
    after: int,
    listening: Callable[[], bool],
) -> AsyncGenerator[str]:
    """Yield text that ends with a line end, one or many lines at a time, until the terminal message is out.

    Args:
        look: returns the promotion, and its lines after a number.
        shape: how it is printed.
        clock: what is waited by.
        after: lines (as printed) that were received before; the terminal message is the last one.
        listening: whether anybody still reads.
    """
    number = printed = 0
    while listening():
        promotion, batch = await look(number)
        rows = [row for _, line in batch for row in shape.rows(line)]
        if not batch and promotion.settled:
            rows = [await shape.end(promotion)]
        fresh = rows[max(0, after - printed) :]
        printed += len(rows)
        if fresh:
            yield "".join(f"{row}\n" for row in fresh)
        if batch:
            number = batch[-1][0]
        elif promotion.settled:
            return
        else:
            await clock.sleep(POLL_SECONDS)


def hang_up(request: web.Request) -> None:
    """Break off: the status is out, and only a stream without its end tells the reader to ask again."""
    if request.transport is not None:
        request.transport.abort()


def _id(given: str) -> str:
    promotion = normalise("promotion", given)
    if promotion is None:
        raise NotFound(f"no such promotion: {given[:40]}", hint="its id is P and ten letters")
    return promotion


def position(request: web.Request) -> int:
    """Return the number of lines that whoever asks has received already; raise Invalid where that is none."""
    text = request.query.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid("after is the number of lines already received: 0 or more")
    return int(text)
