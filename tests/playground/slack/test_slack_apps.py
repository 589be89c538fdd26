"""Two applications in one workspace: each has a bot, messages and views of its own, and is told of what is done to those."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.playground.slack import AppCredentials, SlackWorkspace
from tests.playground.slack.conftest import CARD, MODAL

DEPLOYS = "C01DEPLOYS"
SECOND = AppCredentials(app_id="A1SECOND", bot_id="B1SECOND", bot_user="U1SECOND")


@pytest.fixture
async def second(workspace):
    """The other application, with its client."""
    made = SlackWorkspace(SystemClock(), credentials=SECOND, command_name="/second", beside=workspace)
    await made.start()
    yield made, AsyncWebClient(token=SECOND.bot_token, base_url=made.api_url)
    await made.stop()


async def refusal(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_each_is_somebody_else_and_changes_what_is_its_own(workspace, client, second):
    app, other = second
    assert (await other.auth_test())["user_id"] == "U1SECOND"
    assert (await client.auth_test())["user_id"] != "U1SECOND"
    posted = await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=CARD)
    assert (
        await refusal(other.chat_update(channel=DEPLOYS, ts=posted["ts"], text="y")) == "cant_update_message"
    )
    await other.views_publish(user_id="U01ALICE", view={"type": "home", "blocks": CARD})
    assert workspace.views.home("alice") is None
    assert app.views.home("alice")["app_id"] == "A1SECOND"
    workspace.remove("deploys", "U1SECOND")
    assert await refusal(other.chat_postMessage(channel=DEPLOYS, text="x")) == "not_in_channel"
    assert (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ok"]


async def test_a_modal_is_changed_by_nobody_but_whose_it_is(workspace, client, second):
    _, other = second
    trigger = workspace.command_envelope("alice", "deploys", "").payload["trigger_id"]
    assert await refusal(other.views_open(trigger_id=trigger, view=MODAL)) in {
        "invalid_trigger_id",
        "invalid_trigger",
    }
    opened = await client.views_open(trigger_id=trigger, view=MODAL)
    assert await refusal(other.views_update(view_id=opened["view"]["id"], view=MODAL)) == "not_found"


def test_a_second_application_has_a_bot_of_its_own(workspace):
    with pytest.raises(ValueError, match="each has its own"):
        SlackWorkspace(SystemClock(), command_name="/second", beside=workspace)
