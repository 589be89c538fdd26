"""How Slack's Web API words its records; pure functions from the store's records to JSON."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.playground.slack.state import Conversation, Message, User, Usergroup
from bot.playground.slack.store import WorkspaceStore

Json = dict[str, Any]


def message_json(message: Message, store: WorkspaceStore, *, metadata: bool = False) -> Json:
    """Return a message as conversations.history gives it."""
    out: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": _team(message, store),
    }
    for name in ("blocks", "bot_id", "app_id", "files", "reactions", "subtype", "username"):
        if value := getattr(message, name):
            out[name] = value
    if message.edited_ts:
        out["edited"] = {"user": message.bot_id or message.user, "ts": message.edited_ts}
    if metadata and message.metadata:
        out["metadata"] = message.metadata
    if message.broadcast:
        out["subtype"] = "thread_broadcast"
    return out | _thread_facts(message, store)


def _team(message: Message, store: WorkspaceStore) -> str:
    author = store.users.get(message.user)
    return author.team_id if author else ""


def _thread_facts(message: Message, store: WorkspaceStore) -> Json:
    if message.is_reply:
        return {"thread_ts": message.thread_ts}
    replies = [] if message.visible_to else store.replies(message.channel, message.ts)
    if not replies:
        return {}
    authors = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(authors),
        "reply_users": authors,
        "latest_reply": replies[-1].ts,
    }


def _offset(zone: str) -> int:
    """Return the seconds that a zone is ahead of UTC now, as Slack gives them beside its name."""
    ahead = datetime.now(ZoneInfo(zone)).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def user_json(user: User) -> Json:
    """Return a member as users.info gives it."""
    profile = {
        "real_name": user.real_name,
        "display_name": user.name,
        "title": user.title,
        "team": user.team_id,
    }
    out: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "color": user.color,
        "tz": user.tz,
        "tz_offset": _offset(user.tz),
        "profile": profile | ({"bot_id": user.bot_id} if user.bot_id else {}),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "updated": 1_700_000_000,
    }
    return out | ({"is_stranger": True} if user.is_stranger else {})


def channel_json(channel: Conversation, bot: str) -> Json:
    """Return a conversation as conversations.info gives it to an application whose bot is this user."""
    out: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_mpim": False,
        "is_member": bot in channel.members,
    }
    if channel.is_im:
        return out | {"user": next((m for m in channel.members if m != bot), bot)}
    return out | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_general": channel.name == "general",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def usergroup_json(group: Usergroup, *, users: bool) -> Json:
    out: Json = {
        "id": group.id,
        "team_id": "",
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_delete": 1 if group.disabled else 0,
        "user_count": len(group.users),
    }
    return out | ({"users": group.users} if users else {})
