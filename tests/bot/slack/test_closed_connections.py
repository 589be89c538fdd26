"""A connection that the server has closed: used again never, and what was lost in it is not sent twice."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from bot.slack.connection import SlackState, new_client, new_session
from bot.slack.web_api import WebApi

ANSWER = b'{"ok": true, "ts": "1.0"}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)


@dataclass
class Server:
    """A server in a thread of its own, so that it acts while our event loop is busy.

    Attributes:
        closes: it closes each connection right after its answer, though it was asked to keep it.
        swallows: it takes the second request, does what it says, and goes without an answer.
        taken: requests that were read, each with the connection that it came by.
        closed: a connection was closed.
    """

    closes: bool = False
    swallows: bool = False
    taken: list[int] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def serve(self, listener: socket.socket) -> None:
        for number in range(10):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while self._request(connection):
                    self.taken.append(number)
                    if self.swallows and len(self.taken) == 2:
                        break
                    connection.sendall(REPLY)
                    if self.closes:
                        break
            self.closed.set()

    def _request(self, connection: socket.socket) -> bool:
        """Read one whole request; False where there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        (length,) = [
            int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")
        ]
        while len(body) < length:
            body += connection.recv(65536)
        return True


@contextmanager
def serving(*, closes: bool = False, swallows: bool = False) -> Iterator[Server]:
    server = Server(closes=closes, swallows=swallows)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


async def test_a_post_goes_at_once_by_another_connection_where_the_server_has_closed_the_kept_one():
    with serving(closes=True) as server:
        async with new_session() as session:
            api = WebApi(new_client("xoxb-1", server.url, session), SlackState())
            for nonce in ("one", "two", "three"):
                server.closed.clear()
                said = await api.post("C1", {"text": "OK"}, nonce)
                assert (said.ts, said.unknown, said.later) == ("1.0", False, False)
                # The loop is busy while the server closes: without a look it would write into the closed connection.
                assert server.closed.wait(5)
                time.sleep(0.01)  # noqa: ASYNC251 - until the kernel has it; the loop must not run meanwhile
    assert server.taken == [0, 1, 2]


async def test_a_post_that_was_taken_without_an_answer_is_not_known_and_not_sent_again():
    """The server has done it and died: only a look-up can tell."""
    with serving(swallows=True) as server:
        async with new_session() as session:
            api = WebApi(new_client("xoxb-1", server.url, session), SlackState())
            assert (await api.post("C1", {"text": "a"}, "one")).ts
            said = await api.post("C1", {"text": "b"}, "two")
    assert (said.unknown, said.later) == (True, False)
    assert server.taken == [0, 0]


async def test_a_connection_that_goes_while_it_is_written_to_has_taken_nothing(
    monkeypatch: pytest.MonkeyPatch,
):
    async def gone(*_: object, **__: object) -> object:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async with new_session() as session:
        client = new_client("xoxb-1", "http://127.0.0.1:9/api/", session)
        monkeypatch.setattr(client, "api_call", gone)
        said = await WebApi(client, SlackState()).post("C1", {"text": "a"}, "one")
    assert (said.later, said.unknown, said.retry_after) == (True, False, 0.0)
