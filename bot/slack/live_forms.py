"""Modals that answer while they are filled: the options of a menu, and what the chosen one would change."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.command.release_forms import ReleaseForm
from bot.handlers.dispatch import Handlers
from bot.slack.dialogs import form_of
from bot.slack.web_api import WebApi
from bot.views.answers import slack_answer
from bot.views.choices import release_choice
from bot.views.modals import choice, entered, modal, with_refusal
from bot.views.mrkdwn import inline
from bot.views.refusals import refusal
from core.actor import Actor, Caller
from core.clock import Clock
from core.errors import UserError
from core.ids import normalise
from core.usecases.chooser import Chooser

log = logging.getLogger(__name__)

# Slack waits three seconds for the options of a menu, and shows an error after that.
OPTIONS_SECONDS = 2.5
# Choices whose consequences are still to be shown; what comes beyond that is shown with the next choice.
MOST_WAITING = 100


class LiveForms:
    """Answers what Slack asks for while a modal stands there. It changes nothing, so nothing of it is kept."""

    def __init__(self, handlers: Handlers, chooser: Chooser, web: WebApi, clock: Clock) -> None:
        self._handlers = handlers
        self._chooser = chooser
        self._web = web
        self._clock = clock
        self._chosen: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(MOST_WAITING)

    async def options(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the options that fit what was typed into a menu; none where nobody can say within Slack's patience."""
        command = form_of(body.get("view") or {})
        if not isinstance(command, ReleaseForm):
            return []
        try:
            async with asyncio.timeout(OPTIONS_SECONDS):
                found = await self._chooser.choices(
                    _caller(body), command.app, command.kind, str(body.get("value") or "")
                )
        except (TimeoutError, UserError) as error:
            log.warning("a menu of releases stays empty: %s", error)
            return []
        return [choice(release_choice(each, self._clock.now())) for each in found]

    def chosen(self, body: Mapping[str, Any]) -> None:
        """Have the modal say what the choice would change."""
        try:
            self._chosen.put_nowait(body)
        except asyncio.QueueFull:
            log.warning("what a chosen release would change is not shown: too many wait")

    async def run(self) -> None:
        """Show what choices would change until cancelled; one does not wait for another."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                body = await self._chosen.get()
                tasks.create_task(self._show(body), name="show what a choice would change")

    async def _show(self, body: Mapping[str, Any]) -> None:
        """Have the modal say it; whatever goes wrong with one modal, the others go on."""
        try:
            await self._answer(body)
        except Exception:
            log.exception("a modal was left as it was")

    async def _answer(self, body: Mapping[str, Any]) -> None:
        view = body["view"]
        command, given = form_of(view), entered(view)
        release = normalise("release", given.get("release", ""))
        if not isinstance(command, ReleaseForm) or release is None:
            return
        changed = await self._changed(view, command.choosing(release), release, _caller(body))
        said = await self._web.change(view["id"], view["hash"], changed)
        if said.error:
            # It was closed or chosen anew meanwhile, mostly.
            log.info("a modal was not changed: %s", said.error)

    async def _changed(
        self, view: Mapping[str, Any], command: ReleaseForm, release: str, caller: Caller
    ) -> dict[str, Any]:
        """Return the modal with what the choice would change, or why it cannot be had: never with what another one would."""
        try:
            form = await self._handlers.form(command, caller)
        except UserError as error:
            log.info("what %s would change is not shown: %s", release, error)
            return with_refusal(view, slack_answer(replace(refusal(error), code=False))["text"])
        except Exception:
            log.exception("what %s would change is not shown", release)
            return with_refusal(
                view, f"What {inline(release)} would change is not known now. Choose it once more."
            )
        return modal(form, view["private_metadata"])


def _caller(body: Mapping[str, Any]) -> Caller:
    user = body["user"]
    actor = Actor("slack", user["id"], user.get("username") or user.get("name", ""))
    return Caller(actor=actor, source="slack")
