"""Socket Mode: the connections an application opens to receive what people do."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.faults import Outage
from bot.playground.slack.webapi.failing import cut
from core.waiting import first_of

Json = dict[str, Any]
CONNECTIONS = 10
CONNECTION_SECONDS = 3600
CLOSE_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class SocketConnection:
    """One web socket; a retiring one is given nothing more."""

    socket: web.WebSocketResponse
    request: web.Request
    retiring: bool = False
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)


class SocketMode:
    """All connections of the application; each payload goes to one of them."""

    def __init__(self, context: WorkspaceContext) -> None:
        self._context = context
        self._connections: list[SocketConnection] = []

    @property
    def connected(self) -> int:
        return sum(not connection.retiring for connection in self._connections)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        if self._context.faults.outage is not Outage.NONE:
            return cut(request)
        known = self._context.tickets.use_connection(request.query.get("ticket", ""))
        if not known or len(self._connections) >= CONNECTIONS:
            return web.Response(status=408 if known else 401)
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        connection = SocketConnection(socket, request)
        self._connections.append(connection)
        try:
            await self._hello(connection)
            await self._listen(connection)
        finally:
            self._forget(connection)
        return socket

    async def _hello(self, connection: SocketConnection) -> None:
        info = {"host": "playground", "build_number": 1, "approximate_connection_time": CONNECTION_SECONDS}
        await connection.socket.send_json(
            {
                "type": "hello",
                "num_connections": self.connected,
                "connection_info": {"app_id": self._context.credentials.app_id},
                "debug_info": info,
            }
        )
        self._context.feed.publish({"type": "socket", "connected": self.connected})

    async def _listen(self, connection: SocketConnection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledged(connection, json.loads(message.data))

    def _acknowledged(self, connection: SocketConnection, ack: Json) -> None:
        waiting = connection.waiting.get(str(ack.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload") or {})

    def _forget(self, connection: SocketConnection) -> None:
        self._connections.remove(connection)
        for waiting in connection.waiting.values():
            waiting.cancel()
        self._context.feed.publish({"type": "socket", "connected": self.connected})

    async def send(self, envelope: Envelope, *, attempt: int, seconds: float) -> Json | str:
        """Deliver to one connection; return the ack's payload, or the error a person is shown."""
        ready = [connection for connection in self._connections if not connection.retiring]
        if not ready:
            return "dispatch_failed"
        connection = ready[0]
        # Round robin: whoever was served goes to the end.
        self._connections.remove(connection)
        self._connections.append(connection)
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope.envelope_id] = waiting
        try:
            await connection.socket.send_json(_frame(envelope, attempt))
            await first_of(waiting, self._context.clock.sleep(seconds))
            answered = waiting.done() and not waiting.cancelled()
            return waiting.result() if answered else "operation_timeout"
        except ConnectionError:
            return "dispatch_failed"
        finally:
            connection.waiting.pop(envelope.envelope_id, None)
            waiting.cancel()

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to go, as Slack does every few hours; new ones are welcome at once."""
        for connection in list(self._connections):
            connection.retiring = reason != "warning"
            await connection.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}}
            )

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self._connections):
            connection.retiring = True
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def close(self) -> None:
        await asyncio.gather(*(connection.socket.close() for connection in self._connections))


def _frame(envelope: Envelope, attempt: int) -> Json:
    retry: Json = {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
    return {
        "envelope_id": envelope.envelope_id,
        "type": envelope.type,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.type != "events_api",
        **(retry if attempt or envelope.type == "events_api" else {}),
    }
