"""The emulated Slack without a network between: the same methods, limits and faults, called directly."""

import asyncio
import json as js
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.playground.slack import SlackWorkspace
from bot.playground.slack.context import WebApiCall
from bot.playground.slack.faults import CallFault, Outage
from bot.playground.slack.response_urls import ResponseUrlEndpoint
from bot.playground.slack.webapi.access import authorise
from bot.playground.slack.webapi.dispatch import WebApiServer
from bot.playground.slack.webapi.errors import SlackError

# What a call takes at least and at most.
FASTEST, SLOWEST = 0.03, 0.4


class Caller(Protocol):
    """Whose calls these are: a life of the bot."""

    luck: Any

    def check(self) -> None: ...

    async def pause(self) -> None: ...


async def _there(slack: SlackWorkspace, caller: Caller, method: str) -> CallFault | None:
    """Let a request travel; return the fault that waits for it. A workspace that is away hangs up."""
    await caller.pause()
    await asyncio.sleep(caller.luck.uniform(FASTEST, SLOWEST))
    caller.check()
    if slack._context.faults.outage is not Outage.NONE:
        raise aiohttp.ServerDisconnectedError
    fault = slack._context.faults.take(method)
    if fault is not None and not fault.after_effect:
        raise aiohttp.ServerDisconnectedError
    return fault


class DirectClient(AsyncWebClient):
    """Slack's own client with the emulated workspace at the other end of its one door."""

    def __init__(self, slack: SlackWorkspace, caller: Caller) -> None:
        super().__init__(token=slack.credentials.bot_token, base_url="https://slack.invalid/api/")
        self._slack = slack
        self._caller = caller
        self._server = WebApiServer(slack._context, asyncio.Event())

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        given = {**(how.get("params") or {}), **(how.get("data") or {}), **(how.get("json") or {})}
        arguments = js.loads(js.dumps({key: value for key, value in given.items() if value is not None}))
        fault = await _there(self._slack, self._caller, api_method)
        headers: dict[str, str] = {}
        try:
            scopes = authorise(self._slack._context, api_method, self.token or "")
            body, status, headers = self._server._run(api_method, arguments, scopes)
        except SlackError as error:
            body, status = error.body(), 200
        self._slack._context.keep(WebApiCall(method=api_method, args=arguments, answer=body, status=status))
        await asyncio.sleep(self._caller.luck.uniform(FASTEST, SLOWEST))
        self._caller.check()
        if fault is not None:
            raise aiohttp.ServerDisconnectedError
        return AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=body,
            headers=headers,
            status_code=status,
        ).validate()


class DirectSession:
    """What answers commands and clicks: as much of an aiohttp session as the inbox uses."""

    def __init__(self, slack: SlackWorkspace, caller: Caller) -> None:
        self._slack = slack
        self._caller = caller
        self._endpoint = ResponseUrlEndpoint(slack._context, asyncio.Event())

    @asynccontextmanager
    async def post(self, url: str, *, json: Any) -> AsyncIterator[Any]:
        fault = await _there(self._slack, self._caller, "response_url")
        answer = self._endpoint._answer(url.rpartition("/")[2], json)
        if fault is not None:
            raise aiohttp.ServerDisconnectedError
        yield _Answer(answer.status)


class _Answer:
    def __init__(self, status: int) -> None:
        self.status = status

    async def text(self) -> str:
        return ""
