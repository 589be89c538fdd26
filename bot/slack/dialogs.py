"""Modals: opened for whoever has just typed something, read when they are submitted."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from bot.command.forms import Form, FormCommand
from bot.command.parser import parse
from bot.slack.web_api import WebApi
from bot.views.modals import entered, modal, offered
from core.errors import UserError
from core.sentence import CommandLine, Sentence

log = logging.getLogger(__name__)

# Slack's words for a trigger that is older than three seconds, or was used before.
TOO_LATE = frozenset({"trigger_expired", "trigger_exchanged", "invalid_trigger_id", "expired_trigger_id"})


class Dialogs:
    """Shows forms to people in Slack, and tells them what became of it where their `response_url` is over."""

    def __init__(self, web: WebApi) -> None:
        self._web = web

    async def open(self, body: Mapping[str, Any], typed: str, form: Form) -> None:
        """Show a form to whoever sent a delivery.

        Args:
            body: the delivery.
            typed: the command that asks; it is carried out with what is entered.
            form: what is asked for.

        Raises:
            UserError: Slack does not show it; nothing was done.
        """
        origin = {
            "typed": typed,
            "seen": form.seen,
            "channel": body.get("channel_id"),
            "response_url": body.get("response_url"),
        }
        if "trigger_id" not in body:
            raise UserError(
                "only a slash command opens a dialog", hint=Sentence.of("type it: ", CommandLine(typed))
            )
        said = await self._web.open(str(body["trigger_id"]), modal(form, orjson.dumps(origin).decode()))
        if said.error in TOO_LATE:
            raise UserError(
                "I was too late to show the dialog, so nothing was done", hint="type it once more"
            )
        if said.error:
            hint = f"type it once more, or in a terminal: `convox-bot do {typed}`"
            raise UserError(f"Slack did not show the dialog ({said.error}), so nothing was done", hint=hint)

    async def answer(self, event: Mapping[str, Any], text: str) -> None:
        """Answer a mention where it was written, to whoever wrote it."""
        channel, user = str(event["channel"]), str(event["user"])
        said = await self._web.whisper(channel, user, {"text": text}, event.get("thread_ts"))
        if said.error:
            log.warning("Slack shows %s no answer in %s: %s", user, channel, said.error)

    async def tell(self, user: str, text: str) -> None:
        """Tell one person, where nothing else reaches them any more."""
        await self._web.post(user, {"text": text}, secrets.token_hex(8))


def opens_dialog(typed: str) -> bool:
    """Tell whether a command asks by a form, so that the three seconds of its trigger are not spent waiting for others."""
    try:
        return isinstance(parse(typed, linked_app="any"), FormCommand)
    except UserError:
        return False


def with_origin(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a submission with what its command brought: where it was typed, and where it is answered."""
    origin = orjson.loads(body["view"]["private_metadata"])
    return {
        **body,
        "text": origin["typed"],
        "seen": origin["seen"],
        "channel_id": origin["channel"],
        "response_url": origin["response_url"],
    }


def problems(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a submission as far as it tells by itself, said at its first field; nothing where it is good."""
    view = body["view"]
    try:
        command = parse(orjson.loads(view["private_metadata"])["typed"], slack=False)
    except (ValueError, KeyError, TypeError, UserError):
        return {}  # whoever carries it out says why it cannot be read
    if not isinstance(command, FormCommand):
        return {}
    given = entered(view)
    wrong = command.problem(given, offered(view))
    return {next(iter(given), ""): wrong} if wrong else {}
