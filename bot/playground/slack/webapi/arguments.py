"""Reads the arguments of a call, whichever of its three ways a client chose to send them."""

import json
from typing import Any

from aiohttp import web

from bot.playground.slack.webapi.errors import SlackError

Arguments = dict[str, Any]
STRUCTURED = ("blocks", "attachments", "metadata", "view", "files")


async def read_arguments(request: web.Request) -> Arguments:
    """Return query, form and JSON arguments together, structured ones parsed."""
    arguments: Arguments = dict(request.query)
    if request.content_type == "application/json":
        arguments |= _parsed(await request.text())
    elif request.can_read_body:
        arguments |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for key in STRUCTURED:
        if isinstance(arguments.get(key), str):
            arguments[key] = _structure(key, arguments[key])
    return arguments


def _parsed(text: str) -> Arguments:
    try:
        body = json.loads(text or "{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _structure(key: str, text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise SlackError("invalid_blocks_format" if key == "blocks" else "invalid_arguments") from None


def token_of(request: web.Request, arguments: Arguments) -> str:
    """Return the token of a call from its header or its arguments, empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(arguments.pop("token", ""))


def required(arguments: Arguments, key: str, *, error: str = "invalid_arguments") -> str:
    value = arguments.get(key)
    if value is None or value == "":
        raise SlackError(error, response_metadata={"messages": [f"[ERROR] missing required field: {key}"]})
    return str(value)


def truthy(value: Any) -> bool:
    return value is True or str(value).lower() in {"1", "true"}


def number(arguments: Arguments, key: str, default: int) -> int:
    try:
        return int(arguments.get(key) or default)
    except ValueError:
        raise SlackError("invalid_limit") from None
