"""`reactions.add` and uploads: kept and checked, shown where it is cheap."""

import secrets
from base64 import b64encode
from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.state import Message
from bot.playground.slack.webapi.access import find_channel, require_postable
from bot.playground.slack.webapi.arguments import Arguments, number, required
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]
PNG = b"\x89PNG\r\n\x1a\n"
# Slack's own limit of `alt_txt`.
MOST_ALT = 1000


def reactions_add(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    message = context.store.find(channel.id, required(arguments, "timestamp", error="bad_timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    name = required(arguments, "name", error="invalid_name")
    reaction = next((r for r in message.reactions if r["name"] == name), None)
    if reaction is None:
        message.reactions.append({"name": name, "users": [context.credentials.bot_user], "count": 1})
    elif context.credentials.bot_user in reaction["users"]:
        raise SlackError("already_reacted")
    else:
        reaction["users"].append(context.credentials.bot_user)
        reaction["count"] += 1
    context.store.publish(message)
    return {}


def get_upload_url(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    size = number(arguments, "length", 0)
    if size < 1:
        raise SlackError("invalid_arguments")
    file_id = f"F{secrets.token_hex(5).upper()}"
    name = required(arguments, "filename")
    file = {"id": file_id, "name": name, "title": name, "size": size, "content": None}
    if alt := str(arguments.get("alt_txt") or ""):
        if len(alt) > MOST_ALT:
            raise SlackError("invalid_arguments")
        file["alt_txt"] = alt
    context.store.files[file_id] = file
    return {"upload_url": f"{context.url}/upload/{file_id}", "file_id": file_id}


def complete_upload(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    """Attach uploaded files to a message in a channel."""
    files = [_uploaded(context, each) for each in arguments.get("files") or []]
    shown = [{key: value for key, value in file.items() if key != "content"} for file in files]
    if target := arguments.get("channel_id"):
        channel = find_channel(context, str(target))
        require_postable(context, channel, scopes)
        message = Message(
            ts=context.store.next_ts(),
            channel=channel.id,
            user=context.credentials.bot_user,
            text=str(arguments.get("initial_comment") or ""),
            thread_ts=arguments.get("thread_ts"),
            bot_id=context.credentials.bot_id,
            app_id=context.credentials.app_id,
            files=[file | _readable(file["content"] or b"") for file in files],
        )
        context.store.post(message)
    return {"files": shown}


def _readable(content: bytes) -> Json:
    """Return the bytes of a file as the page shows them: a picture, or text."""
    if content.startswith(PNG):
        picture = f"data:image/png;base64,{b64encode(content).decode()}"
        return {"mimetype": "image/png", "content": picture}
    return {"mimetype": "text/plain", "content": content.decode(errors="replace")}


def _uploaded(context: WorkspaceContext, reference: Json) -> Json:
    file = context.store.files.get(str(reference.get("id")))
    if file is None or file["content"] is None:
        raise SlackError("file_not_found")
    file["title"] = reference.get("title") or file["title"]
    return file
