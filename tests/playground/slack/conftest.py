"""A workspace on a real port, an unmodified client, and a tiny Bolt application in both transports."""

import asyncio
import contextlib
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.playground.slack import BOT_SCOPES, AppCredentials, MessageShortcut, PageButton, SlackWorkspace

HINTS = [
    ("releases", "list the releases"),
    ("releases promote R…", "roll a release out"),
    ("env set K=V", "change the environment"),
    ("help", "what it understands"),
]
STEPS = [
    ("Look around", "/convox releases", "lists what could go out"),
    ("Roll one out", "/convox releases promote RABCDEFGHIJ", "posts a card with buttons"),
]
BUTTON = {
    "type": "button",
    "action_id": "promotion.approve",
    "text": {"type": "plain_text", "text": "Approve"},
    "style": "primary",
    "value": "1 approve PABCDEFGHIJ",
    "confirm": {
        "title": {"type": "plain_text", "text": "Promote RABCDEFGHIJ?"},
        "text": {"type": "mrkdwn", "text": "It goes to *web* in production."},
        "confirm": {"type": "plain_text", "text": "Promote"},
        "deny": {"type": "plain_text", "text": "Not now"},
    },
}
CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Waiting for approval* web RABCDEFGHIJ"}},
    {"type": "actions", "block_id": "card", "elements": [BUTTON]},
]

MODAL = {
    "type": "modal",
    "callback_id": "reason",
    "title": {"type": "plain_text", "text": "Why?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


class ManualClock(SystemClock):
    """The wall's time, plus what a test adds to it."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def scopes():
    return BOT_SCOPES | {
        "channels:read",
        "groups:read",
        "im:write",
        "reactions:write",
        "channels:join",
        "team:read",
    }


@pytest.fixture
def ack_seconds():
    return 3.0


@pytest.fixture
def pressed():
    return []


@pytest.fixture
async def workspace(clock, scopes, ack_seconds, pressed):
    async def reset():
        pressed.append("reset")

    made = SlackWorkspace(
        clock,
        credentials=AppCredentials(scopes=scopes),
        hints=HINTS,
        first_steps=STEPS,
        message_shortcuts=[MessageShortcut(name="Promote this build", callback_id="promote")],
        buttons=[PageButton(label="Reset", question="Begin anew?", press=reset)],
        ack_seconds=ack_seconds,
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
def client(workspace, session):
    token = workspace.credentials.bot_token
    return AsyncWebClient(token=token, base_url=workspace.api_url, session=session, retry_handlers=[])


def bolt(workspace, client):
    """Return the smallest application that answers commands and clicks."""
    app = AsyncApp(
        client=client,
        signing_secret=workspace.credentials.signing_secret,
        raise_error_for_unhandled_request=False,
    )
    seen = SimpleNamespace(commands=[], actions=[], mentions=[], views=[], shortcuts=[])

    @app.command("/convox")
    async def on_command(ack, command, respond):
        seen.commands.append(command)
        if command["text"].startswith("silent"):
            return
        await ack()
        if command["text"].startswith("releases hold"):
            await client.views_open(trigger_id=command["trigger_id"], view=MODAL)
        elif command["text"].startswith("releases promote"):
            card = await client.chat_postMessage(
                channel=command["channel_id"], text="Waiting for approval", blocks=CARD
            )
            await client.chat_postMessage(
                channel=command["channel_id"], thread_ts=card["ts"], text="```\nline 1\n```"
            )
        else:
            await respond(f"You said `{command['text']}`")

    @app.action("promotion.approve")
    async def on_approve(ack, body):
        seen.actions.append(body)
        await ack()
        done = f"Approved by <@{body['user']['id']}>"
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=done, blocks=[]
        )

    @app.event("app_mention")
    async def on_mention(event):
        seen.mentions.append(event)

    @app.message_shortcut("promote")
    async def on_shortcut(ack, body, respond):
        seen.shortcuts.append(body)
        await ack()
        await respond(f"You chose a message that says {body['message']['text']}")

    @app.view("reason")
    async def on_view(ack, body):
        seen.views.append(body)
        if len(body["view"]["state"]["values"]["why"]["text"]["value"]) < 5:
            await ack(response_action="errors", errors={"why": "say more"})
        else:
            await ack()

    return app, seen


@pytest.fixture
async def socket_app(workspace, client):
    """Connect the tiny application through Socket Mode."""
    app, seen = bolt(workspace, client)
    handler = AsyncSocketModeHandler(
        app, workspace.credentials.app_token, web_client=client, ping_interval=0.2
    )
    await handler.connect_async()
    await workspace.wait_for(lambda: workspace.connected)
    yield SimpleNamespace(app=app, seen=seen, handler=handler)
    await hang_up(handler)


async def hang_up(handler):
    """Close a Socket Mode client and wait for the tasks it leaves behind."""
    tasks = [
        handler.client.message_processor,
        handler.client.message_receiver,
        handler.client.current_session_monitor,
    ]
    await handler.close_async()
    for task in filter(None, tasks):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def http_app(workspace, client):
    """Serve the tiny application behind a request URL."""
    app, seen = bolt(workspace, client)
    runner = web.AppRunner(app.web_app("/slack/events"), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    workspace.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield SimpleNamespace(app=app, seen=seen)
    await runner.cleanup()
