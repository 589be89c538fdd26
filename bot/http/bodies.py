"""Reading a body that a stranger may have sent: never more than is taken, nor for longer, nor before the door wants it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from bot.http.errors import Overloaded, PayloadTooLarge, RequestTimeout
from bot.http.limits import HttpLimits
from bot.http.memory import MemoryLimiter
from core.errors import Unreadable

LIMITS = web.AppKey("LIMITS", HttpLimits)
BODIES = web.AppKey("BODIES", MemoryLimiter)


async def read_bytes(request: web.Request, most: int | None = None) -> bytes:
    """Return the body of a request, which has at most what the port takes of a body, or `most` bytes.

    Raises:
        PayloadTooLarge: it has more bytes than that; said at once where its length is announced.
        Unreadable: it ends too early, or is not put together as it says.
        RequestTimeout: it did not come in time.
        Overloaded: all bodies that are being read take too much, and this one most of it.
    """
    limits = request.app[LIMITS]
    if most is not None:
        limits = replace(limits, body_bytes=most)
    # Said at once where the length is announced, before a gigabyte is sent.
    if (request.content_length or 0) > limits.body_bytes:
        raise _too_large(limits)
    await _invite(request)
    reader = _BodyReader(request, limits, request.app[BODIES])
    try:
        return await reader.read()
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        raise Unreadable("the body cannot be unpacked, or ends too early") from None


async def stream_bytes(request: web.Request) -> AsyncGenerator[bytes]:
    """Yield the body of a request as it comes, of any length, to whoever keeps none of it in memory.

    Raises:
        Unreadable: it ends too early, or is not put together as it says.
        RequestTimeout: no byte of it came for as long as a small body may take.
    """
    await _invite(request)
    seconds = request.app[LIMITS].body_seconds
    try:
        while True:
            async with asyncio.timeout(seconds):
                piece = await request.content.readany()
            if not piece:
                return
            yield piece
    except TimeoutError:
        raise RequestTimeout(f"nothing of the body came for {seconds:g} seconds") from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        raise Unreadable("the body cannot be unpacked, or ends too early") from None


async def expect(_: web.Request) -> None:
    """Let a client that asks before it sends a body (`Expect: 100-continue`) wait until `read_bytes` wants it."""


async def _invite(request: web.Request) -> None:
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun: aiohttp looks here


def _too_large(limits: HttpLimits) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is larger than {limits.body_bytes >> 20} MiB")


class _BodyReader:
    """Reads one body, as long as it may."""

    def __init__(self, request: web.Request, limits: HttpLimits, bodies: MemoryLimiter) -> None:
        self._content = request.content
        self._limits = limits
        self._bodies = bodies
        self._patience = asyncio.timeout(limits.body_seconds)
        self._outbid = False

    def give_way(self) -> None:
        self._outbid = True
        self._patience.reschedule(0)

    async def read(self) -> bytes:
        try:
            async with self._patience:
                return await self._all()
        except TimeoutError:
            if self._outbid:
                raise Overloaded("more is being sent to this port than it takes at once") from None
            seconds = self._limits.body_seconds
            raise RequestTimeout(f"the body did not come within {seconds:g} seconds") from None
        finally:
            self._bodies.release(self)

    async def _all(self) -> bytes:
        parts, size = [], 0
        while part := await self._content.readany():
            size += len(part)
            if size > self._limits.body_bytes:
                raise _too_large(self._limits)
            parts.append(part)
            self._bodies.hold(self, len(part))
            if self._outbid:
                raise TimeoutError
        return b"".join(parts)
