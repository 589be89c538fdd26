"""The entrance of the Web API: reads a call, lets faults and limits have their say, and answers it."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.playground.slack.context import WebApiCall, WorkspaceContext
from bot.playground.slack.webapi import chat, conversations, directory, extras, views
from bot.playground.slack.webapi.access import authorise
from bot.playground.slack.webapi.arguments import Arguments, read_arguments, token_of
from bot.playground.slack.webapi.errors import SlackError
from bot.playground.slack.webapi.failing import fail, hang_up

Json = dict[str, Any]
Method = Callable[[WorkspaceContext, Arguments, frozenset[str]], Json]
METHODS: dict[str, Method] = {
    "auth.test": directory.auth_test,
    "apps.connections.open": directory.connections_open,
    "bots.info": directory.bots_info,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": extras.complete_upload,
    "files.getUploadURLExternal": extras.get_upload_url,
    "reactions.add": extras.reactions_add,
    "team.info": directory.team_info,
    "usergroups.list": directory.usergroups_list,
    "usergroups.users.list": directory.usergroups_users_list,
    "users.info": directory.users_info,
    "users.list": directory.users_list,
    "views.open": views.views_open,
    "views.push": views.views_push,
    "views.publish": views.views_publish,
    "views.update": views.views_update,
}


class WebApiServer:
    """Answers every `/api/METHOD`."""

    def __init__(self, context: WorkspaceContext, stopping: asyncio.Event) -> None:
        self._context = context
        self._stopping = stopping

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or fail it in the way that was ordered."""
        method = request.match_info["method"]
        if (refusal := hang_up(request, self._context)) is not None:
            return refusal
        fault = self._context.faults.take(method)
        if fault is not None and not fault.after_effect:
            return await fail(request, fault, self._stopping)
        response = await self._answer(request, method)
        return response if fault is None else await fail(request, fault, self._stopping)

    async def _answer(self, request: web.Request, method: str) -> web.Response:
        """Run the method, and keep what was asked and answered."""
        arguments: Arguments = {}
        try:
            arguments = await read_arguments(request)
            scopes = authorise(self._context, method, token_of(request, arguments))
            body, status, headers = self._run(method, arguments, scopes)
        except SlackError as error:
            body, status, headers = error.body(), 200, {}
        self._context.keep(WebApiCall(method=method, args=arguments, answer=body, status=status))
        return web.json_response(body, status=status, headers=headers)

    def _run(
        self, method: str, arguments: Arguments, scopes: frozenset[str]
    ) -> tuple[Json, int, dict[str, str]]:
        if method not in METHODS:
            raise SlackError("unknown_method", req_method=method)
        if wait := self._context.rates.refuse(method, str(arguments.get("channel") or "")):
            return {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)}
        answer = METHODS[method](self._context, arguments, scopes)
        return {"ok": True, **answer}, 200, {"x-oauth-scopes": ",".join(sorted(scopes))}
