"""An application on an address: aiohttp's server behind connections that bear strangers."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_request import BaseRequest

from bot.http.bodies import BODIES, LIMITS
from bot.http.connection import HttpConnection
from bot.http.errors import error_middleware, routing_response
from bot.http.limits import HttpLimits
from bot.http.log_limiter import LogLimiter
from bot.http.memory import MemoryLimiter
from bot.http.pool import ConnectionPool
from bot.http.request_ids import request_id_middleware, tell_request_id

log = logging.getLogger(__name__)

# What the kernel keeps of a connection, each way, before the sender has to wait; it would go up to some megabytes by itself.
SOCKET_BYTES = 1 << 16
SHUTDOWN_SECONDS = 2.0


def new_application(limits: HttpLimits, middlewares: Sequence[Middleware] = ()) -> web.Application:
    """Return an application whose errors are contract 3's, with the limits of its port."""
    made = web.Application(
        middlewares=[request_id_middleware, error_middleware, *middlewares],
        client_max_size=limits.body_bytes,
    )
    made.on_response_prepare.append(tell_request_id)
    made[LIMITS] = limits
    made[BODIES] = MemoryLimiter(limits.bodies_bytes)
    return made


_unaccepted = LogLimiter(log)


def _accepting(record: logging.LogRecord) -> bool:
    """Tell whatever asyncio has to say from a connection that it cannot accept: a hundred tracebacks a second."""
    if not record.getMessage().startswith("socket.accept() out of system resource"):
        return True
    _unaccepted.warn(record.created, "no connection can be accepted: this process may open no more files")
    return False


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[None]:
    """Let an application of `new_application` answer on this address, by TLS where there is a certificate."""
    logging.getLogger("asyncio").addFilter(_accepting)
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    site = HttpSite(runner, app[LIMITS], host, port, tls)
    try:
        await site.start()
        yield
    finally:
        await runner.cleanup()
        site.abort()


def socket_hosts(host: str) -> list[str]:
    """Return the addresses to listen on: of `::` that of IPv4 too, which asyncio's socket of IPv6 leaves out (`IPV6_V6ONLY`)."""
    return ["::", "0.0.0.0"] if host == "::" else [host]  # noqa: S104 - as the operator says


class HttpSite(web.BaseSite):
    """Where one application listens."""

    def __init__(
        self,
        runner: web.AppRunner,
        limits: HttpLimits,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(runner)
        assert runner.server is not None
        _mark_beginnings(runner.server)
        self._host = host
        self._port = port
        self._pool = ConnectionPool(runner.server, limits, asyncio.get_running_loop(), tls)
        self._scheme = "http" if tls is None else "https"

    @property
    def name(self) -> str:
        return f"{self._scheme}://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        loop = asyncio.get_running_loop()
        hosts = socket_hosts(self._host)
        self._server = await loop.create_server(self._pool, hosts, self._port, start_serving=False)
        for listener in self._server.sockets:
            # Whoever is accepted inherits it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        await self._server.start_serving()

    def abort(self) -> None:
        """End what is still connected."""
        self._pool.close()


def _mark_beginnings(server: web.Server) -> None:
    """Let each connection know when a request of it begins to be answered."""
    answer = server.request_handler

    async def marked(request: BaseRequest) -> web.StreamResponse:
        assert isinstance(request.protocol, HttpConnection)
        request.protocol.begin()
        try:
            return await answer(request)
        except web.HTTPException as error:
            # Raised before any middleware: an expectation that aiohttp does not know.
            assert isinstance(request, web.Request)
            return routing_response(request, error)

    server.request_handler = marked
