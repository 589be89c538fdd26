"""One connection of aiohttp's with the patience it lacks: for headers that never end, and for readers that never read."""

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import Protocol

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_request import BaseRequest

from bot.http.errors import (
    HeaderTooLarge,
    Overloaded,
    RequestTimeout,
    error_response,
    json_response,
    raw_response,
)
from bot.http.handshake import TlsProtocol
from bot.http.limits import HttpLimits
from bot.http.log_limiter import LogLimiter
from bot.http.memory import MemoryLimiter
from core.errors import Unexpected, UserError

log = logging.getLogger(__name__)

# A request is a line and some headers; proxies add a dozen.
MOST_HEADERS = 64
# A token of GitLab names up to 200 groups of whoever started the job (`groups_direct`), and is encoded twice on its way.
LONGEST_LINE = 1 << 15
# What is buffered of a body that nobody reads yet; twice of it, and then the sender has to wait.
BUFFERED_BYTES = 1 << 14
# After an answer, what is still sent of its request is read and dropped for so long: otherwise the answer could be lost.
LINGERING_SECONDS = 2.0
UNREADABLE = "this cannot be read as an HTTP request"
TOO_LONG = HeaderTooLarge(
    f"a header of this request is longer than {LONGEST_LINE:,} bytes",
    hint="a token of a job takes most of it: let the job ask for one with fewer claims, or use a stored token (docs/ci.md)",
)


class ConnectionTracker(Protocol):
    """Whoever keeps the connections of a port."""

    limits: HttpLimits
    headers: MemoryLimiter
    noise: LogLimiter

    def lost(self, connection: "HttpConnection") -> None:
        """Forget a connection."""
        ...


