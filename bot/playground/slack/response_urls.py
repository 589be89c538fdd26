"""Response URLs: how an application answers a command or a click for half an hour, five times."""

import asyncio
import json
from typing import Any

from aiohttp import web

from bot.playground.slack.context import WebApiCall, WorkspaceContext
from bot.playground.slack.limits import ADVICE, POST_TEXT, findings
from bot.playground.slack.state import Message
from bot.playground.slack.tickets import ResponseUrl
from bot.playground.slack.webapi.arguments import truthy
from bot.playground.slack.webapi.chat import with_ids
from bot.playground.slack.webapi.failing import fail, hang_up

Json = dict[str, Any]


class ResponseUrlEndpoint:
    """Answers `POST /response/SECRET`."""

    def __init__(self, context: WorkspaceContext, stopping: asyncio.Event) -> None:
        self._context = context
        self._stopping = stopping

    async def handle(self, request: web.Request) -> web.Response:
        """Show an answer, change the message that was clicked, or refuse a used-up URL."""
        if (refusal := hang_up(request, self._context)) is not None:
            return refusal
        fault = self._context.faults.take("response_url")
        if fault is not None and not fault.after_effect:
            return await fail(request, fault, self._stopping)
        body = await _body(request)
        answer = self._answer(request.match_info["secret"], body)
        self._context.keep(WebApiCall(method="response_url", args=body or {}, status=answer.status))
        return answer if fault is None else await fail(request, fault, self._stopping)

    def _answer(self, secret: str, body: Json | None) -> web.Response:
        if body is None:
            return _refusal(400, "invalid_payload")
        ticket = self._context.tickets.use_response(secret)
        if ticket is None:
            return _refusal(404, "expired_url")
        found = findings(body, method="response_url", refused=self._context.refused_blocks)
        self._context.violations.extend(f"response_url: {code}: {detail}" for code, detail in found)
        if error := next((code for code, _ in found if code not in ADVICE), None):
            return _refusal(400, error)
        self._apply(ticket, body)
        return web.json_response({"ok": True})

    def _apply(self, ticket: ResponseUrl, body: Json) -> None:
        store = self._context.store
        original = self._original(ticket)
        if truthy(body.get("delete_original")) and original:
            store.remove(original)
        elif truthy(body.get("replace_original")) and original:
            original.text = str(body.get("text") or "")
            store.change(original, with_ids(body.get("blocks") or []))
            original.edited_ts = store.next_ts()
            store.publish(original)
        elif body.get("text") or body.get("blocks"):
            store.post(self._new(ticket, body))

    def _original(self, ticket: ResponseUrl) -> Message | None:
        """Return the message whose button was pressed; a command has none."""
        if ticket.message_ts is None:
            return None
        store = self._context.store
        ephemeral = store.find_ephemeral(ticket.user, ticket.channel, ticket.message_ts)
        return ephemeral or store.find(ticket.channel, ticket.message_ts)

    def _new(self, ticket: ResponseUrl, body: Json) -> Message:
        in_channel = body.get("response_type") == "in_channel"
        return Message(
            ts=self._context.store.next_ts(),
            channel=ticket.channel,
            user=self._context.credentials.bot_user,
            bot_id=self._context.credentials.bot_id,
            app_id=self._context.credentials.app_id,
            text=str(body.get("text") or "")[:POST_TEXT],
            blocks=with_ids(body.get("blocks") or []),
            thread_ts=body.get("thread_ts") or ticket.thread_ts,
            visible_to=None if in_channel else ticket.user,
        )


async def _body(request: web.Request) -> Json | None:
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refusal(status: int, error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)
