"""Answering whoever asked: through `response_url`, in the dialog that is open, or directly."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.slack.dialogs import Dialogs
from bot.slack.files import FileSender
from bot.slack.workspace_blocks import NEWER, REFUSED, WorkspaceBlocks, kinds_of
from bot.views.answers import Answer, slack_answer
from bot.views.racks import on_rack

log = logging.getLogger(__name__)


class Responder:
    """Answers deliveries, each to its sender."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        dialogs: Dialogs,
        files: FileSender,
        support: WorkspaceBlocks,
        rack: str,
    ) -> None:
        """Take what it works with.

        Args:
            session: for answers through `response_url`.
            dialogs: shows a refusal beside what was entered.
            files: puts an answer that is a file into a thread.
            support: knows which kinds of blocks the workspace takes.
            rack: which every answer names, unless it is the usual one.
        """
        self._session = session
        self._dialogs = dialogs
        self._files = files
        self._support = support
        self._rack = rack

    async def respond(self, body: Mapping[str, Any], answer: Answer) -> None:
        """Answer a delivery with this body; an answer that nobody takes is logged."""
        await self._respond(body, await self._filed(answer))

    async def _filed(self, answer: Answer) -> Answer:
        """Put what is a file into its thread, and say that it is there; else show what a message takes, and why."""
        if answer.file is None:
            return answer
        if why := await self._files.upload(answer.file):
            return replace(answer, warnings=(*answer.warnings, why))
        return replace(answer, text=answer.file.said, hint="", code=False)

    async def _respond(self, body: Mapping[str, Any], answer: Answer) -> None:
        """Answer through response_url, or directly where somebody took longer over a modal than that works."""
        payload = on_rack(slack_answer(answer, tables=await self._support.takes("table")), self._rack)
        if "event" in body:
            await self._dialogs.answer(body["event"], payload["text"])
            return
        if answer.refusal and await self._dialogs.refuse(body, payload["text"]):
            return
        url = body.get("response_url")
        taken = await self._taken(url, payload) if url else False
        if not taken and "view" in body:
            await self._dialogs.tell(body["user"]["id"], payload["text"])

    async def _taken(self, url: str, payload: dict[str, Any]) -> bool:
        """Tell whether Slack took an answer; one whose table it refuses is sent with the block of code alone."""
        status, said = await self._post(url, payload)
        newer = kinds_of(payload) & NEWER
        if status != HTTPStatus.OK and newer and REFUSED in said:
            status, said = await self._post(url, {k: v for k, v in payload.items() if k != "blocks"})
            if status == HTTPStatus.OK:
                await self._support.refuse(newer)
        return status == HTTPStatus.OK

    async def _post(self, url: str, payload: Mapping[str, Any]) -> tuple[int, str]:
        """Return Slack's status and what it says, 0 for none; it never raises in Slack's SDK, so its status is looked at here."""
        try:
            async with self._session.post(url, json=payload) as response:
                if response.status == HTTPStatus.OK:
                    return HTTPStatus.OK, ""
                said = await response.text()
                log.warning("Slack took no answer: HTTP %d %.200s", response.status, said)
                return response.status, said
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("Slack took no answer: %s", type(error).__name__)
        return 0, ""
