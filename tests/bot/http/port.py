"""A port as `serve` opens it, asked through plain sockets: what a client library would never send."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from bot.http.bodies import expect, read_bytes
from bot.http.limits import HttpLimits
from bot.http.site import listening, new_application
from tests.controlplane.processes import free_ports

HOST = "127.0.0.1"
# Times so short that a test sees their end, and as exact.
QUICK = {"look_seconds": 0.01, "closing_seconds": 0.1}


@dataclass
class Reply:
    """What came back, as it stood on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        assert self.headers["content-type"].startswith("application/json"), self
        return json.loads(self.body)["error"]


@dataclass
class Port:
    """The address, and what its routes have seen."""

    number: int
    app: web.Application
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)

    async def connect(self, data: bytes = b"") -> "Client":
        reader, writer = await asyncio.open_connection(HOST, self.number, limit=1 << 24)
        client = Client(reader, writer)
        await client.send(data)
        return client

    async def ask(self, data: bytes) -> Reply:
        async with await self.connect(data) as client:
            return await client.reply()


@dataclass
class Client:
    """One connection of whoever asks."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):  # it was turned away; what came back tells
            await self.writer.drain()

    async def rest(self) -> bytes:
        """Return what comes until the other side ends the connection."""
        parts = []
        with suppress(ConnectionError):
            async with asyncio.timeout(30):
                while part := await self.reader.read(1 << 16):
                    parts.append(part)
        return b"".join(parts)

    async def reply(self) -> Reply:
        """Return one answer."""
        async with asyncio.timeout(30):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(first.split()[1]), headers, body)


def reply_of(raw: bytes) -> Reply:
    """Take apart an answer that ended its connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return Reply(int(first.split()[1]), headers, body)


GET = b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET /ok HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0LXRva2VuCg"


def posting(size: int, sent: bytes = b"", path: str = "/body") -> bytes:
    """Return a request that announces a body of that size, and its beginning."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + sent


@asynccontextmanager
async def opened(tls: ssl.SSLContext | None = None, **limits: float) -> AsyncIterator[Port]:
    app = new_application(HttpLimits(**(QUICK | limits)))  # type: ignore[arg-type]
    (number,) = free_ports(1)
    port = Port(number, app)

    async def ok(request: web.Request) -> web.Response:
        port.asked.append(request.path_qs)
        return web.Response(text="ok\n")

    async def body(request: web.Request) -> web.Response:
        return web.Response(text=f"{len(await read_bytes(request))}\n")

    async def wait(_: web.Request) -> web.Response:
        port.asked.append("wait")
        await port.go.wait()
        return web.Response(text="done\n")

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(64):
                await response.write(b"x" * (1 << 16))
            await response.write_eof()
        finally:
            port.over.append("large")
        return response

    async def middle(request: web.Request) -> web.StreamResponse:
        """Write just more than the kernel takes."""
        response = web.StreamResponse()
        await response.prepare(request)
        assert request.transport is not None
        while not request.transport.get_write_buffer_size():
            await response.write(b"x" * 1_024)
        return response

    app.router.add_get("/ok", ok)
    app.router.add_post("/body", body, expect_handler=expect)
    app.router.add_get("/wait", wait)
    app.router.add_get("/large", large)
    app.router.add_get("/middle", middle)
    async with listening(app, HOST, number, tls):
        yield port
        port.go.set()
