"""What Slack sends to an application when a person does something; pure builders of payloads."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.playground.slack.context import TEAM_DOMAIN
from bot.playground.slack.people import BOT_ID
from bot.playground.slack.render import message_json
from bot.playground.slack.state import TEAM_ID, Conversation, Message, User
from bot.playground.slack.store import WorkspaceStore

Json = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]
URL = re.compile(
    r"(?<![\w<|@./])(?:https?://[^\s<>|]+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|de)(?:[/:][^\s<>|]*)?)(?![\w|])",
    re.IGNORECASE,
)
MENTION = re.compile(r"(?<!\S)@([a-z0-9._-]+)")
HASH = re.compile(r"(?<!\S)#([a-z0-9_-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One delivery: the same envelope delivered twice is what Slack calls a retry. Whoever delivers it adds to which application."""

    type: Kind
    payload: Json
    envelope_id: str = field(default_factory=lambda: secrets.token_hex(16))


def escape(text: str, users: Iterable[User], channels: Iterable[Conversation]) -> str:
    """Encode what a person typed after a slash command as `should_escape` does.

    Three characters become entities, `@name` and `#name` become ids, and what looks like an address becomes a link.
    """
    ids = {user.name: user.id for user in users}
    rooms = {channel.name: channel for channel in channels if not channel.is_im}
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = URL.sub(lambda m: f"<{m[0]}>" if "://" in m[0] else f"<http://{m[0]}|{m[0]}>", text)
    text = MENTION.sub(lambda m: f"<@{ids[m[1]]}|{m[1]}>" if m[1] in ids else m[0], text)
    return HASH.sub(lambda m: _room(rooms[m[1]]) if m[1] in rooms else m[0], text)


def _room(channel: Conversation) -> str:
    return f"<#{channel.id}|{'' if channel.is_private else channel.name}>"


def command_payload(
    *, user: User, channel: Conversation, command: str, text: str, response_url: str, trigger: str
) -> Json:
    """Return what arrives for a slash command; there is neither a ts nor a thread in it."""
    return {
        "token": "deprecated",
        # Of the installation: what person it is, and of which workspace, `users.info` tells.
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage"
        if channel.is_im
        else "privategroup"
        if channel.is_private
        else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def action_payload(
    *,
    user: User,
    channel: Conversation,
    message: Message,
    action: Json,
    store: WorkspaceStore,
    response_url: str,
    trigger: str,
) -> Json:
    """Return what arrives when somebody presses a button of a message."""
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = bool(message.visible_to)
    if message.is_reply:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", user, trigger) | {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action | {"action_ts": store.next_ts()}],
    }
    return payload if message.visible_to else payload | {"message": message_json(message, store)}


def shortcut_payload(
    *,
    user: User,
    channel: Conversation,
    message: Message,
    callback_id: str,
    store: WorkspaceStore,
    response_url: str,
    trigger: str,
) -> Json:
    """Return what arrives when somebody chooses a message shortcut."""
    return _interaction("message_action", user, trigger) | {
        "callback_id": callback_id,
        "action_ts": store.next_ts(),
        "channel": {"id": channel.id, "name": channel.name},
        "message_ts": message.ts,
        "message": message_json(message, store),
        "response_url": response_url,
    }


def _interaction(kind: str, user: User, trigger: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "token": "deprecated",
        "trigger_id": trigger,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def submission_payload(*, user: User, view: Json, values: Json, trigger: str) -> Json:
    """Return what arrives when somebody submits a modal."""
    return _interaction("view_submission", user, trigger) | {
        "view": view | {"state": {"values": values}},
        "response_urls": [],
    }


def view_action_payload(*, user: User, view: Json, values: Json, action: Json, ts: str, trigger: str) -> Json:
    """Return what arrives when somebody presses or chooses something in a modal or on their Home tab."""
    return _interaction("block_actions", user, trigger) | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": view | {"state": {"values": values}},
        "actions": [action | {"action_ts": ts}],
    }


def suggestion_payload(*, user: User, view: Json, block_id: str, action_id: str, typed: str) -> Json:
    """Return what arrives when a menu asks for the options that fit what was typed; it brings no trigger."""
    payload = _interaction("block_suggestion", user, "")
    del payload["trigger_id"]
    return payload | {
        "container": {"type": "view", "view_id": view["id"]},
        "action_id": action_id,
        "block_id": block_id,
        "value": typed,
        "view": view,
    }


def closed_payload(*, user: User, view: Json, is_cleared: bool) -> Json:
    """Return what arrives when somebody closes a modal that has asked to be told."""
    payload = _interaction("view_closed", user, "")
    del payload["trigger_id"]
    return payload | {"view": view, "is_cleared": is_cleared}


def event_payload(event: Json) -> Json:
    """Wrap an event of the Events API."""
    return {
        "token": "deprecated",
        "team_id": TEAM_ID,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(float(event.get("event_ts", 0))),
        "authorizations": [
            {"team_id": TEAM_ID, "user_id": BOT_ID, "is_bot": True, "is_enterprise_install": False}
        ],
        "is_ext_shared_channel": False,
    }


def find_action(blocks: Iterable[Json], action_id: str, block_id: str = "") -> Json | None:
    """Return the pressed element as the payload words it, or None if there is no such element."""
    for block in blocks:
        for item in [*(block.get("elements") or []), block.get("accessory") or {}]:
            if item.get("action_id") == action_id and block_id in {"", block.get("block_id")}:
                kept = {key: item[key] for key in ("type", "text", "value", "style", "url") if key in item}
                return {"action_id": action_id, "block_id": block.get("block_id", ""), **kept}
    return None
