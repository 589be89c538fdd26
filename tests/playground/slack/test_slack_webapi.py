"""The Web API as an unmodified slack_sdk client meets it."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack import BOT_SCOPES

DEPLOYS, RANDOM, WARROOM, OLD = "C01DEPLOYS", "C03RANDOM", "C04WARROOM", "C05OLD"


async def error_of(call):
    """Return the error document of a call that must fail."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_a_message_is_posted_changed_and_deleted(client, workspace):
    said = await client.chat_postMessage(channel=DEPLOYS, text="one")
    await client.chat_update(channel=DEPLOYS, ts=said["ts"], text="two")
    (message,) = workspace.messages("deploys")
    assert (message.text, message.user) == ("two", "U0CONVOX")

    await client.chat_delete(channel=DEPLOYS, ts=said["ts"])

    assert workspace.messages("deploys") == []


async def test_an_update_keeps_the_blocks_and_metadata_it_does_not_mention(client, workspace):
    metadata = {"event_type": "line", "event_payload": {"outbox_id": "7"}}
    blocks = [{"type": "divider", "block_id": "d"}]
    said = await client.chat_postMessage(channel=DEPLOYS, text="one", blocks=blocks, metadata=metadata)

    await client.chat_update(channel=DEPLOYS, ts=said["ts"], text="two")
    (message,) = workspace.messages("deploys")
    assert (message.text, message.blocks, message.metadata) == ("two", blocks, metadata)

    await client.chat_update(channel=DEPLOYS, ts=said["ts"], text="three", blocks=[])
    assert message.blocks == []


async def test_a_thread_is_read_back_with_its_metadata(client):
    parent = (await client.chat_postMessage(channel=DEPLOYS, text="card"))["ts"]
    metadata = {"event_type": "line", "event_payload": {"outbox_id": "7"}}
    first = (await client.chat_postMessage(channel=DEPLOYS, text="1", thread_ts=parent, metadata=metadata))[
        "ts"
    ]
    await client.chat_postMessage(channel=DEPLOYS, text="2", thread_ts=parent, reply_broadcast=True)

    thread = await client.conversations_replies(channel=DEPLOYS, ts=parent, include_all_metadata=True)
    later = await client.conversations_replies(channel=DEPLOYS, ts=parent, oldest=first)
    history = await client.conversations_history(channel=DEPLOYS)

    assert [each["text"] for each in thread["messages"]] == ["card", "1", "2"]
    assert thread["messages"][0]["reply_count"] == 2
    assert thread["messages"][1]["metadata"] == metadata
    assert [each["text"] for each in later["messages"]] == ["card", "2"]
    assert [each["text"] for each in history["messages"]] == ["2", "card"]
    assert "metadata" not in history["messages"][0]


async def test_long_lists_come_in_pages(client, workspace):
    for index in range(5):
        await workspace.say("alice", "deploys", str(index))

    pages = [page["messages"] async for page in await client.conversations_history(channel=DEPLOYS, limit=2)]

    assert [[each["text"] for each in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


async def test_bad_blocks_are_refused_with_the_place_of_the_mistake(client, workspace):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]

    answer = await error_of(client.chat_postMessage(channel=DEPLOYS, text="x", blocks=blocks))

    assert answer["error"] == "invalid_blocks"
    where = "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["response_metadata"]["messages"] == [where]
    assert workspace.violations == [f"chat.postMessage: invalid_blocks: {where}"]


async def test_blocks_without_text_are_shown_and_recorded_as_a_violation(client, workspace):
    with pytest.warns(UserWarning, match="text"):
        await client.chat_postMessage(channel=DEPLOYS, blocks=[{"type": "divider"}])

    assert len(workspace.messages("deploys")) == 1
    assert "missing_text" in workspace.violations[0]


async def test_text_beyond_40000_characters_is_cut(client, workspace):
    answer = await client.chat_postMessage(channel=DEPLOYS, text="x" * 40_001)

    assert answer["warning"] == "message_truncated"
    assert len(workspace.messages("deploys")[0].text) == 40_000


async def test_where_the_bot_may_not_speak(client, workspace):
    refusals = {
        RANDOM: "not_in_channel",
        WARROOM: "channel_not_found",
        OLD: "is_archived",
        "C0NOWHERE": "channel_not_found",
    }

    for channel, error in refusals.items():
        assert (await error_of(client.chat_postMessage(channel=channel, text="x")))["error"] == error

    workspace.invite("random", "convox")
    assert (await client.chat_postMessage(channel=RANDOM, text="x"))["ok"]


async def test_a_message_to_a_person_opens_a_direct_conversation(client, workspace):
    said = await client.chat_postMessage(channel="U01ALICE", text="psst")
    opened = await client.conversations_open(users="U01ALICE")

    assert said["channel"].startswith("D")
    assert opened["channel"]["id"] == said["channel"]
    assert workspace.messages(said["channel"])[0].text == "psst"


async def test_only_the_bots_own_messages_can_be_changed(client, workspace):
    said = await workspace.say("alice", "deploys", "mine")

    changed = await error_of(client.chat_update(channel=DEPLOYS, ts=said.ts, text="x"))
    missing = await error_of(client.chat_update(channel=DEPLOYS, ts="1.000001", text="x"))
    long = await client.chat_postMessage(channel=DEPLOYS, text="x")
    too_long = await error_of(client.chat_update(channel=DEPLOYS, ts=long["ts"], text="x" * 4001))

    assert changed["error"] == "cant_update_message"
    assert missing["error"] == "message_not_found"
    assert too_long["error"] == "msg_too_long"


async def test_an_ephemeral_message_is_for_a_member_alone_and_cannot_be_updated(client, workspace):
    shown = await client.chat_postEphemeral(channel=DEPLOYS, user="U02BOB", text="psst")
    outside = await error_of(client.chat_postEphemeral(channel=DEPLOYS, user="U06DANA", text="psst"))
    update = await error_of(client.chat_update(channel=DEPLOYS, ts=shown["message_ts"], text="x"))

    assert [message.text for message in workspace.ephemerals("bob")] == ["psst"]
    assert workspace.messages("deploys") == []
    assert outside["error"] == "user_not_in_channel"
    assert update["error"] == "message_not_found"


async def test_tokens_are_checked(workspace, session):
    def with_token(token):
        return AsyncWebClient(token=token, base_url=workspace.api_url, session=session, retry_handlers=[])

    assert (await error_of(with_token("xoxb-wrong").auth_test()))["error"] == "invalid_auth"
    assert (await error_of(with_token(None).auth_test()))["error"] == "not_authed"
    app = with_token(workspace.credentials.app_token)
    assert (await error_of(app.users_list()))["error"] == "not_allowed_token_type"
    bot = with_token(workspace.credentials.bot_token)
    opening = bot.apps_connections_open(app_token=workspace.credentials.bot_token)
    assert (await error_of(opening))["error"] == "not_allowed_token_type"
    assert (await bot.auth_test())["user_id"] == "U0CONVOX"


class TestWithTheScopesOfTheContract:
    @pytest.fixture
    def scopes(self):
        return BOT_SCOPES

    async def test_a_missing_scope_is_named(self, client):
        answer = await error_of(client.conversations_info(channel=DEPLOYS))

        assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:read")
        assert "chat:write" in answer["provided"]


class TestWithPublicPosting:
    @pytest.fixture
    def scopes(self):
        return BOT_SCOPES | {"chat:write.public"}

    async def test_public_channels_are_open_without_membership(self, client):
        assert (await client.chat_postMessage(channel=RANDOM, text="x"))["ok"]


async def test_everybody_is_described_by_the_flags_a_policy_needs(client):
    async def user(name):
        return (await client.users_info(user=name))["user"]

    assert (await user("U04GITA"))["is_restricted"]
    assert (await user("U05SAM"))["is_stranger"]
    assert (await user("U05SAM"))["team_id"] != (await user("U01ALICE"))["team_id"]
    assert (await user("U06DANA"))["deleted"]
    assert (await user("U0CONVOX"))["is_bot"]
    assert "U05SAM" not in [each["id"] for each in (await client.users_list())["members"]]
    assert (await error_of(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_user_groups_are_listed_with_their_members(client):
    groups = await client.usergroups_list(include_users=True)
    owners = await client.usergroups_users_list(usergroup="S02OWNERS")

    assert [group["handle"] for group in groups["usergroups"]] == ["devs", "release-owners"]
    assert owners["users"] == ["U03CAROL"]
    assert (await error_of(client.usergroups_users_list(usergroup="S9")))["error"] == "no_such_subteam"


async def test_channels_are_described_listed_and_joined(client):
    info = await client.conversations_info(channel=DEPLOYS, include_num_members=True)
    listed = await client.conversations_list(exclude_archived=True)
    joined = await client.conversations_join(channel=RANDOM)
    members = await client.conversations_members(channel=RANDOM)

    assert (info["channel"]["name"], info["channel"]["num_members"]) == ("deploys", 6)
    assert [each["name"] for each in listed["channels"]] == ["deploys", "general", "random"]
    assert joined["channel"]["is_member"]
    assert "U0CONVOX" in members["members"]


async def test_a_permalink_leads_to_the_message(client, workspace):
    said = await client.chat_postMessage(channel=DEPLOYS, text="x")

    link = await client.chat_getPermalink(channel=DEPLOYS, message_ts=said["ts"])

    assert link["permalink"] == f"{workspace.url}/archives/{DEPLOYS}/p{said['ts'].replace('.', '')}"


async def test_a_reaction_is_added_once(client, workspace):
    said = await client.chat_postMessage(channel=DEPLOYS, text="x")
    await client.reactions_add(channel=DEPLOYS, timestamp=said["ts"], name="eyes")

    again = await error_of(client.reactions_add(channel=DEPLOYS, timestamp=said["ts"], name="eyes"))

    assert again["error"] == "already_reacted"
    assert workspace.messages("deploys")[0].reactions[0]["name"] == "eyes"


async def test_a_file_is_uploaded_into_a_thread(client, workspace):
    parent = (await client.chat_postMessage(channel=DEPLOYS, text="card"))["ts"]

    await client.files_upload_v2(
        channel=DEPLOYS, thread_ts=parent, filename="web.log", content="KeyError", title="Log"
    )

    (reply,) = workspace.thread("deploys", parent)
    assert (reply.files[0]["title"], reply.files[0]["content"]) == ("Log", "KeyError")


async def test_an_unknown_method_is_named(client):
    assert (await error_of(client.api_call("chat.sing")))["error"] == "unknown_method"


async def test_messages_are_numbered_upwards_without_repetition(client, workspace):
    numbers = [(await workspace.say("alice", "deploys", "x")).ts for _ in range(50)]

    assert numbers == sorted(set(numbers))


async def test_refused_blocks_are_pointed_at_as_slack_does(client, workspace):
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "s" * 3001}}

    with pytest.raises(SlackApiError) as refusal:
        await client.chat_postMessage(channel="C01DEPLOYS", text="x", blocks=[{"type": "divider"}, long])

    what = "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    assert refusal.value.response.data == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [what],
        "response_metadata": {"messages": [f"[ERROR] {what}"]},
    }


async def test_a_workspace_may_not_take_a_kind_of_block_yet(client, workspace):
    blocks = [{"type": "plan", "title": "Rolling out"}]
    assert (await client.chat_postMessage(channel="C01DEPLOYS", text="x", blocks=blocks))["ok"]
    workspace.refuse_blocks("plan")

    with pytest.raises(SlackApiError) as refusal:
        await client.chat_postMessage(channel="C01DEPLOYS", text="x", blocks=blocks)

    assert refusal.value.response["error"] == "invalid_blocks"
    assert refusal.value.response["errors"] == ["unsupported type: plan [json-pointer:/blocks/0/type]"]
