"""The emulated Web API answers Slack's own JavaScript SDK as Slack does."""

import pytest

from bot.clock import SystemClock
from bot.playground.slack import SlackWorkspace
from tests.conformance.conftest import JavaScriptError

CHANNEL = "C01DEPLOYS"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Rolling out*"}}
VIEW = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Why?"},
    "blocks": [SECTION],
}


async def test_who_it_is(app):
    said = await app.call("auth.test")

    assert said["ok"]
    assert said["team_id"] == "T0CONVOX01"
    assert said["user_id"] == "U0CONVOX"


async def test_a_card_is_posted_and_updated_and_its_thread_is_read_back(app, workspace):
    blocks = [SECTION, {"type": "plan", "title": "Rolling out", "tasks": [task("web", "in_progress")]}]
    card = await app.call("chat.postMessage", channel=CHANNEL, text="rolling out", blocks=blocks)
    line = await app.call("chat.postMessage", channel=CHANNEL, text="a line", thread_ts=card["ts"])
    changed = await app.call("chat.update", channel=CHANNEL, ts=card["ts"], text="live", blocks=[SECTION])

    assert card["message"]["blocks"][1]["tasks"][0]["status"] == "in_progress"
    assert changed["text"] == "live"
    (shown,) = workspace.messages("deploys")
    assert (shown.text, len(shown.blocks)) == ("live", 1)
    thread = await app.call("conversations.replies", channel=CHANNEL, ts=card["ts"])
    assert [message["ts"] for message in thread["messages"]] == [card["ts"], line["ts"]]
    link = await app.call("chat.getPermalink", channel=CHANNEL, message_ts=line["ts"])
    assert f"thread_ts={card['ts']}" in link["permalink"]


def task(name: str, status: str) -> dict[str, str]:
    return {"type": "task_card", "task_id": name, "title": name, "status": status}


async def test_an_ephemeral_message_is_for_one(app, workspace):
    await app.call("chat.postEphemeral", channel=CHANNEL, user="U01ALICE", text="only you")

    assert [each.text for each in workspace.ephemerals("alice")] == ["only you"]
    assert workspace.messages("deploys") == []


async def test_a_refusal_is_a_platform_error_with_slacks_code_and_pointers(app):
    with pytest.raises(JavaScriptError) as refusal:
        await app.call("chat.postMessage", channel=CHANNEL, text="x", blocks=[{"type": "section"}])

    assert refusal.value.code == "slack_webapi_platform_error"
    assert refusal.value.data["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks/0]" in refusal.value.data["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C03RANDOM", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "C05OLD", "text": "x"}, "is_archived"),
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.update", {"channel": CHANNEL, "ts": "1.000000", "text": "x"}, "message_not_found"),
        ("views.open", {"trigger_id": "1.2.3", "view": VIEW}, "invalid_trigger_id"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("chat.scheduleNothing", {}, "unknown_method"),
    ],
)
async def test_what_slack_refuses(app, method, args, error):
    with pytest.raises(JavaScriptError) as refusal:
        await app.call(method, **args)

    assert refusal.value.data["error"] == error


async def test_a_file_is_uploaded_into_a_thread_as_it_was(app, workspace):
    card = await app.call("chat.postMessage", channel=CHANNEL, text="failed")
    log = "line 1\nline 2 ü\n"

    await app.upload(
        channel_id=CHANNEL,
        thread_ts=card["ts"],
        filename="web.log",
        title="web",
        content=log,
        initial_comment="the log",
    )

    (reply,) = workspace.thread("deploys", card["ts"])
    assert reply.text == "the log"
    (file,) = reply.files
    assert (file["name"], file["title"], file["content"]) == ("web.log", "web", log)
    assert file["size"] == len(log.encode())


async def test_people_and_groups_are_asked_for(app):
    person = await app.call("users.info", user="U04GITA")
    group = await app.call("usergroups.users.list", usergroup="S01DEVS")

    assert person["user"]["is_restricted"] is True
    assert group["users"] == ["U01ALICE", "U02BOB"]


async def test_a_home_is_published_and_checked(app, workspace):
    home = {"type": "home", "blocks": [SECTION]}
    published = await app.call("views.publish", user_id="U01ALICE", view=home)

    assert published["view"]["hash"]
    with pytest.raises(JavaScriptError) as refusal:
        await app.call("views.publish", user_id="U01ALICE", view=home | {"blocks": [{"type": "header"}]})
    assert refusal.value.data["error"] == "invalid_arguments"


async def test_a_view_is_updated_once_by_its_hash(app, workspace):
    await app.connect()
    await workspace.command("alice", "deploys", "releases")
    (command,) = await app.take()
    trigger = command["body"]["trigger_id"]

    opened = await app.call("views.open", trigger_id=trigger, view=VIEW)
    view = opened["view"]
    changed = VIEW | {"title": {"type": "plain_text", "text": "Why not?"}}
    updated = await app.call("views.update", view_id=view["id"], hash=view["hash"], view=changed)

    assert updated["view"]["title"]["text"] == "Why not?"
    with pytest.raises(JavaScriptError) as late:
        await app.call("views.update", view_id=view["id"], hash=view["hash"], view=VIEW)
    assert late.value.data["error"] == "hash_conflict"
    with pytest.raises(JavaScriptError) as twice:
        await app.call("views.open", trigger_id=trigger, view=VIEW)
    assert twice.value.data["error"] == "trigger_exchanged"


class TestWithRateLimits:
    @pytest.fixture
    async def workspace(self):
        made = SlackWorkspace(SystemClock())
        await made.start()
        yield made
        await made.stop()

    async def test_too_many_posts_are_told_when_to_come_back(self, app):
        async def post_many():
            for _ in range(20):
                await app.call("chat.postMessage", channel=CHANNEL, text="x")

        with pytest.raises(JavaScriptError) as refusal:
            await post_many()

        assert refusal.value.code == "slack_webapi_rate_limited_error"
        assert refusal.value.retry_after >= 1


class TestWithAWrongToken:
    @pytest.fixture
    def app_token(self):
        return "xapp-1-A0CONVOX-nonsense"

    async def test_no_connection_is_opened(self, app):
        with pytest.raises(JavaScriptError) as refusal:
            await app.connect()

        assert refusal.value.data["error"] == "invalid_auth"