class HttpConnection(web.RequestHandler, TlsProtocol):
    """A connection that knows what it waits for.

    Attributes:
        busy: a request is being answered.
        asked: otherwise: one has begun to come in, or is the first and expected to. If not, this is between two requests.
        since: when that began, by the loop's clock.
    """

    __slots__ = (
        "_bare",
        "_closing_since",
        "_owner",
        "_refused",
        "_stalled_since",
        "_unread",
        "_wire",
        "asked",
        "busy",
        "since",
    )

    def __init__(self, server: web.Server, owner: ConnectionTracker, loop: asyncio.AbstractEventLoop) -> None:
        # Nobody who calls compresses, and aiohttp stumbles over what anybody sends that is not compressed well.
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # aiohttp: "if access_log"
            keepalive_timeout=owner.limits.idle_seconds,
            lingering_time=LINGERING_SECONDS,
            max_headers=MOST_HEADERS,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            read_bufsize=BUFFERED_BYTES,
            auto_decompress=False,
        )
        self._owner = owner
        self._wire: asyncio.Transport | None = None
        self._bare: asyncio.Transport | None = None  # below TLS, before that is agreed on
        self._refused = False
        self._unread: StreamReader | None = None  # a body that was answered before it was read
        self._stalled_since: float | None = None
        self._closing_since: float | None = None
        self.busy = False
        self.asked = True
        self.since = loop.time()

    def greet(self, wire: asyncio.Transport) -> None:
        self._bare = wire

    def handshake_failed(self, error: Exception) -> None:
        if isinstance(error, ssl.SSLError):
            self._note(error)
        self._owner.lost(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._owner.headers.release(self)
        self._owner.lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in. Until `begin` it counts as headers, though a body may follow them at once."""
        if self._unread is not None and self._unread.is_eof():
            self._unread = None
        if not self.busy and data and self._unread is None:
            if not self.asked:
                self.asked, self.since = True, self._loop.time()
            self._owner.headers.hold(self, len(data))
        if not self._refused:
            super().data_received(data)

    def pause_writing(self) -> None:
        self._stalled_since = self._loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled_since = None
        super().resume_writing()

    def begin(self) -> None:
        """Note that a whole request is here and about to be answered.

        Raises:
            ConnectionResetError: its sender was refused in the meantime, so it must not be carried out.
        """
        if self._refused:
            raise ConnectionResetError("whoever asked was turned away")
        self.busy = True
        self._owner.headers.release(self)

    def log_access(self, request: BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        """Note that a request is answered: aiohttp calls this after the last byte of each."""
        self.busy, self.asked, self.since = False, False, self._loop.time()
        self._unread = None if request.content.is_eof() else request.content
        super().log_access(request, response, time)

    def give_way(self) -> None:
        """Make room for others: without a word between two requests, with a sentence before the end of one."""
        self.refuse(Overloaded("too many wait here; try again in a moment") if self.asked else None)

    def refuse(self, error: UserError | None) -> None:
        """End a connection of which no request is being answered, saying why where something was asked."""
        self._refused = True
        self._owner.headers.release(self)
        if error is not None and self._wire is not None and not self._wire.is_closing():
            self._wire.write(raw_response(error))
        if self._wire is None and self._bare is not None:
            self._bare.abort()
        self.force_close()

    def look(self, now: float) -> None:
        """End it if it has waited for the other side for longer than it may."""
        limits, wire = self._owner.limits, self._wire
        if wire is None:
            if now - self.since > limits.header_seconds:
                self.abort()
                self._owner.lost(self)  # it was gone before it was here
        elif wire.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > limits.closing_seconds:
                wire.abort()
        elif self._stalled_since is not None and now - self._stalled_since > limits.reader_seconds:
            wire.abort()
        elif not self.busy and self.asked and now - self.since > limits.header_seconds:
            self.refuse(RequestTimeout(f"no whole request came within {limits.header_seconds:g} seconds"))

    def abort(self) -> None:
        """End it now, whatever is still to be sent."""
        wire = self._wire or self._bare
        if wire is not None:
            wire.abort()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,  # noqa: ARG002 # aiohttp's signature
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 # it shows what was sent
    ) -> web.StreamResponse:
        """Answer what aiohttp cannot read, or what no route has caught, with a sentence of ours."""
        if self._refused or request.writer.output_size > 0:
            raise ConnectionError("nothing can be answered any more")
        if _is_senders_fault(exc):
            self._note(exc)
            answer = (
                error_response(TOO_LONG)
                if isinstance(exc, LineTooLong)
                else json_response({"error": UNREADABLE}, status=400)
            )
        else:
            surprise = Unexpected()
            log.error("%s: a request failed before its route", surprise.reference, exc_info=exc)
            answer = error_response(surprise)
        answer.force_close()
        return answer

    def log_exception(self, *args: object, exc_info: object = None, **_: object) -> None:
        """Write down what aiohttp found between two requests."""
        if _is_senders_fault(exc_info):
            self._note(exc_info)
        else:
            log.error(*args, exc_info=exc_info)  # type: ignore[arg-type] # as aiohttp's own

    def _note(self, error: object) -> None:
        wire = self._wire or self._bare
        peer = wire.get_extra_info("peername") if wire is not None else None
        self._owner.noise.warn(
            self._loop.time(),
            "what %s sent cannot be read as %s: %s",
            peer[0] if isinstance(peer, tuple) else "somebody",
            "TLS" if isinstance(error, ssl.SSLError) else "HTTP",
            type(error).__name__,
        )


def _is_senders_fault(error: object) -> bool:
    return isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)


class RefusedConnection(asyncio.Protocol):
    """Says at once that there is no room, and stays until that is read: closing at once could take it away again."""

    def __init__(self, error: UserError | None) -> None:
        """Take what is said; None is no word, where nobody would understand one before TLS is agreed on."""
        self._error = error
        self._wire: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        if self._error is None:
            transport.abort()
            return
        transport.write(raw_response(self._error))
        with suppress(OSError):  # whoever it was has gone already
            transport.write_eof()

    def abort(self) -> None:
        if self._wire is not None:
            self._wire.abort()
