"""Modals and Home tabs of the emulated Slack: what opens, changes, is stacked, searched and closed, as Slack does it."""

from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.slack.limits import problems

HOME = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}
PRESS = {
    "type": "actions",
    "block_id": "row",
    "elements": [
        {"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
    ],
}
MENU: dict[str, Any] = {
    "type": "input",
    "block_id": "release",
    "dispatch_action": True,
    "label": {"type": "plain_text", "text": "Release"},
    "element": {"type": "external_select", "action_id": "pick", "min_query_length": 0},
}


def modal(*blocks, title="Pick", **more):
    plain = {"type": "plain_text", "text": title}
    return {
        "type": "modal",
        "callback_id": "pick",
        "title": plain,
        "submit": plain,
        "blocks": list(blocks),
        **more,
    }


@pytest.fixture
def answers(socket_app):
    """Answer menus and presses as an application would."""
    seen = SimpleNamespace(typed=[], acted=[], opened=[], closed=[], options=[], ack={})

    @socket_app.app.options("pick")
    async def on_options(ack, body):
        seen.typed.append(body["value"])
        await ack(options=seen.options)

    @socket_app.app.action("pick")
    @socket_app.app.action("go")
    async def on_action(ack, body):
        seen.acted.append(body)
        await ack()

    @socket_app.app.event("app_home_opened")
    async def on_home(event):
        seen.opened.append(event)

    @socket_app.app.view("pick")
    async def on_view(ack):
        await ack(**seen.ack)

    @socket_app.app.view_closed("pick")
    async def on_closed(ack, body):
        seen.closed.append(body)
        await ack()

    return seen


async def opened(workspace, client, view, user="alice"):
    trigger = workspace.command_envelope(user, "deploys", "x").payload["trigger_id"]
    return (await client.views_open(trigger_id=trigger, view=view))["view"]


async def error_of(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_a_home_tab_is_told_of_published_by_its_hash_and_pressed(workspace, client, answers):
    await workspace.views.open_home("alice")
    await workspace.wait_for(lambda: answers.opened)
    assert "view" not in answers.opened[0]
    first = (await client.views_publish(user_id="U01ALICE", view=HOME))["view"]
    with_button = HOME | {"blocks": [*HOME["blocks"], PRESS]}
    await client.views_publish(user_id="U01ALICE", view=with_button, hash=first["hash"])
    late = await error_of(client.views_publish(user_id="U01ALICE", view=HOME, hash=first["hash"]))
    assert late == "hash_conflict"
    assert (await workspace.views.press("alice", first["id"], "go")).ok
    (body,) = answers.acted
    assert body["container"] == {"type": "view", "view_id": first["id"]}
    assert (body["view"]["type"], body["actions"][0]["value"]) == ("home", "1")
    assert "channel" not in body
    with pytest.raises(LookupError):
        await workspace.views.press("bob", first["id"], "go")


async def test_an_open_modal_is_changed_by_its_hash_and_a_closed_one_is_not_found(workspace, client):
    view = await opened(workspace, client, modal(MENU))
    other = modal(MENU, title="Other")
    newer = (await client.views_update(view_id=view["id"], view=other, hash=view["hash"]))["view"]
    assert newer["hash"] != view["hash"]
    assert (
        await error_of(client.views_update(view_id=view["id"], view=other, hash=view["hash"]))
        == "hash_conflict"
    )
    await workspace.views.close("alice", view["id"])
    assert await error_of(client.views_update(view_id=view["id"], view=other)) == "not_found"


async def test_three_modals_stand_on_each_other_and_no_fourth(workspace, client):
    first = await opened(workspace, client, modal(MENU))
    errors = []
    for _ in range(3):
        trigger = workspace.command_envelope("alice", "deploys", "x").payload["trigger_id"]
        try:
            pushed = (await client.views_push(trigger_id=trigger, view=modal(MENU)))["view"]
            assert pushed["root_view_id"] == first["id"]
        except SlackApiError as error:
            errors.append(error.response["error"])
    assert errors == ["push_limit_reached"]
    await workspace.views.close("alice", pushed["id"])
    assert workspace.views.modal("alice")["id"] == pushed["previous_view_id"]


async def test_a_menu_asks_for_what_fits_and_shows_nothing_that_slack_would_refuse(
    workspace, client, answers
):
    view = await opened(workspace, client, modal(MENU))
    label = {"type": "plain_text", "text": "R1"}
    answers.options = [{"text": label, "value": "R1"}]
    assert await workspace.views.suggest("alice", view["id"], "release", "r") == answers.options
    answers.options = [{"text": label, "value": f"R{n}"} for n in range(101)]
    assert await workspace.views.suggest("alice", view["id"], "release") == []
    assert answers.typed == ["r", ""]
    assert workspace.violations.pop() == "block_suggestion: 101 options, Slack takes 100"


async def test_a_choice_is_told_where_the_input_asked_for_it(workspace, client, answers):
    quiet = MENU | {"block_id": "quiet", "dispatch_action": False, "element": MENU["element"]}
    view = await opened(workspace, client, modal(MENU, quiet))
    chosen = {"pick": {"type": "external_select", "selected_option": {"value": "R1"}}}
    await workspace.views.choose("alice", view["id"], "release", {"release": chosen})
    await workspace.views.choose("alice", view["id"], "quiet", {"quiet": chosen})
    (body,) = answers.acted
    assert body["actions"][0]["block_id"] == "release"
    assert body["view"]["state"]["values"]["release"]["pick"]["selected_option"]["value"] == "R1"


@pytest.mark.parametrize(
    ("ack", "left"),
    [({}, None), ({"response_action": "clear"}, None), ({"response_action": "errors", "errors": {"release": "no"}}, "Pick"),
     ({"response_action": "update", "view": modal(MENU, title="New")}, "New"), ({"response_action": "push", "view": modal(MENU, title="Top")}, "Top")],
)  # fmt: skip
async def test_an_acknowledgement_says_what_becomes_of_a_modal(workspace, client, answers, ack, left):
    view = await opened(workspace, client, modal(MENU))
    answers.ack = ack
    assert (await workspace.views.submit("alice", view["id"], {})).ok
    shown = workspace.views.modal("alice")
    assert (shown and shown["title"]["text"]) == left


async def test_who_asked_is_told_that_a_modal_was_closed(workspace, client, answers):
    await workspace.views.close("alice", (await opened(workspace, client, modal(MENU)))["id"])
    told = await opened(workspace, client, modal(MENU, notify_on_close=True))
    await workspace.views.close("alice", told["id"])
    assert [body["view"]["id"] for body in answers.closed] == [told["id"]]


def test_an_initial_choice_is_one_of_the_choices_and_a_menu_takes_no_options_of_its_own():
    plain = {"type": "plain_text", "text": "a"}
    one = {"text": plain, "value": "1"}
    radio = {"type": "radio_buttons", "action_id": "r", "options": [one]}
    good = MENU | {"element": radio | {"initial_option": one}}
    bad = MENU | {"element": radio | {"initial_option": {"text": plain, "value": "2"}}}
    loud = MENU | {"element": MENU["element"] | {"options": [one]}}
    assert problems({"view": modal(good)}, method="views.open") == []
    assert "initial option" in problems({"view": modal(bad)}, method="views.open")[0]
    assert "options" in problems({"view": modal(loud)}, method="views.open")[0]
