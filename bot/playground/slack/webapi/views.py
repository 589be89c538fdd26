"""`views.*`: modals, at most three on top of each other, and each person's Home tab."""

import secrets
from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.state import TEAM_ID
from bot.playground.slack.webapi.arguments import Arguments, required
from bot.playground.slack.webapi.chat import check, with_ids
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]
MOST_STACKED = 3


def kept(context: WorkspaceContext, view: Json, view_id: str, user: str, previous: str | None = None) -> Json:
    """Keep a view that was checked under its id, with what Slack adds to it; every change has another hash."""
    before = context.store.views.get(view_id, {})
    complete = {
        **view,
        "blocks": with_ids(view.get("blocks", [])),
        "id": view_id,
        "team_id": TEAM_ID,
        "app_id": context.credentials.app_id,
        "bot_id": context.credentials.bot_id,
        "app_installed_team_id": TEAM_ID,
        "hash": f"{context.store.next_ts()}.{secrets.token_hex(4)}",
        "state": {"values": {}},
        "previous_view_id": before.get("previous_view_id", previous),
        "root_view_id": before.get("root_view_id")
        or (context.store.views[previous]["root_view_id"] if previous else view_id),
    }
    context.store.keep_view(complete, user)
    return complete


def _checked(context: WorkspaceContext, arguments: Arguments, method: str, surface: str) -> Json:
    check(context, method, arguments)
    view: Json = arguments["view"]
    if view.get("type") != surface:
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] not a {surface}"]})
    return view


def views_open(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    user, error = context.tickets.use_trigger(required(arguments, "trigger_id"))
    if error:
        raise SlackError(error)
    view = _checked(context, arguments, "views.open", "modal")
    view_id = _new_id()
    context.store.opened[user] = [view_id]
    return {"view": kept(context, view, view_id, user)}


def views_push(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    """Put a modal on top of the one that the person has open."""
    user, error = context.tickets.use_trigger(required(arguments, "trigger_id"))
    stack = context.store.opened.get(user) or []
    if error or not stack:
        raise SlackError(error or "not_found")
    if len(stack) >= MOST_STACKED:
        raise SlackError("push_limit_reached")
    view = _checked(context, arguments, "views.push", "modal")
    view_id = _new_id()
    context.store.opened[user] = [*stack, view_id]
    return {"view": kept(context, view, view_id, user, stack[-1])}


def views_update(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    """Show something else in a modal that is still open; with a hash only if it is still what that was given for."""
    view_id = str(arguments.get("view_id") or "")
    if external := arguments.get("external_id"):
        views = context.store.views.items()
        view_id = next((key for key, view in views if view.get("external_id") == external), "")
    holder = context.store.view_holders.get(view_id, "")
    ours = context.store.views.get(view_id, {}).get("app_id") == context.credentials.app_id
    if not ours or view_id not in context.store.opened.get(holder, ()):
        raise SlackError("not_found")
    _check_hash(context, arguments, view_id)
    view = _checked(context, arguments, "views.update", "modal")
    return {"view": kept(context, view, view_id, holder)}


def home_id(context: WorkspaceContext, user: str) -> str:
    """Return the id of a person's Home tab: each application has its own with everybody."""
    return f"VHOME{context.credentials.app_id}{user}"


def views_publish(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    user = required(arguments, "user_id")
    if user not in context.store.users:
        raise SlackError("user_not_found")
    view_id = home_id(context, user)
    _check_hash(context, arguments, view_id)
    view = _checked(context, arguments, "views.publish", "home")
    return {"view": kept(context, view, view_id, user)}


def _check_hash(context: WorkspaceContext, arguments: Arguments, view_id: str) -> None:
    known = context.store.views.get(view_id, {}).get("hash")
    if known and arguments.get("hash") and arguments["hash"] != known:
        raise SlackError("hash_conflict")


def _new_id() -> str:
    return f"V{secrets.token_hex(5).upper()}"
