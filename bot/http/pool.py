"""The connections of one port: at most so many, each with an end."""

import asyncio
import logging
import ssl
from collections import deque

from aiohttp import web

from bot.http.connection import HttpConnection, RefusedConnection
from bot.http.errors import Overloaded
from bot.http.handshake import TlsHandshake
from bot.http.limits import HttpLimits
from bot.http.log_limiter import LogLimiter
from bot.http.memory import MemoryLimiter

log = logging.getLogger(__name__)

# For each open connection that is allowed: those beyond the limit that are being told so, and as many that have given way.
REFUSED_SHARE = 1 / 4


class ConnectionPool:
    """Makes the connections of a port, and looks after them as long as there are any."""

    def __init__(
        self,
        server: web.Server,
        limits: HttpLimits,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self.headers = MemoryLimiter(limits.header_bytes)
        self.noise = LogLimiter(log)
        self._server = server
        self._loop = loop
        self._tls = tls
        self._shaking: set[asyncio.Task[None]] = set()
        self._open: set[HttpConnection] = set()
        self._leaving: set[HttpConnection] = set()
        self._most_refused = max(1, int(limits.connections * REFUSED_SHARE))
        self._refused: deque[tuple[float, RefusedConnection]] = deque()
        self._looking: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.Protocol:
        """Return what takes a connection that has just been accepted."""
        self._look_later()
        if len(self._open) >= self.limits.connections and not self._make_room():
            return self._refusal()
        made = HttpConnection(self._server, self, self._loop)
        self._open.add(made)
        if self._tls is None:
            return made
        return TlsHandshake(made, self._tls, self.limits.header_seconds, self._shaking)

    def lost(self, connection: HttpConnection) -> None:
        self._open.discard(connection)
        self._leaving.discard(connection)

    def close(self) -> None:
        """End whatever is still connected, and look after nothing any more."""
        if self._looking is not None:
            self._looking.cancel()
        for connection in [*self._open, *self._leaving]:
            connection.abort()
        for _, refused in self._refused:
            refused.abort()

    def _make_room(self) -> bool:
        """End the connection that has waited longest for a whole request, if any waits.

        One between two requests stays while there are others: a proxy may be about to send the next.
        """
        waiting = [connection for connection in self._open if not connection.busy]
        if waiting:
            self._end(min(waiting, key=lambda connection: (not connection.asked, connection.since)))
        self.noise.warn(
            self._loop.time(),
            "%d connections are open, the limit of this port: %s",
            self.limits.connections,
            "who has waited longest without a whole request gives way"
            if waiting
            else "the next ones are refused",
        )
        return bool(waiting)

    def _end(self, connection: HttpConnection) -> None:
        self._open.discard(connection)
        connection.give_way()
        if len(self._leaving) < self._most_refused:
            self._leaving.add(connection)
        else:
            connection.abort()

    def _refusal(self) -> RefusedConnection:
        if len(self._refused) >= self._most_refused:
            self._refused.popleft()[1].abort()
        full = Overloaded("too many are connected; try again in a moment")
        made = RefusedConnection(full if self._tls is None else None)
        self._refused.append((self._loop.time(), made))
        return made

    def _look_later(self) -> None:
        if self._looking is None:
            self._looking = self._loop.call_later(self.limits.look_seconds, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for connection in [*self._open, *self._leaving]:
            connection.look(now)
        while self._refused and now - self._refused[0][0] > self.limits.closing_seconds:
            self._refused.popleft()[1].abort()
        self._looking = None
        if self._open or self._leaving or self._refused:
            self._look_later()
