"""`conversations.*`: channels and what was said in them."""

from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.render import channel_json, message_json
from bot.playground.slack.state import Conversation, Message
from bot.playground.slack.webapi.access import READS, find_channel, require_scope, scope_family
from bot.playground.slack.webapi.arguments import Arguments, number, required, truthy
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]


def _readable(
    context: WorkspaceContext, method: str, arguments: Arguments, scopes: frozenset[str]
) -> Conversation:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    require_scope(scopes, f"{scope_family(channel)}:{READS[method]}")
    return channel


def info(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    channel = _readable(context, "conversations.info", arguments, scopes)
    shown = channel_json(channel, context.credentials.bot_user)
    if not truthy(arguments.get("include_num_members")):
        shown.pop("num_members", None)
    return {"channel": shown}


def members(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    channel = _readable(context, "conversations.members", arguments, scopes)
    return {"members": list(channel.members), "response_metadata": {"next_cursor": ""}}


def list_(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    """List the channels the bot can see, of the kinds asked for."""
    kinds = str(arguments.get("types") or "public_channel").split(",")
    hide_archived = truthy(arguments.get("exclude_archived"))
    shown = [
        channel_json(channel, context.credentials.bot_user)
        for channel in context.store.channels.values()
        if _kind(channel) in kinds
        and not (hide_archived and channel.is_archived)
        and (context.credentials.bot_user in channel.members or _kind(channel) == "public_channel")
    ]
    return {"channels": shown, "response_metadata": {"next_cursor": ""}}


def _kind(channel: Conversation) -> str:
    return "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"


def open_(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    users = [name for name in str(arguments.get("users") or "").split(",") if name]
    if len(users) != 1 or users[0] not in context.store.users:
        raise SlackError("user_not_found" if users else "invalid_arguments")
    if context.store.users[users[0]].deleted:
        raise SlackError("user_disabled")
    channel = context.store.direct(context.credentials.bot_user, users[0])
    return {
        "channel": channel_json(channel, context.credentials.bot_user)
        if truthy(arguments.get("return_im"))
        else {"id": channel.id}
    }


def join(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    if channel.is_archived:
        raise SlackError("is_archived")
    if context.credentials.bot_user not in channel.members:
        channel.members.append(context.credentials.bot_user)
        context.store.changed()
    return {"channel": channel_json(channel, context.credentials.bot_user)}


def history(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    """Give a channel's main view, newest first."""
    channel = _readable(context, "conversations.history", arguments, scopes)
    _member(context, channel)
    found = list(reversed(_between(context.store.top_level(channel.id), arguments)))
    return _page(context, found, arguments, default=100)


def replies(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    """Give a thread, its parent first, oldest first."""
    channel = _readable(context, "conversations.replies", arguments, scopes)
    _member(context, channel)
    message = context.store.find(channel.id, required(arguments, "ts", error="thread_not_found"))
    parent = context.store.parent_of(message) if message and message.is_reply else message
    if parent is None:
        raise SlackError("thread_not_found")
    found = _between(context.store.replies(channel.id, parent.ts), arguments)
    return _page(context, found, arguments, default=1000, first=parent)


def _member(context: WorkspaceContext, channel: Conversation) -> None:
    if context.credentials.bot_user not in channel.members:
        raise SlackError("not_in_channel")


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = _ts(arguments.get("oldest"), 0.0), _ts(arguments.get("latest"), float("inf"))
    inclusive = truthy(arguments.get("inclusive"))
    if inclusive:
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


def _ts(value: Any, default: float) -> float:
    try:
        return float(value) if value else default
    except ValueError:
        raise SlackError("invalid_ts_latest" if default else "invalid_ts_oldest") from None


def _page(
    context: WorkspaceContext,
    found: list[Message],
    arguments: Arguments,
    *,
    default: int,
    first: Message | None = None,
) -> Json:
    """Cut a list of messages into pages; `first` leads the first page."""
    start, limit = (
        number({"cursor": arguments.get("cursor")}, "cursor", 0),
        number(arguments, "limit", default),
    )
    shown = found[start : start + limit]
    if first is not None and start == 0:
        shown = [first, *shown]
    more = start + limit < len(found)
    metadata = truthy(arguments.get("include_all_metadata"))
    return {
        "messages": [message_json(message, context.store, metadata=metadata) for message in shown],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }
