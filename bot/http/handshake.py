"""What is agreed on before a connection is HTTP: TLS, with the patience and within the bounds of every other connection.

asyncio would agree on it by itself, and tell nobody of a connection before it has: those who never say a word would be
counted by nobody.
"""

import asyncio
import ssl
from abc import abstractmethod


class TlsProtocol(asyncio.Protocol):
    """Whoever speaks once a connection is safe."""

    __slots__ = ()

    @abstractmethod
    def greet(self, wire: asyncio.Transport) -> None:
        """Take the bare connection, over which nothing may be said yet."""

    @abstractmethod
    def handshake_failed(self, error: Exception) -> None:
        """Learn that it will never be safe, and is gone."""


class TlsHandshake(asyncio.Protocol):
    """A connection that has just been accepted."""

    def __init__(
        self, spoken: TlsProtocol, context: ssl.SSLContext, seconds: float, tasks: set[asyncio.Task[None]]
    ) -> None:
        """Take who speaks afterwards, for how many seconds it may take, and where its task is kept meanwhile."""
        self._spoken = spoken
        self._context = context
        self._seconds = seconds
        self._tasks = tasks
        self._early = b""
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # TLS calls this no second time: `start_tls` leaves that to whoever asks for it.
        assert isinstance(transport, asyncio.Transport)
        # What came in before TLS reads would be lost.
        transport.pause_reading()
        self._spoken.greet(transport)
        task = asyncio.get_running_loop().create_task(self._shake(transport), name="TLS handshake")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Keep what came in the same packet as the end of the handshake."""
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._lost = True

    async def _shake(self, wire: asyncio.Transport) -> None:
        try:
            safe = await asyncio.get_running_loop().start_tls(
                wire, self, self._context, server_side=True, ssl_handshake_timeout=self._seconds
            )
        except OSError as error:
            wire.abort()
            self._spoken.handshake_failed(error)
            return
        # None: asyncio was told to end it, and calls that no error.
        if safe is None or self._lost or safe.is_closing():
            wire.abort()
            self._spoken.handshake_failed(ConnectionResetError("it was gone before it was here"))
            return
        safe.set_protocol(self._spoken)
        self._spoken.connection_made(safe)
        if self._early:
            self._spoken.data_received(self._early)
