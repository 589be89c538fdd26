"""HTTP mode: signed requests come in, everything else is turned away before it can make a noise."""

import io
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners import NOT_KEPT, new_app
from bot.slack import SlackState
from bot.slackhttp import LARGEST, new_slack_endpoint

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


@asynccontextmanager
async def endpoint(keeper: Keeper) -> AsyncGenerator[TestClient[Any, Any]]:
    app = new_app(AsyncWebClient(token="xoxb-1"), signing_secret=SECRET, state=SlackState(), keeper=keeper)
    async with TestClient(TestServer(new_slack_endpoint(app))) as client:
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
    keeper = Keeper()
    async with endpoint(keeper) as client:
        response = await client.post("/slack/events", data=COMMAND, headers=signed(COMMAND))
        assert (response.status, await response.text()) == (200, "")
    assert keeper.kept == [("command:13345224609.738474920.8088930838d88f008e0", "command")]


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
    keeper = Keeper()
    with caplog.at_level(logging.INFO):
        async with endpoint(keeper) as client:
            response = await client.post("/slack/events", data=COMMAND, headers=headers)
    assert response.status == 401
    assert keeper.kept == []
    assert "Traceback" not in caplog.text
    assert "hooks.slack.com" not in caplog.text


async def test_a_body_larger_than_any_of_slacks_is_turned_away():
    body = "text=" + "x" * LARGEST
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
    keeper = Keeper()
    async with endpoint(keeper) as client:
        assert (await client.post("/slack/events", data=body, headers=headers)).status == 200
    assert keeper.kept == []
