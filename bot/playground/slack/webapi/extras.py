"""`views.*`, `reactions.add` and uploads: kept and checked, shown where it is cheap."""

import secrets
from typing import Any

from bot.playground.slack.context import APP_ID, WorkspaceContext
from bot.playground.slack.people import BOT_ID, BOT_USER
from bot.playground.slack.state import TEAM_ID, Message
from bot.playground.slack.webapi.access import find_channel, require_postable
from bot.playground.slack.webapi.arguments import Arguments, number, required
from bot.playground.slack.webapi.chat import check, with_ids
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]


def _kept(context: WorkspaceContext, arguments: Arguments, view_id: str, method: str, user: str) -> Json:
    """Check a view and keep it under its id."""
    check(context, method, arguments)
    view = arguments["view"] | {"blocks": with_ids(arguments["view"].get("blocks", []))}
    kept = {
        **view,
        "id": view_id,
        "team_id": TEAM_ID,
        "app_id": APP_ID,
        "bot_id": BOT_ID,
        "hash": f"{context.store.next_ts()}.{secrets.token_hex(4)}",
        "state": {"values": {}},
        "root_view_id": view_id,
    }
    context.store.keep_view(kept, user)
    return {"view": kept}


def views_open(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    user, error = context.tickets.use_trigger(required(arguments, "trigger_id"))
    if error:
        raise SlackError(error)
    return _kept(context, arguments, f"V{secrets.token_hex(5).upper()}", "views.open", user)


def views_update(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    view_id = str(arguments.get("view_id") or "")
    external = arguments.get("external_id")
    if external:
        view_id = next(
            (key for key, v in context.store.views.items() if v.get("external_id") == external), ""
        )
    if view_id not in context.store.views:
        raise SlackError("not_found")
    if arguments.get("hash") and arguments["hash"] != context.store.views[view_id]["hash"]:
        raise SlackError("hash_conflict")
    return _kept(context, arguments, view_id, "views.update", context.store.view_holders[view_id])


def views_publish(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    user = required(arguments, "user_id")
    if user not in context.store.users:
        raise SlackError("user_not_found")
    return _kept(context, arguments, f"VHOME{user}", "views.publish", user)


def reactions_add(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    channel = find_channel(context, required(arguments, "channel", error="channel_not_found"))
    message = context.store.find(channel.id, required(arguments, "timestamp", error="bad_timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    name = required(arguments, "name", error="invalid_name")
    reaction = next((r for r in message.reactions if r["name"] == name), None)
    if reaction is None:
        message.reactions.append({"name": name, "users": [BOT_USER], "count": 1})
    elif BOT_USER in reaction["users"]:
        raise SlackError("already_reacted")
    else:
        reaction["users"].append(BOT_USER)
        reaction["count"] += 1
    context.store.publish(message)
    return {}


def get_upload_url(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    size = number(arguments, "length", 0)
    if size < 1:
        raise SlackError("invalid_arguments")
    file_id = f"F{secrets.token_hex(5).upper()}"
    name = required(arguments, "filename")
    context.store.files[file_id] = {"id": file_id, "name": name, "title": name, "size": size, "content": None}
    return {"upload_url": f"{context.url}/upload/{file_id}", "file_id": file_id}


def complete_upload(context: WorkspaceContext, arguments: Arguments, scopes: frozenset[str]) -> Json:
    """Attach uploaded files to a message in a channel."""
    files = [_uploaded(context, each) for each in arguments.get("files") or []]
    shown = [{key: value for key, value in file.items() if key != "content"} for file in files]
    if target := arguments.get("channel_id"):
        channel = find_channel(context, str(target))
        require_postable(channel, scopes)
        message = Message(
            ts=context.store.next_ts(),
            channel=channel.id,
            user=BOT_USER,
            text=str(arguments.get("initial_comment") or ""),
            thread_ts=arguments.get("thread_ts"),
            bot_id=BOT_ID,
            app_id=APP_ID,
            files=[file | {"content": (file["content"] or b"").decode(errors="replace")} for file in files],
        )
        context.store.post(message)
    return {"files": shown}


def _uploaded(context: WorkspaceContext, reference: Json) -> Json:
    file = context.store.files.get(str(reference.get("id")))
    if file is None or file["content"] is None:
        raise SlackError("file_not_found")
    file["title"] = reference.get("title") or file["title"]
    return file
