"""Rate limits, outages, lost answers and used-up permissions, as the application meets them."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.clock import SystemClock
from bot.playground.slack import DROP, HANG, SlackWorkspace

DEPLOYS, GENERAL = "C01DEPLOYS", "C02GENERAL"


async def refusal(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_a_channel_takes_three_messages_at_once_and_then_one_a_second(client, clock):
    for _ in range(3):
        await client.chat_postMessage(channel=DEPLOYS, text="x")

    answer = await refusal(client.chat_postMessage(channel=DEPLOYS, text="x"))

    assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "1")
    assert (await client.chat_postMessage(channel=GENERAL, text="x"))["ok"]
    clock.ahead += 1
    assert (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ok"]


async def test_all_updates_share_fifty_a_minute(client, clock):
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ts"]
    for _ in range(50):
        await client.chat_update(channel=DEPLOYS, ts=ts, text="y")

    answer = await refusal(client.chat_update(channel=DEPLOYS, ts=ts, text="z"))

    assert answer.status_code == 429
    assert 55 <= int(answer.headers["Retry-After"]) <= 60
    clock.ahead += 60
    assert (await client.chat_update(channel=DEPLOYS, ts=ts, text="z"))["ok"]


async def test_an_ordered_error_hits_once(client, workspace):
    workspace.fail_next("chat.postMessage", "fatal_error")

    assert (await refusal(client.chat_postMessage(channel=DEPLOYS, text="x")))["error"] == "fatal_error"
    assert (await client.chat_postMessage(channel=DEPLOYS, text="x"))["ok"]
    assert len(workspace.messages("deploys")) == 1


async def test_an_ordered_429_says_when_to_come_back(client, workspace):
    workspace.fail_next("chat.update", 429, retry_after=7)

    answer = await refusal(client.chat_update(channel=DEPLOYS, ts="1.0", text="x"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


async def test_an_answer_can_be_lost_after_the_message_was_posted(client, workspace):
    workspace.fail_next("chat.postMessage", DROP, after_effect=True)

    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=DEPLOYS, text="x")

    assert [message.text for message in workspace.messages("deploys")] == ["x"]


async def test_a_hanging_call_ends_when_the_workspace_stops(clock):
    workspace = SlackWorkspace(clock)
    await workspace.start()
    workspace.fail_next("auth.test", HANG)
    async with aiohttp.ClientSession() as session:
        calling = asyncio.ensure_future(session.post(f"{workspace.api_url}auth.test"))
        done, _ = await asyncio.wait({calling}, timeout=0.05)
        assert not done

        await workspace.stop()

        with pytest.raises(aiohttp.ClientError):
            await calling


async def test_an_outage_answers_nobody_and_ends(client, workspace, socket_app):
    with pytest.raises(SlackApiError):
        await down(workspace, "error", client)
    with pytest.raises(aiohttp.ClientError):
        await down(workspace, "drop", client)
    with pytest.raises(aiohttp.ClientConnectorError):
        await down(workspace, "refuse", client)

    await workspace.come_up()

    assert (await client.auth_test())["ok"]
    await workspace.wait_for(lambda: workspace.connected)
    assert (await workspace.command("alice", "deploys", "releases")).ok


async def down(workspace, how, client):
    await workspace.go_down(how)
    await client.auth_test()


async def test_a_lost_socket_is_replaced_by_the_client(workspace, socket_app):
    workspace.drop_sockets()
    assert workspace.connected == 0

    await workspace.wait_for(lambda: workspace.connected)

    assert (await workspace.command("alice", "deploys", "releases")).ok


async def test_a_refresh_replaces_the_connection_without_a_gap(workspace, socket_app):
    await workspace.disconnect_sockets("refresh_requested")

    await workspace.wait_for(lambda: workspace.connected)

    assert (await workspace.command("alice", "deploys", "releases")).ok


async def test_a_connection_ticket_opens_one_connection(workspace, client, session):
    url = (await client.apps_connections_open(app_token=workspace.credentials.app_token))["url"]
    async with session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_each_payload_goes_to_one_of_several_connections(workspace, client, session):
    sockets = []
    for _ in range(2):
        url = (await client.apps_connections_open(app_token=workspace.credentials.app_token))["url"]
        sockets.append(await session.ws_connect(url))
        await sockets[-1].receive_json()

    async def answer(socket):
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hi"}})
        return envelope

    answering = [asyncio.ensure_future(answer(socket)) for socket in sockets]
    for _ in sockets:
        assert (await workspace.command("alice", "deploys", "releases")).ok
    envelopes = await asyncio.gather(*answering)

    assert {each["type"] for each in envelopes} == {"slash_commands"}
    assert all(each["accepts_response_payload"] for each in envelopes)
    assert [message.text for message in workspace.ephemerals("alice")] == ["hi", "hi"]
    for socket in sockets:
        await socket.close()


async def test_a_response_url_works_five_times(workspace, session):
    envelope = workspace.command_envelope("alice", "deploys", "x")
    hook = AsyncWebhookClient(envelope.payload["response_url"], session=session)

    statuses = [(await hook.send(text=str(index))).status_code for index in range(6)]

    assert statuses == [200] * 5 + [404]
    assert [message.text for message in workspace.ephemerals("alice")] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_works_for_half_an_hour(workspace, session, clock):
    envelope = workspace.command_envelope("alice", "deploys", "x")
    hook = AsyncWebhookClient(envelope.payload["response_url"], session=session)

    clock.ahead += 30 * 60 + 1
    answer = await hook.send(text="late")

    assert (answer.status_code, answer.body) == (404, '{"ok": false, "error": "expired_url"}')


async def test_a_response_url_speaks_where_the_bot_is_no_member(workspace, session):
    envelope = workspace.command_envelope("alice", "random", "x")
    hook = AsyncWebhookClient(envelope.payload["response_url"], session=session)

    await hook.send(text="hello all", response_type="in_channel")

    assert [message.text for message in workspace.messages("random")] == ["hello all"]


async def test_a_response_url_replaces_and_deletes_the_message_that_was_clicked(workspace, client, session):
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "elements": [button]}]
    shown = await client.chat_postEphemeral(channel=DEPLOYS, user="U01ALICE", text="sure?", blocks=blocks)
    envelope = workspace.click_envelope("alice", "deploys", shown["message_ts"], "go")
    hook = AsyncWebhookClient(envelope.payload["response_url"], session=session)

    await hook.send(text="done", replace_original=True)
    (message,) = workspace.ephemerals("alice")
    assert (message.text, message.blocks) == ("done", [])
    assert envelope.payload["container"]["is_ephemeral"]

    await hook.send(delete_original=True)
    assert workspace.ephemerals("alice") == []


async def test_a_trigger_opens_one_modal_within_three_seconds(workspace, client, clock):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Why?"}, "blocks": [{"type": "divider"}]}
    trigger = workspace.command_envelope("alice", "deploys", "x").payload["trigger_id"]
    late = workspace.command_envelope("alice", "deploys", "x").payload["trigger_id"]

    await client.views_open(trigger_id=trigger, view=view)
    used = await refusal(client.views_open(trigger_id=trigger, view=view))
    clock.ahead += 3.1
    expired = await refusal(client.views_open(trigger_id=late, view=view))

    assert (used["error"], expired["error"]) == ("trigger_exchanged", "trigger_expired")


async def test_a_snapshot_brings_everything_back_but_ephemeral_messages(workspace, client):
    workspace.invite("random", "convox")
    said = await client.chat_postMessage(channel=DEPLOYS, text="kept")
    await client.chat_postEphemeral(channel=DEPLOYS, user="U01ALICE", text="lost")

    again = SlackWorkspace(SystemClock())
    again.restore(workspace.snapshot())

    assert [message.text for message in again.messages("deploys")] == ["kept"]
    assert again.ephemerals("alice") == []
    assert "U0CONVOX" in again.channel("random").members
    assert (await again.say("alice", "deploys", "later")).ts > said["ts"]


async def test_waiting_in_vain_shows_what_people_see(workspace):
    await workspace.say("alice", "deploys", "hello there")

    with pytest.raises(TimeoutError, match="hello there"):
        await workspace.wait_for(lambda: workspace.ephemerals("bob"), timeout=0.05)
