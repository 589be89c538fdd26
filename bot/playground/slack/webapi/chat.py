"""`chat.*`: what the bot says, and says differently later."""

import secrets
from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.fields import MARK
from bot.playground.slack.limits import ADVICE, POST_TEXT, findings
from bot.playground.slack.render import message_json
from bot.playground.slack.state import Conversation, Message
from bot.playground.slack.webapi.access import find_channel, require_postable
from bot.playground.slack.webapi.arguments import Arguments, required, truthy
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]


def check(context: WorkspaceContext, method: str, arguments: Arguments) -> Json:
    """Refuse a payload that Slack refuses; record what it would only show badly, and return the warnings."""
    found = findings(arguments, method=method, refused=context.refused_blocks)
    context.violations.extend(f"{method}: {code}: {detail}" for code, detail in found)
    errors = [(code, detail) for code, detail in found if code not in ADVICE]
    if errors:
        code = errors[0][0]
        details = [detail for each, detail in errors if each == code and detail]
        raise SlackError(
            code,
            errors=[detail.removeprefix(MARK) for detail in details],
            response_metadata={"messages": details},
        )
    truncated = any(code == "message_truncated" for code, _ in found)
    return {"warning": "message_truncated"} if truncated else {}


def with_ids(blocks: list[Json]) -> list[Json]:
    """Give blocks and interactive elements the ids that Slack makes up where the application gave none."""
    return [_with_ids(block) for block in blocks]


def _with_ids(block: Json) -> Json:
    named = {"block_id": secrets.token_urlsafe(4), **block}
    if block.get("type") == "actions":
        named["elements"] = [_with_action(item) for item in block.get("elements", [])]
    if "accessory" in block and block["accessory"].get("type") != "image":
        named["accessory"] = _with_action(block["accessory"])
    return named


def _with_action(item: Json) -> Json:
    return {"action_id": secrets.token_urlsafe(4), **item}


def post_message(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    require_postable(context, channel, scopes)
    warnings = check(context, "chat.postMessage", arguments)
    message = context.store.post(_from_bot(context, channel, arguments))
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(message, context.store),
        **warnings,
    }


def _from_bot(context: WorkspaceContext, channel: Conversation, arguments: Arguments) -> Message:
    return Message(
        ts=context.store.next_ts(),
        channel=channel.id,
        user=context.credentials.bot_user,
        text=str(arguments.get("text") or "")[:POST_TEXT],
        blocks=with_ids(arguments.get("blocks") or []),
        thread_ts=_thread(context, channel, arguments.get("thread_ts")),
        bot_id=context.credentials.bot_id,
        app_id=context.credentials.app_id,
        metadata=arguments.get("metadata"),
        broadcast=truthy(arguments.get("reply_broadcast")) and bool(arguments.get("thread_ts")),
    )


def _thread(context: WorkspaceContext, channel: Conversation, ts: Any) -> str | None:
    """Return the thread a reply belongs to; Slack takes any number, people then look for the reply in vain."""
    if not ts:
        return None
    parent = context.store.find(channel.id, str(ts))
    if parent is None:
        context.violations.append(f"chat.postMessage: thread_ts {ts} is no message of {channel.id}")
    elif parent.is_reply:
        context.violations.append(f"chat.postMessage: thread_ts {ts} is a reply, not a parent")
        return parent.thread_ts
    return str(ts)


def post_ephemeral(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    user = required(arguments, "user")
    require_postable(context, channel, scopes)
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    check(context, "chat.postEphemeral", arguments)
    message = _from_bot(context, channel, arguments)
    message.visible_to, message.broadcast = user, False
    return {"message_ts": context.store.post(message).ts}


def _own_message(context: WorkspaceContext, arguments: Arguments, refusal: str) -> Message:
    """Return a message of the bot's that it may change."""
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    message = context.store.find(channel.id, required(arguments, "ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != context.credentials.bot_user:
        raise SlackError(refusal)
    if channel.is_archived:
        raise SlackError("is_inactive")
    return message


def update(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    """Change a message; blocks and metadata that are not mentioned stay."""
    message = _own_message(context, arguments, "cant_update_message")
    check(context, "chat.update", arguments)
    if arguments.get("text") is not None:
        message.text = str(arguments["text"])
    if arguments.get("blocks") is not None:
        context.store.change(message, with_ids(arguments["blocks"]))
    if arguments.get("metadata") is not None:
        message.metadata = arguments["metadata"] or None
    message.edited_ts = context.store.next_ts()
    message.broadcast = message.broadcast or (truthy(arguments.get("reply_broadcast")) and message.is_reply)
    context.store.publish(message)
    shown = message_json(message, context.store)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    message = _own_message(context, arguments, "cant_delete_message")
    context.store.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    message = context.store.find(channel.id, required(arguments, "message_ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{context.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    return {"channel": channel.id, "permalink": link + thread}
