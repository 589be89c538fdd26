"""HTTP mode: signed requests come in, everything else is turned away before it can make a noise."""

import asyncio
import hashlib
import hmac
import io
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.http.limits import HttpLimits
from bot.http.site import listening
from bot.slack.connection import SlackState
from bot.slack.http_endpoint import new_slack_endpoint
from bot.slack.listeners import NOT_KEPT, new_app
from bot.slack.workspace import WorkspaceFilter
from tests.controlplane.processes import free_ports

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMAND = urlencode(
    {
        "command": "/convox",
        "text": "releases",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "user_id": "U01ALICE",
        "channel_id": "C1",
        "team_id": "T1",
        "response_url": "https://hooks.slack.com/commands/1",
    }
)


class Keeper:
    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.kept: list[tuple[str, str]] = []

    async def keep(self, key: str, kind: str, payload: bytes) -> None:
        if self.broken:
            raise OSError("disk full")
        self.kept.append((key, kind))


def application(sink: Keeper, limits: HttpLimits | None = None) -> web.Application:
    app = new_app(
        AsyncWebClient(token="xoxb-1"),
        signing_secret=SECRET,
        state=SlackState(),
        sink=sink,
        workspaces=WorkspaceFilter(lambda: None),
    )
    return new_slack_endpoint(app, SECRET, limits or HttpLimits())


@asynccontextmanager
async def endpoint(sink: Keeper) -> AsyncGenerator[TestClient[Any, Any]]:
    async with TestClient(TestServer(application(sink))) as client:
        yield client


def signed(body: str, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": str(signature),
    }


async def test_a_signed_command_is_kept_and_acknowledged():
    sink = Keeper()
    async with endpoint(sink) as client:
        response = await client.post("/slack/events", data=COMMAND, headers=signed(COMMAND))
        assert (response.status, await response.text()) == (200, "")
    assert sink.kept == [("command:13345224609.738474920.8088930838d88f008e0", "command")]


async def test_a_command_that_cannot_be_kept_is_answered_with_the_reason():
    async with endpoint(Keeper(broken=True)) as client:
        response = await client.post("/slack/events", data=COMMAND, headers=signed(COMMAND))
        assert response.status == 200
        assert NOT_KEPT in await response.text()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": "v0=1"},
        {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=1"},
        {"X-Slack-Request-Timestamp": "٣", "X-Slack-Signature": "v0=1"},
        {"X-Slack-Request-Timestamp": "-1", "X-Slack-Signature": "v0=1"},
        signed(COMMAND, secret="another"),
        signed(COMMAND, at=time.time() - 3600),
        signed("text=other"),
    ],
    ids=["unsigned", "words", "huge", "other digits", "negative", "other secret", "old", "other body"],
)
async def test_whatever_is_not_slacks_is_turned_away_in_silence(headers, caplog: pytest.LogCaptureFixture):
    sink = Keeper()
    with caplog.at_level(logging.INFO):
        async with endpoint(sink) as client:
            response = await client.post("/slack/events", data=COMMAND, headers=headers)
    assert response.status == 401
    assert sink.kept == []
    assert "Traceback" not in caplog.text
    assert "hooks.slack.com" not in caplog.text


async def test_a_body_larger_than_any_of_slacks_is_turned_away():
    body = "text=" + "x" * HttpLimits().body_bytes
    async with endpoint(Keeper()) as client:
        response = await client.post("/slack/events", data=io.BytesIO(body.encode()), headers=signed(body))
        assert response.status == 413


async def test_nothing_else_is_answered_on_this_port():
    async with endpoint(Keeper()) as client:
        assert (await client.get("/slack/events")).status == 405
        assert (await client.get("/healthz")).status == 404
        assert (await client.post("/commands", data="{}")).status == 404


async def test_an_event_that_nobody_listens_to_is_acknowledged_so_that_slack_does_not_repeat_it():
    body = '{"type":"event_callback","team_id":"T1","event":{"type":"app_home_opened","user":"U1"}}'
    headers = {**signed(body), "Content-Type": "application/json"}
    sink = Keeper()
    async with endpoint(sink) as client:
        assert (await client.post("/slack/events", data=body, headers=headers)).status == 200
    assert sink.kept == []


