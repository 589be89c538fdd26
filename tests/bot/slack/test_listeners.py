"""What Slack calls: stored and acknowledged, or told to the person that it was not, within the time that Slack waits."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.command.forms import EnvSetForm
from bot.slack.connection import SlackState
from bot.slack.listeners import NOT_KEPT, NOT_KNOWN, TELL_SECONDS, new_app
from bot.slack.workspace import WorkspaceFilter, WorkspaceId
from bot.views.modals import modal
from core.errors import Unavailable
from storage.database import BUSY_SECONDS

COMMAND = {
    "command": "/convox",
    "text": "releases",
    "trigger_id": "1.2.3",
    "user_id": "U01ALICE",
    "channel_id": "C1",
    "team_id": "T1",
}
CLICK = {
    "type": "block_actions",
    "user": {"id": "U01ALICE"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "container": {"message_ts": "1.0"},
    "actions": [
        {
            "action_id": "promotion.approve",
            "action_ts": "2.0",
            "value": "1 approve PAAAAAAAAAA",
            "block_id": "b",
        }
    ],
}


HOME = WorkspaceId("T1")
EVENT = {"type": "event_callback", "event": {"type": "app_mention"}, "event_id": "Ev1", "team_id": "T1"}
SUBMISSION = {
    "type": "view_submission",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "view": {"type": "modal", "callback_id": "x"},
}


@dataclass
class Keeper:
    broken: bool = False
    full: bool = False
    kept: list[str] = field(default_factory=list)

    async def keep(self, key: str, kind: str, payload: bytes) -> None:
        if self.broken:
            raise OSError("disk full")
        if self.full:
            raise Unavailable("the database cannot be used: its disk is full")
        self.kept.append(kind)


@asynccontextmanager
async def response_url(status: int = 200) -> AsyncGenerator[tuple[str, list[dict[str, Any]]]]:
    """Slack's end of `response_url`, and what was sent to it."""
    taken: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.json())
        return web.Response(status=status, text="ok")

    app = web.Application()
    app.router.add_post("/answer", take)
    async with TestServer(app) as server:
        yield str(server.make_url("/answer")), taken


async def deliver(
    body: dict[str, Any], sink: Keeper, *, dead: bool = False, home: WorkspaceId | None = HOME
) -> tuple[int, str]:
    """Deliver as Socket Mode does; return status and body of the acknowledgement."""
    state = SlackState(bot_token_refused=dead, workspace=home)
    workspaces = WorkspaceFilter(lambda: state.workspace)
    app = new_app(
        AsyncWebClient(token="xoxb-1"), signing_secret=None, state=state, sink=sink, workspaces=workspaces
    )
    response = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return response.status, response.body


@pytest.mark.parametrize("body", [COMMAND, CLICK])
async def test_what_slack_delivers_is_stored_before_it_is_acknowledged(body):
    sink = Keeper()
    assert await deliver(body, sink) == (200, "")
    assert len(sink.kept) == 1


async def test_a_click_that_cannot_be_stored_is_told_to_whoever_clicked_and_the_card_stays(caplog):
    with caplog.at_level(logging.CRITICAL):
        async with response_url() as (url, taken):
            assert (await deliver({**CLICK, "response_url": url}, Keeper(broken=True)))[0] == 200
    assert taken == [{"text": NOT_KEPT, "response_type": "ephemeral", "replace_original": False}]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/answer"])
async def test_a_click_that_can_neither_be_stored_nor_told_is_acknowledged(caplog, url):
    with caplog.at_level(logging.CRITICAL):
        assert (await deliver({**CLICK, "response_url": url}, Keeper(broken=True)))[0] == 200


async def test_a_command_with_a_token_that_slack_refuses_is_refused_and_not_kept_for_later():
    sink = Keeper()
    status, text = await deliver(COMMAND, sink, dead=True)
    assert (status, NOT_KNOWN in text) == (200, True)
    assert sink.kept == []


