"""Commands, clicks and modals reach an unmodified Bolt application, through Socket Mode and through signed HTTP."""

import pytest


@pytest.fixture(params=["socket", "http"])
def app(request):
    return request.getfixturevalue(f"{request.param}_app")


async def test_a_command_is_answered_to_the_person_who_typed_it_alone(workspace, app):
    delivery = await workspace.command("alice", "deploys", "releases -l 3")

    answer = await workspace.wait_for(lambda: workspace.ephemerals("alice"))
    assert delivery.ok
    assert answer[0].text == "You said `releases -l 3`"
    assert workspace.messages("deploys") == []
    assert workspace.ephemerals("bob") == []


async def test_a_click_carries_who_pressed_what_on_which_message(workspace, app):
    await workspace.command("alice", "deploys", "releases promote RABCDEFGHIJ")
    (card,) = await workspace.wait_for(lambda: workspace.messages("deploys"))

    assert (await workspace.click("carol", "deploys", card.ts, "promotion.approve")).ok

    await workspace.wait_for(lambda: card.text == "Approved by <@U03CAROL>")
    (body,) = app.seen.actions
    assert body["user"]["id"] == "U03CAROL"
    assert body["container"]["message_ts"] == card.ts
    assert body["actions"][0]["value"] == "1 approve PABCDEFGHIJ"
    assert workspace.violations == []


async def test_a_button_that_was_removed_cannot_be_pressed(workspace, app):
    await workspace.command("alice", "deploys", "releases promote RABCDEFGHIJ")
    (card,) = await workspace.wait_for(lambda: workspace.messages("deploys"))
    await workspace.click("carol", "deploys", card.ts, "promotion.approve")
    await workspace.wait_for(lambda: not card.blocks)

    with pytest.raises(LookupError, match="has no button"):
        await workspace.click("carol", "deploys", card.ts, "promotion.approve")


async def test_whoever_had_the_dialog_open_when_the_message_changed_presses_what_they_saw(workspace, app):
    await workspace.command("alice", "deploys", "releases promote RABCDEFGHIJ")
    (card,) = await workspace.wait_for(lambda: workspace.messages("deploys"))
    await workspace.click("carol", "deploys", card.ts, "promotion.approve")
    await workspace.wait_for(lambda: not card.blocks)

    late = await workspace.click("bob", "deploys", card.ts, "promotion.approve", "card")

    assert late.ok
    first, second = app.seen.actions
    assert (second["user"]["id"], second["actions"][0]) == (
        "U02BOB",
        first["actions"][0] | {"action_ts": second["actions"][0]["action_ts"]},
    )
    assert second["message"]["text"] == "Approved by <@U03CAROL>"
    with pytest.raises(LookupError, match="has no button"):
        await workspace.click("bob", "deploys", card.ts, "promotion.approve", "another")


async def test_a_shortcut_carries_its_message_and_is_answered_to_whoever_chose_it(workspace, app):
    said = await workspace.say("bob", "deploys", "build 42 is ready")

    assert (await workspace.shortcut("alice", "deploys", said.ts, "promote")).ok

    (answer,) = await workspace.wait_for(lambda: workspace.ephemerals("alice"))
    assert answer.text == "You chose a message that says build 42 is ready"
    (body,) = app.seen.shortcuts
    assert (body["type"], body["callback_id"], body["message_ts"]) == ("message_action", "promote", said.ts)
    assert (body["user"]["id"], body["channel"]["id"]) == ("U01ALICE", "C01DEPLOYS")
    with pytest.raises(LookupError, match="there is no message"):
        await workspace.shortcut("alice", "deploys", "1.000000", "promote")


async def test_a_duplicate_delivery_reaches_the_application_as_often_as_it_is_sent(workspace, app):
    envelope = workspace.command_envelope("alice", "deploys", "releases")

    deliveries = await workspace.deliver(envelope, times=2)

    assert [delivery.ok for delivery in deliveries] == [True, True]
    assert len({command["trigger_id"] for command in app.seen.commands}) == 1
    assert len(app.seen.commands) == 2


async def test_a_mention_of_the_bot_arrives_as_an_event(workspace, app):
    said = await workspace.say("bob", "deploys", "@convox how is it going?")

    await workspace.wait_for(lambda: app.seen.mentions)
    assert app.seen.mentions[0]["ts"] == said.ts
    assert app.seen.mentions[0]["user"] == "U02BOB"


async def test_the_errors_of_a_modal_travel_in_its_ack(workspace, app):
    await workspace.command("alice", "deploys", "releases hold")
    view_id = await workspace.wait_for(lambda: next(iter(workspace.store.views), None))

    delivery = await workspace.submit("alice", view_id, {"why": {"text": {"value": "no"}}})

    assert delivery.ack == {"response_action": "errors", "errors": {"why": "say more"}}


class TestWithAShortWindow:
    @pytest.fixture
    def ack_seconds(self):
        return 0.05

    async def test_a_command_without_an_ack_shows_the_error_that_slack_shows(self, workspace, socket_app):
        delivery = await workspace.command("alice", "deploys", "silent")

        assert delivery.error == "operation_timeout"
        assert workspace.ephemerals("alice")[0].text == '/convox failed with the error "operation_timeout"'


async def test_a_request_url_where_nobody_listens_fails_at_once(workspace, unused_tcp_port):
    workspace.request_url = f"http://127.0.0.1:{unused_tcp_port}/slack/events"

    assert (await workspace.command("alice", "deploys", "releases")).error == "dispatch_failed"


async def test_without_any_connection_a_command_fails_at_once(workspace):
    delivery = await workspace.command("alice", "deploys", "releases")

    assert delivery.error == "dispatch_failed"


async def test_what_a_person_types_is_escaped_as_slack_does(workspace):
    envelope = workspace.command_envelope(
        "alice", "deploys", "env set A=<b>&c @bob #deploys #war-room https://x.io/y"
    )

    assert envelope.payload["text"] == (
        "env set A=&lt;b&gt;&amp;c <@U02BOB|bob> <#C01DEPLOYS|deploys> <#C04WARROOM|> <https://x.io/y>"
    )
