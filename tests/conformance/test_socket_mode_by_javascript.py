"""Socket Mode reaches Slack's own JavaScript SDK, and its acknowledgements reach people."""

import asyncio

import pytest

from tests.conformance.test_web_api_by_javascript import CHANNEL, SECTION, VIEW

BUTTON = {
    "type": "button",
    "action_id": "promotion.approve",
    "value": "1",
    "text": {"type": "plain_text", "text": "Go"},
}
INPUT = {
    "type": "input",
    "block_id": "why",
    "label": {"type": "plain_text", "text": "Reason"},
    "element": {"type": "plain_text_input", "action_id": "entered"},
}
FORM = VIEW | {"blocks": [INPUT], "submit": {"type": "plain_text", "text": "Send"}}


@pytest.fixture
async def app(app):
    await app.connect()
    return app


async def test_a_command_arrives_in_an_envelope_and_is_acknowledged_with_words(app, workspace):
    await app.acknowledge(slash_commands={"text": "on my way"})

    delivery = await workspace.command("alice", "deploys", "releases promote R1 <b>")

    assert delivery.ok
    (came,) = await app.take()
    assert came["takes"] is True
    assert came["body"]["command"] == "/convox"
    assert came["body"]["text"] == "releases promote R1 &lt;b&gt;"
    assert came["body"]["user_id"] == "U01ALICE"
    assert [each.text for each in workspace.ephemerals("alice")] == ["on my way"]


async def test_what_is_not_acknowledged_is_told_to_whoever_waits(app, workspace):
    await app.acknowledge(slash_commands=None)
    workspace._sender._ack_seconds = 0.2

    delivery = await workspace.command("alice", "deploys", "releases")

    assert delivery.error == "operation_timeout"
    assert "operation_timeout" in workspace.ephemerals("alice")[0].text


async def test_a_click_carries_its_message_and_a_way_to_answer(app, workspace):
    card = await app.call(
        "chat.postMessage",
        channel=CHANNEL,
        text="waiting",
        blocks=[SECTION, {"type": "actions", "elements": [BUTTON]}],
    )

    assert (await workspace.click("bob", "deploys", card["ts"], "promotion.approve")).ok

    (came,) = await app.take()
    body = came["body"]
    assert (body["type"], body["user"]["id"], body["actions"][0]["value"]) == ("block_actions", "U02BOB", "1")
    assert body["container"] == {
        "type": "message",
        "message_ts": card["ts"],
        "channel_id": CHANNEL,
        "is_ephemeral": False,
    }
    assert body["message"]["text"] == "waiting"
    assert body["response_url"].startswith(workspace.url)


async def test_a_submission_may_be_refused_in_its_acknowledgement(app, workspace):
    await workspace.command("alice", "deploys", "releases")
    (command,) = await app.take()
    view = (await app.call("views.open", trigger_id=command["body"]["trigger_id"], view=FORM))["view"]
    await app.acknowledge(view_submission={"response_action": "errors", "errors": {"why": "say more"}})

    delivery = await workspace.submit(
        "alice", view["id"], {"why": {"entered": {"type": "plain_text_input", "value": "no"}}}
    )

    assert delivery.ack == {"response_action": "errors", "errors": {"why": "say more"}}
    submitted = (await app.take(2))[1]["body"]
    assert submitted["view"]["callback_id"] == "form"
    assert submitted["view"]["state"]["values"]["why"]["entered"]["value"] == "no"


async def test_a_shortcut_of_a_message_carries_it(app, workspace):
    said = await workspace.say("bob", "deploys", "build 42 is ready")

    assert (await workspace.shortcut("alice", "deploys", said.ts, "promote_build")).ok

    (came,) = await app.take()
    body = came["body"]
    assert (body["type"], body["callback_id"]) == ("message_action", "promote_build")
    assert (body["message"]["text"], body["user"]["id"]) == ("build 42 is ready", "U01ALICE")


async def test_a_mention_is_an_event_that_says_which_try_it_is(app, workspace):
    await workspace.say("bob", "deploys", "@convox status")

    (came,) = await app.take()
    assert came["delivered"] == "events_api"
    assert came["body"]["event"]["type"] == "app_mention"
    assert came["takes"] is False
    assert came["retry"] == 0


async def test_an_envelope_may_come_twice(app, workspace):
    envelope = workspace.command_envelope("alice", "deploys", "releases")

    await workspace.deliver(envelope, times=2)

    came = await app.take(2)
    assert len({each["envelope"] for each in came}) == 1
    assert came[1]["retry"] == 1


@pytest.mark.parametrize("how", ["refresh_requested", "dropped"])
async def test_it_connects_anew_and_misses_nothing_afterwards(app, workspace, how):
    if how == "dropped":
        workspace.drop_sockets()
    else:
        await workspace.disconnect_sockets(how)
    await app.connected(2)

    assert (await workspace.command("alice", "deploys", "releases")).ok
    await app.take()


async def test_many_envelopes_at_once_are_each_acknowledged(app, workspace):
    deliveries = await asyncio.gather(
        *(workspace.command("alice", "deploys", f"logs {n}") for n in range(50))
    )

    assert all(delivery.ok for delivery in deliveries)
    assert {each["body"]["text"] for each in await app.take(50)} == {f"logs {n}" for n in range(50)}


async def test_whoever_disconnects_is_gone(app, workspace):
    await app.disconnect()
    await workspace.wait_for(lambda: not workspace.connected)

    assert (await workspace.command("alice", "deploys", "releases")).error == "dispatch_failed"
