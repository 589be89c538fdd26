"""A receiver that would hold the sender up, fill its memory or lead it astray gets one bounded call."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from bot.outgoing.signing import new_secret
from bot.outgoing.webhooks import new_webhook_session, post_event
from core.actor import BOT
from core.records.outgoing_event import Subscription
from tests.bot.http.certificates import NOW, PrivateCa

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\n"


async def drip(writer: asyncio.StreamWriter) -> None:
    for each in OK + b"Content-Length: 0\r\n" + b"X: y\r\n" * 9999:
        writer.write(bytes([each]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 1000000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def dripping_body(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X-A: " + b"y" * 4000 + b"\r\n")
        await writer.drain()


async def ever_continuing(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def receiver(
    answer: Callable[[asyncio.StreamWriter], object], tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Subscription]:
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await reader.readuntil(b"\r\n\r\n")
                await answer(writer)  # type: ignore[misc]
        finally:
            writer.transport.abort()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    yield Subscription(
        id="W",
        kind="webhook",
        url=f"{'https' if tls else 'http'}://127.0.0.1:{port}/in",
        secret=new_secret(),
        created_at=MOMENT,
        created_by=BOT,
    )
    server.close()
    for task in list(serving):
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await asyncio.sleep(0)


async def said(to: Subscription, seconds: float) -> str:
    async with new_webhook_session(private=True, seconds=seconds) as session, asyncio.timeout(30):
        return (await post_event(session, to, "k", b"{}", at=MOMENT, private=True)).answer


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        pytest.param(drip, "no answer within 15 s", id="a status byte by byte"),
        pytest.param(endless_body, "200", id="a body without an end"),
        pytest.param(dripping_body, "200", id="a body byte by byte"),
        pytest.param(endless_headers, "the connection broke off", id="headers without an end"),
        pytest.param(ever_continuing, "no answer within 15 s", id="continue, for ever"),
        pytest.param(no_http, "the connection broke off", id="another protocol"),
        pytest.param(hangs_up, "the connection broke off", id="nothing"),
    ],
)
async def test_whatever_a_receiver_answers_the_call_ends_and_says_what_it_was(answer, heard):
    patience = 0.3 if heard.startswith("no answer") else 20
    async with receiver(answer) as to:
        assert await said(to, patience) == heard


@pytest.mark.parametrize(
    ("ends", "known"),
    [
        pytest.param(NOW - timedelta(hours=1), True, id="it has expired"),
        pytest.param(NOW + timedelta(days=1), False, id="nobody knows who signed it"),
    ],
)
async def test_a_certificate_that_is_not_good_gets_no_event(tmp_path, monkeypatch, ends, known):
    ca = PrivateCa(tmp_path)
    files = ca.pair(ends=ends)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(files.certificate, files.key)
    got: list[bytes] = []

    async def take(writer: asyncio.StreamWriter) -> None:
        got.append(b"an event")
        writer.write(OK + b"\r\n")

    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    async with receiver(take, served) as to:
        assert await said(to, seconds=20) == "its certificate is not to be trusted"
    assert got == []