LOOKS_SIGNED = {"X-Slack-Signature": f"v0={'0' * 64}"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xfe", LOOKS_SIGNED),
        (b"{", LOOKS_SIGNED),
        (b"[1]", LOOKS_SIGNED | {"Content-Type": "application/json"}),
        (b'{"a":' + b"[" * 200_000, LOOKS_SIGNED | {"Content-Type": "application/json"}),
        (b"payload=x", LOOKS_SIGNED),
        (b"payload=1", LOOKS_SIGNED),
        (b"a=b", LOOKS_SIGNED | {"Content-Type": "text/plain; charset=foo"}),
        (b"a=b", {"X-Slack-Signature": "v0=é"}),
        (b"a=b", {"X-Slack-Signature": "v0=1"}),
        (b"a=b", LOOKS_SIGNED | {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "x"}),
    ],
    ids=[
        *("no text", "half an object", "a list", "deep", "no payload", "a number as payload"),
        *("unknown charset", "no hex", "short", "Bolt's own headers"),
    ],
)
async def test_whatever_is_sent_without_a_signature_is_401_and_makes_no_noise(
    body: bytes, headers: dict[str, str], caplog: pytest.LogCaptureFixture
):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    stamp = {"X-Slack-Request-Timestamp": str(int(time.time()))}
    sink = Keeper()
    with caplog.at_level(logging.INFO):
        async with endpoint(sink) as client:
            response = await client.post("/slack/events", data=body, headers=form | stamp | headers)
    assert response.status == 401
    assert "Traceback" not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert sink.kept == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_what_claims_to_be_compressed_is_401_and_makes_no_noise(
    encoding: str, caplog: pytest.LogCaptureFixture
):
    """On a door as `serve` opens it: aiohttp itself would stumble."""
    (port,) = free_ports(1)
    headers = LOOKS_SIGNED | {
        "X-Slack-Request-Timestamp": str(int(time.time())),
        "Content-Encoding": encoding,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    with caplog.at_level(logging.INFO):
        async with listening(application(Keeper()), "127.0.0.1", port), ClientSession() as session:
            url = f"http://127.0.0.1:{port}/slack/events"
            response = await session.post(url, data=b"a=b", headers=headers)
            assert response.status == 401
            assert (await session.get(url)).status == 405
    assert "Traceback" not in caplog.text


def signature_of(body: bytes, stamp: str) -> str:
    """Sign any bytes; Slack's SDK signs text only."""
    return (
        "v0=" + hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    )


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"command=%FF",
        b"hello",
        b"hello=1",
        b"a=1&a=1&" + b"x=1&" * 300 + b"command=/convox",
        b"[1]",
        b"{",
        b"{}",
        b"1",
        b"null",
        b'{"a":' + b"[" * 100_000,
        b"payload=",
        b"payload=x",
        b"payload=1",
        b"payload=[1]",
        b"payload={}",
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
async def test_what_is_signed_and_no_delivery_is_400_without_a_traceback(
    body: bytes, content_type: str, caplog: pytest.LogCaptureFixture
):
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature_of(body, stamp),
    }
    sink = Keeper()
    with caplog.at_level(logging.INFO):
        async with endpoint(sink) as client:
            response = await client.post("/slack/events", data=body, headers=headers)
            assert response.status == 400
            assert await response.json() == {
                "error": "this is signed, but no form and no JSON object that Slack sends"
            }
    assert "Traceback" not in caplog.text
    assert [
        record.getMessage().partition(":")[0] for record in caplog.records if record.name.startswith("bot.")
    ] == ["what Slack has signed is no delivery"]
    assert sink.kept == []


@pytest.mark.parametrize(
    "document",
    [
        {"type": "event_callback", "authorizations": [1]},
        {"type": 5, "team": "x", "enterprise": 7},
        {"type": "block_actions", "user": "x", "channel": [1], "actions": "no"},
        {"type": "view_submission", "view": 3},
        {"command": ["/convox"]},
    ],
    ids=lambda document: str(document)[:40],
)
async def test_what_is_signed_and_put_together_like_nothing_of_slacks_ends_in_json(document: dict[str, Any]):
    body = json.dumps(document)
    async with endpoint(Keeper()) as client:
        headers = {**signed(body), "Content-Type": "application/json"}
        response = await client.post("/slack/events", data=body, headers=headers)
        assert response.status in {200, 400, 404, 500}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": str(int(time.time()) - 600), "X-Slack-Signature": f"v0={'0' * 64}"},
        {"X-Slack-Request-Timestamp": str(int(time.time()) + 9_000), "X-Slack-Signature": f"v0={'0' * 64}"},
        {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=0"},
    ],
    ids=["unsigned", "old", "of the future", "no signature"],
)
async def test_without_fresh_and_plausible_headers_no_body_is_waited_for(headers: dict[str, str]):
    (port,) = free_ports(1)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n{lines}\r\n".encode()
    async with listening(application(Keeper()), "127.0.0.1", port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(30):  # the body is never sent
            head = await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    assert head.startswith(b"HTTP/1.1 401 ")
    assert b"application/json" in head


async def test_a_plausible_body_that_does_not_come_is_waited_for_some_seconds_only():
    limits = HttpLimits(body_seconds=0.05)
    async with TestClient(TestServer(application(Keeper(), limits))) as client:
        stamp = {"X-Slack-Request-Timestamp": str(int(time.time()))}
        never = asyncio.Event()

        async def body():
            yield b"command="
            await never.wait()

        response = await client.post("/slack/events", data=body(), headers=LOOKS_SIGNED | stamp)
        assert response.status == 408
        assert await response.json() == {"error": "the body did not come within 0.05 seconds"}
        never.set()


async def test_a_command_may_say_payload():
    """Bolt looks for that word in the whole body, and took such a command for a click without anything in it."""
    body = COMMAND.replace("text=releases", "text=env+set+payload%3D1+-a+payload-api")
    sink = Keeper()
    async with endpoint(sink) as client:
        assert (await client.post("/slack/events", data=body, headers=signed(body))).status == 200
    assert len(sink.kept) == 1


async def test_a_signed_body_is_read_as_slack_sent_it():
    body = COMMAND.replace("text=releases", "text=env+set+WHO=%C3%A9")
    sink = Keeper()
    async with endpoint(sink) as client:
        assert (await client.post("/slack/events", data=body, headers=signed(body))).status == 200
    assert len(sink.kept) == 1