async def test_a_click_with_a_token_that_slack_refuses_is_refused_and_not_kept_for_later():
    sink = Keeper()
    async with response_url() as (url, taken):
        assert (await deliver({**CLICK, "response_url": url}, sink, dead=True))[0] == 200
    assert [answer["text"] for answer in taken] == [NOT_KNOWN]
    assert sink.kept == []


def test_a_database_that_is_busy_and_a_slack_that_is_slow_leave_the_acknowledgement_in_time():
    assert BUSY_SECONDS + TELL_SECONDS < 3, "seconds that Slack waits"


@pytest.mark.parametrize(
    "body", [COMMAND, CLICK, EVENT, SUBMISSION], ids=["command", "click", "event", "view"]
)
async def test_what_another_workspace_sends_is_refused_with_a_sentence_and_kept_nowhere(body, caplog):
    """Whoever has our signing secret or app token by mistake installed the app elsewhere: all of it arrives here."""
    sink = Keeper()
    async with response_url() as (url, taken):
        sent = {**body, "response_url": url} if body is CLICK else body
        with caplog.at_level(logging.ERROR):
            status, said = await deliver(sent, sink, home=WorkspaceId("T2"))
    assert status == 200, "else Slack would deliver it again"
    told = [json.loads(said)["text"]] if body is COMMAND else [answer["text"] for answer in taken]
    assert told == (["this came from another workspace (T1)" in t and t for t in told])
    assert len(told) == (body in (COMMAND, CLICK))
    assert sink.kept == []
    assert "is not our workspace" in caplog.text


async def test_what_comes_before_slack_has_said_who_we_are_is_kept_and_judged_later():
    sink = Keeper()
    assert await deliver(COMMAND, sink, home=None) == (200, "")
    assert sink.kept == ["command"]


async def test_a_full_disk_is_a_sentence_in_the_log_and_to_whoever_typed(caplog):
    with caplog.at_level(logging.WARNING):
        status, text = await deliver(COMMAND, Keeper(full=True))
    assert (status, NOT_KEPT in text) == (200, True)
    (said,) = [record for record in caplog.records if record.name == "bot.slack.listeners"]
    assert said.getMessage().endswith("could not be stored: the database cannot be used: its disk is full")
    assert not said.exc_info


def submission(typed: str, entered: str) -> dict[str, Any]:
    """Return what comes when somebody submits the modal of a command."""
    view = modal(EnvSetForm(app="web").form(), json.dumps({"typed": typed}))
    values = {"variables": {"entered": {"type": "plain_text_input", "value": entered}}}
    return {**SUBMISSION, "view": {**view, "id": "V1", "state": {"values": values}}}


async def test_a_form_that_can_be_used_is_stored_and_closed():
    sink = Keeper()
    assert await deliver(submission("env set -a web", "A=1"), sink) == (200, "")
    assert sink.kept == ["view"]


@pytest.mark.parametrize(
    ("keeper", "entered", "says"),
    [
        (Keeper(), "A=1\nhunter/2", "not KEY=VALUE: line 2; nothing stands before a name"),
        (Keeper(full=True), "A=1", NOT_KEPT),
    ],
)
async def test_what_is_wrong_with_a_form_is_said_in_it_and_nothing_is_lost(keeper, entered, says, caplog):
    with caplog.at_level(logging.CRITICAL):
        status, said = await deliver(submission("env set -a web", entered), keeper)
    answer = json.loads(said)
    assert (status, answer["response_action"]) == (200, "errors")
    assert answer["errors"]["variables"].startswith(says)
    assert "hunter" not in said
    assert keeper.kept == []


@pytest.mark.parametrize("typed", ["apps", "no command"])
async def test_a_form_of_no_command_is_left_to_whoever_carries_it_out(typed):
    sink = Keeper()
    assert await deliver(submission(typed, "A=1"), sink) == (200, "")
    assert sink.kept == ["view"]
