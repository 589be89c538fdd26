"""The socket to Slack: opened, lost, and opened again with a fresh URL; refused tokens are told apart."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

from bot.clock import ScaledClock
from bot.slack import connection as slack
from bot.slack.connection import SlackConnection, SlackState, new_client, new_session
from bot.slack.listeners import new_app
from bot.slack.workspace import WorkspaceFilter

# A minute of patience is then a third of a second.
SPEED = 200.0


@dataclass
class Slack:
    """The three addresses that a connection needs; a URL of a socket is good for one use while it is fresh.

    Attributes:
        odd: how many calls are answered by a page of something else.
        refuse: method → error.
        away: no socket is opened, and a URL that is handed out meanwhile is never good again.
        mute: sockets open and nobody says hello.
        stuck: who wants to open a socket gets no answer.
    """

    odd: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    away: bool = False
    mute: bool = False
    stuck: bool = False
    fresh: set[str] = field(default_factory=set)
    handed_out: int = 0
    live: list[web.WebSocketResponse] = field(default_factory=list)
    url: str = ""

    async def call(self, request: web.Request) -> web.StreamResponse:
        if self.odd:
            self.odd -= 1
            return web.Response(text="<html>sign in to the WiFi</html>", content_type="text/html")
        method = request.match_info["method"]
        if word := self.refuse.get(method):
            return web.json_response({"ok": False, "error": word})
        if method == "auth.test":
            return web.json_response({"ok": True, "team_id": "T1", "user_id": "U1"})
        self.handed_out += 1
        ticket = str(self.handed_out)
        if not self.away:
            self.fresh.add(ticket)
        return web.json_response({"ok": True, "url": f"{self.url}/link?ticket={ticket}"})

    async def link(self, request: web.Request) -> web.StreamResponse:
        if self.stuck:
            await asyncio.Event().wait()
        ticket = request.query["ticket"]
        if self.away or ticket not in self.fresh:
            return web.Response(status=403)
        self.fresh.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.live.append(socket)
        if not self.mute:
            await socket.send_json({"type": "hello", "num_connections": 1})
        async for _ in socket:
            pass
        return socket


class Nobody:
    async def keep(self, key: str, kind: str, payload: bytes) -> None:
        raise AssertionError("nothing is delivered")


@asynccontextmanager
async def connecting(
    world: Slack, *, app_token: str | None = "xapp-1"
) -> AsyncGenerator[tuple[SlackState, Any]]:
    """A connection to such a Slack, running."""
    server = web.Application()
    server.router.add_route("*", "/api/{method}", world.call)
    server.router.add_get("/link", world.link)
    state = SlackState()
    async with TestServer(server) as there, new_session() as session:
        world.url = str(there.make_url("/")).rstrip("/")
        client = new_client("xoxb-1", f"{world.url}/api/", session)
        app = new_app(
            client,
            signing_secret=None,
            state=state,
            sink=Nobody(),
            workspaces=WorkspaceFilter(lambda: state.workspace),
        )
        made = SlackConnection(client, app, app_token=app_token, state=state, clock=ScaledClock(SPEED))
        task = asyncio.create_task(made.run())
        try:
            yield state, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(look: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not look():  # noqa: ASYNC110 - the state calls nobody back
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL)


async def test_a_socket_whose_url_is_stale_is_opened_again_with_a_fresh_one():
    """The servers of the sockets were away for a moment, and the SDK goes on with the URL that it was given then."""
    world = Slack()
    async with connecting(world) as (state, _):
        await until(lambda: state.ready)
        world.away = True
        await world.live[-1].close()
        await until(lambda: world.handed_out == 2)
        await until(lambda: not state.connected)
        assert "the socket to Slack is closed" in state.problem
        world.away = False
        await until(lambda: state.ready)
        await until(lambda: not state.problem)
        assert world.handed_out >= 3


async def test_a_socket_on_which_nobody_says_hello_is_opened_anew():
    world = Slack(mute=True)
    async with connecting(world) as (state, _):
        await until(lambda: len(world.live) >= 2)
        assert not state.connected
        world.mute = False
        await until(lambda: state.ready)


async def test_a_socket_that_could_not_be_opened_is_closed_before_the_next_is_tried(monkeypatch):
    made: list[Any] = []

    class Handler(AsyncSocketModeHandler):
        def __init__(self, *of: Any, **more: Any) -> None:
            super().__init__(*of, **more)
            made.append(self.client)

    monkeypatch.setattr(slack, "AsyncSocketModeHandler", Handler)
    monkeypatch.setattr(slack, "CALL_SECONDS", 0.1)
    world = Slack(stuck=True)
    async with connecting(world) as (state, _):
        await until(lambda: len(made) >= 3)
        world.stuck = False
        await until(lambda: state.ready)
        *failed, last = made
        assert all(client.closed and client.aiohttp_client_session.closed for client in failed)
        assert not last.closed


async def test_a_refused_app_token_stops_the_socket_and_nothing_else():
    world = Slack(refuse={"apps.connections.open": "invalid_auth"})
    async with connecting(world) as (state, task):
        await asyncio.wait_for(task, 20)
        assert (state.app_token_refused, state.bot_token_refused, state.ready) == (True, False, False)
        assert state.identified.is_set()
        assert state.problem == "Slack says invalid_auth to SLACK_APP_TOKEN"
        state.tell(web="")
        assert state.problem == "Slack says invalid_auth to SLACK_APP_TOKEN", (
            "a call that succeeds hides it not"
        )


async def test_a_refused_bot_token_is_named_and_the_socket_opens_so_that_people_are_told():
    async with connecting(Slack(refuse={"auth.test": "token_revoked"})) as (state, _):
        await until(lambda: state.connected)
        assert (state.bot_token_refused, state.ready) == (True, False)
        assert "Slack says token_revoked to SLACK_BOT_TOKEN" in state.problem


@pytest.mark.parametrize("app_token", ["xapp-1", None])
async def test_a_page_in_place_of_slacks_answer_is_tried_again(app_token: str | None):
    async with connecting(Slack(odd=3), app_token=app_token) as (state, _):
        await until(lambda: state.ready)
        await until(lambda: not state.problem)
        assert (state.team, state.user) == ("T1", "U1")
