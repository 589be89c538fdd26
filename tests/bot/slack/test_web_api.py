"""What is known after a call to Slack that something else has answered: never a definite no."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack.connection import SlackState, new_client, new_session
from bot.slack.web_api import WebApi
from tests.fakes import START

HTML, JSON = "text/html", "application/json"
ODD = {
    "a page": (200, HTML, "<html>sign in to the WiFi</html>"),
    "nothing": (200, HTML, ""),
    "empty JSON": (200, JSON, ""),
    "broken JSON": (200, JSON, '{"ok": tr'),
    "text": (200, "text/plain", "ok"),
    "a list": (200, JSON, "[]"),
    "a null": (200, JSON, "null"),
    "neither yes nor no": (200, JSON, "{}"),
    "a no without a word": (200, JSON, '{"ok": false}'),
    "a yes without a message": (200, JSON, '{"ok": true}'),
    "a page for a redirection": (304, HTML, ""),
    "a page for an error": (502, HTML, "<html>bad gateway</html>"),
    "broken JSON for an error": (502, JSON, "{"),
    "compressed": (200, "application/gzip", "x"),
}


@asynccontextmanager
async def calls(status: int, kind: str, body: str) -> AsyncGenerator[tuple[WebApi, SlackState]]:
    """Calls to something that always answers so."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=body.encode(), content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    state = SlackState()
    async with TestServer(app) as server, new_session() as session:
        yield WebApi(new_client("xoxb-1", str(server.make_url("/api/")), session), state), state


@pytest.mark.parametrize("odd", ODD)
async def test_what_is_no_word_of_slacks_leaves_the_outcome_of_a_post_unknown(odd: str, caplog):
    with caplog.at_level(logging.CRITICAL):
        async with calls(*ODD[odd]) as (made, state):
            said = await made.post("C1", {"text": "OK"}, "nonce")
            assert said.unknown
            assert said.error
            assert not said.later
            assert (await made.edit("C1", "1.0", {"text": "OK"})).unknown
            assert not state.bot_token_refused


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "a yes without a message"])
async def test_a_look_up_that_slack_did_not_answer_has_not_looked(odd: str, caplog):
    with caplog.at_level(logging.CRITICAL):
        async with calls(*ODD[odd]) as (made, state):
            assert not (await made.find("nonce", channel="C1", thread=None, since=START)).looked
            assert "Slack" in state.problem


async def test_what_slack_puts_off_is_counted():
    async with calls(429, JSON, '{"ok": false, "error": "ratelimited"}') as (made, state):
        assert (await made.post("C1", {"text": "OK"}, "nonce")).limited
        await made.edit("C1", "1.0", {"text": "OK"})
        assert state.limited == 2


async def test_a_look_up_without_messages_has_looked():
    async with calls(200, JSON, '{"ok": true, "messages": null, "response_metadata": null}') as (made, _):
        assert (await made.find("nonce", channel="C1", thread="1.0", since=START)).looked


@pytest.mark.parametrize("status", [403, 407, 429])
async def test_a_refusal_between_us_and_slack_let_nothing_through(status: int):
    async with calls(status, HTML, "<html>no</html>") as (made, _):
        said = await made.post("C1", {"text": "OK"}, "nonce")
        assert said.later
        assert not said.unknown


@pytest.mark.parametrize("word", ["msg_too_long", "not_in_channel"])
async def test_a_word_of_slacks_is_a_definite_no(word: str):
    async with calls(200, JSON, f'{{"ok": false, "error": "{word}"}}') as (made, _):
        said = await made.post("C1", {"text": "OK"}, "nonce")
        assert (said.error, said.unknown, said.later) == (word, False, False)


@pytest.mark.parametrize(
    ("status", "said", "at"),
    [
        (200, "Thu, 31 Dec 2026 23:00:00 GMT", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        (200, "yesterday", None),
        (503, "Thu, 31 Dec 2026 23:00:00 GMT", None),
    ],
)
async def test_slack_is_asked_what_time_it_has(status: int, said: str, at: datetime | None):
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True}, status=status, headers={"Date": said})

    app = web.Application()
    app.router.add_route("*", "/api/auth.test", answer)
    async with TestServer(app) as server, new_session() as session:
        made = WebApi(new_client("xoxb-1", str(server.make_url("/api/")), session), SlackState())
        assert await made.time() == at
