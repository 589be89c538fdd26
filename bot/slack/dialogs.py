"""Modals: opened for whoever has just typed something, read when they are submitted."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bot.command.button_value import text_of
from bot.command.forms import Form, FormCommand
from bot.command.lexer import encode
from bot.command.parser import parse
from bot.slack.web_api import WebApi
from bot.views.modals import entered, modal, offered, opening, refusal
from core.errors import UserError
from core.sentence import CommandLine, Sentence

log = logging.getLogger(__name__)

log = logging.getLogger(__name__)

# Slack's words for a trigger that is older than three seconds, or was used before.
TOO_LATE = frozenset({"trigger_expired", "trigger_exchanged", "invalid_trigger_id", "expired_trigger_id"})


# Who closes a dialog before it is filled wants it no more.
CLOSED = "not_found"
# Dialogs that were opened and that no worker has asked for yet; those of a repeated delivery stay until they are pushed out.
MOST_OPENED = 500


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A modal that stands there, empty, and the hash that it is changed by."""

    id: str
    hash: str


class Dialogs:
    """Shows forms to people in Slack, and tells them what became of it where their `response_url` is over.

    A trigger lives three seconds, and what a form asks for may take longer to find out. So an empty modal is opened before
    anything else (`begin`, called by the listener) and filled when its command has its turn.
    """

    def __init__(self, web: WebApi) -> None:
        self._web = web
        self._begun: dict[str, asyncio.Future[OpenedView | None]] = {}
        self._triggers: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Open what was begun until cancelled; one does not wait for another."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                trigger = await self._triggers.get()
                tasks.create_task(self._begin(trigger), name="open a dialog")

    def begin(self, body: Mapping[str, Any]) -> None:
        """Have an empty modal opened for a command or a click that asks for more, at once."""
        trigger = str(body.get("trigger_id", ""))
        if trigger in self._begun or not opens_dialog(said_in(body)):
            return
        while len(self._begun) >= MOST_OPENED:
            del self._begun[next(iter(self._begun))]
        self._begun[trigger] = asyncio.get_running_loop().create_future()
        self._triggers.put_nowait(trigger)

    async def _begin(self, trigger: str) -> None:
        view = None
        try:
            said = await self._web.open(trigger, opening())
            if found := said.data.get("view"):
                view = OpenedView(found["id"], found["hash"])
            else:
                log.info("Slack opened no dialog yet: %s", said.error)
        finally:
            if (begun := self._begun.get(trigger)) is not None:
                begun.set_result(view)

    async def _opened(self, body: Mapping[str, Any]) -> OpenedView | None:
        """Return the modal that stands there already for a delivery, if one does; each is returned once."""
        begun = self._begun.get(trigger := str(body.get("trigger_id", "")))
        if begun is None:
            return None
        try:
            return await begun
        finally:
            self._begun.pop(trigger, None)

    async def open(self, body: Mapping[str, Any], typed: str, form: Form) -> None:
        """Show a form to whoever sent a delivery.

        Args:
            body: the delivery.
            typed: the command that asks; it is carried out with what is entered.
            form: what is asked for.

        Raises:
            UserError: Slack does not show it; nothing was done.
        """
        channel = body.get("channel")
        origin = {
            "typed": typed,
            "seen": form.seen,
            "channel": body.get("channel_id") or (channel or {}).get("id"),
            "response_url": body.get("response_url"),
        }
        if "trigger_id" not in body:
            raise UserError(
                "only a slash command opens a dialog", hint=Sentence.of("type it: ", CommandLine(typed))
            )
        view = modal(form, orjson.dumps(origin).decode())
        if opened := await self._opened(body):
            said = await self._web.change(opened.id, opened.hash, view)
        else:
            said = await self._web.open(str(body.get("trigger_id", "")), view)
        if said.error == CLOSED:
            return
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

    async def refuse(self, body: Mapping[str, Any], text: str) -> bool:
        """Say in the modal that was opened for a delivery why nothing is to be entered; False where none was."""
        opened = await self._opened(body)
        return (
            opened is not None and not (await self._web.change(opened.id, opened.hash, refusal(text))).error
        )

    async def tell(self, user: str, text: str) -> None:
        """Tell one person, where nothing else reaches them any more."""
        await self._web.post(user, {"text": text}, secrets.token_hex(8))


def opens_dialog(typed: str) -> bool:
    """Tell whether a command asks by a form, so that the three seconds of its trigger are not spent waiting for others."""
    try:
        return isinstance(parse(typed, linked_app="any"), FormCommand)
    except UserError:
        return False


def said_in(body: Mapping[str, Any]) -> str:
    """Return the words of a command, or those that a clicked button means."""
    actions = body.get("actions") or ()
    return (text_of(str(actions[0].get("value", ""))) or "") if actions else str(body.get("text", ""))


def form_of(view: Mapping[str, Any]) -> FormCommand | None:
    """Return the command that a modal asks for; None where it is none of ours."""
    try:
        command = parse(encode(orjson.loads(view["private_metadata"])["typed"]))
    except (ValueError, KeyError, TypeError, UserError):
        return None
    return command if isinstance(command, FormCommand) else None


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
    command = form_of(body["view"])
    if command is None:
        return {}  # whoever carries it out says why it cannot be read
    return dict(command.problems(entered(body["view"]), offered(body["view"])))
