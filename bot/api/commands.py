"""`POST /commands`: the slash command's grammar, policy, audit and texts without Slack (engine rule 38)."""

from dataclasses import asdict
from typing import Any, Literal

from aiohttp import web

from bot.api.authentication import caller_of
from bot.api.bodies import Body, read_body
from bot.api.names import Names
from bot.command.forms import fill
from bot.command.parser import parse
from bot.handlers.dispatch import Handlers
from bot.handlers.reply import Reply
from bot.http.errors import error_response, json_response
from bot.views.answers import Answer
from core.errors import UserError
from core.ports.store import Store

# Where a promotion is when the answer is given, so that `--no-wait` need not read sentences.
PHASE_HEADER = "Promotion-Phase"


class CommandText(Body):
    """What a terminal sends."""

    text: str
    """The words, joined as by a shell."""
    input: dict[str, str] | None = None
    """What was entered into the form that an answer before has shown, by field."""
    seen: str | None = None
    """Of that form."""
    output: Literal["text", "json"] = "text"
    """`json`: lists and facts as data as well, and what is to be known of them apart."""


class CommandsEndpoint:
    """Carries out commands of tokens."""

    def __init__(self, handlers: Handlers, store: Store, names: Names) -> None:
        self._handlers = handlers
        self._store = store
        self._names = names

    async def create(self, request: web.Request) -> web.Response:
        """Carry out one command; what is refused is answered with the refusal's status."""
        caller = caller_of(request)
        given = await read_body(request, CommandText)
        command = fill(parse(given.text, slack=False), given.input, given.seen)
        reply = await self._handlers.handle(command, caller)
        if reply.answer.refusal is not None:
            return await self._refused(reply.answer, reply.answer.refusal)
        document: dict[str, Any] = {"text": await self._text(reply), "promotion": reply.promotion}
        if reply.answer.release:
            document["release"] = reply.answer.release
        if reply.answer.id:
            document["id"] = reply.answer.id
        if reply.form is not None:
            document["form"] = asdict(reply.form)
        if given.output == "json":
            document |= {"data": reply.answer.data, "notes": await self._told(reply.answer)}
        return json_response(document, headers=await self._phase(reply.promotion))

    async def _text(self, reply: Reply) -> str:
        """Return an answer for a terminal: what was asked for stands first, so that a script can take it."""
        answer = reply.answer
        parts = [await self._names.plain(answer.text), *await self._notes(answer)]
        parts.append(await self._names.plain(answer.hint))
        return "\n".join(part for part in parts if part)

    async def _refused(self, answer: Answer, error: UserError) -> web.Response:
        """Return the refusal with what was done before it, and what to know of that."""
        done = [await self._names.plain(answer.text), *await self._notes(answer)]
        return error_response(
            error,
            sentence=await self._names.plain(error.sentence),
            hint=await self._names.plain(answer.hint),
            text="\n".join(part for part in done if part),
        )

    async def _told(self, answer: Answer) -> list[str]:
        """Return what stands beside an answer, for whoever takes its data only."""
        said = [*answer.warnings, answer.hint] if answer.hint else answer.warnings
        return [await self._names.plain(each) for each in said]

    async def _notes(self, answer: Answer) -> list[str]:
        return [f"Note: {await self._names.plain(warning)}" for warning in answer.warnings]

    async def _phase(self, promotion: str | None) -> dict[str, str]:
        if promotion is None:
            return {}
        return {PHASE_HEADER: str((await self._store.read.promotion(promotion)).phase)}
