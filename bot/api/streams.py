"""Texts that grow while somebody reads them: sent line by line, and broken off where they cannot go on."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from aiohttp import web

from bot.http.errors import route_of
from core.errors import Invalid, UserError

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5  # lines are read by people; one small query for each who waits
PART_BYTES = 1 << 15
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would hold lines back until it has a few kilobytes
}

Listening = Callable[[], bool]


class TextStreams:
    """Everybody who reads a text as it grows."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[Any]] = set()

    async def send(
        self, request: web.Request, media: str, chunks: Callable[[Listening], AsyncGenerator[str]]
    ) -> web.StreamResponse:
        """Send whole lines, one or many at a time, until there are no more.

        Args:
            request: of whoever reads.
            media: the content type.
            chunks: yields the lines; what it is given tells whether anybody still reads.
        """
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": media})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await _send(request, response, chunks)
        finally:
            self._open.discard(task)
        return response

    async def stop(self, _: web.Application) -> None:
        """Let go of everybody who reads; a stream without its end tells them to come back."""
        for reading in self._open:
            reading.cancel()


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    chunks: Callable[[Listening], AsyncGenerator[str]],
) -> None:
    def listening() -> bool:
        return request.transport is not None and not request.transport.is_closing()

    try:
        async with aclosing(chunks(listening)) as texts:
            async for text in texts:
                await _write_parts(response, text.encode())
        await response.write_eof()
    except ConnectionError:
        return  # whoever read has left
    # The status is out already: only a stream without its end tells the reader to ask again.
    except UserError:
        _hang_up(request)  # they may not view it any more, and are told so when they ask
    except Exception:
        log.exception("%s failed while streaming", route_of(request))
        _hang_up(request)


async def _write_parts(response: web.StreamResponse, text: bytes) -> None:
    """Write in parts, each when the reader has taken those before, so that no more than one waits in memory twice."""
    for start in range(0, len(text), PART_BYTES):
        await response.write(text[start : start + PART_BYTES])


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def position(request: web.Request) -> int:
    """Return the number of lines that whoever asks has received already; raise Invalid where that is none."""
    text = request.query.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid("after is the number of lines already received: 0 or more")
    return int(text)
