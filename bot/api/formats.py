"""How a promotion's lines are printed: as text for people, or as one JSON object a line for programs (contract 9.1)."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import orjson

from bot.api.names import Names
from bot.views.awaited import WaitingState, counted
from bot.views.times import stamp
from core.clock import Clock
from core.errors import Invalid
from core.lifecycle.outcome import ending
from core.lifecycle.transition import phase_after
from core.promotion import Phase, Promotion
from core.records.line import Line

# Foreign text (logs of pods) must not move a reader's cursor or recolour their terminal.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


# Tells what a promotion waits for.
Awaits = Callable[[Promotion], Awaitable[WaitingState | None]]


class Format(Protocol):
    """What is printed of a promotion; the number of rows that a line has never changes."""

    media: str

    def rows(self, line: Line) -> list[str]:
        """Return a line as printed."""
        ...

    async def end(self, promotion: Promotion) -> str:
        """Return the terminal message as printed."""
        ...

    async def beside(self, promotion: Promotion) -> list[str]:
        """Return rows that are no lines, and are not counted as such: what is awaited, where that is told."""
        ...


class TextFormat:
    """Lines as Convox's command line prints them."""

    media = "text/plain; charset=utf-8"

    def __init__(self, names: Names) -> None:
        self._names = names

    def rows(self, line: Line) -> list[str]:
        return rows_of(line)

    async def end(self, promotion: Promotion) -> str:
        return await self._names.plain(ending(promotion).with_text(clean))

    async def beside(self, _: Promotion) -> list[str]:
        return []


class JsonFormat:
    """One JSON object a line, for programs; the last has `ending` and `cause`."""

    media = "application/x-ndjson"

    def __init__(self, names: Names) -> None:
        self._names = names
        # A line belongs to the phase that the last one about a phase began.
        self._phase: Phase = Phase.PENDING

    def rows(self, line: Line) -> list[str]:
        self._phase = phase_after(line) or self._phase
        return [
            _json(
                {
                    "time": stamp(line.at),
                    "object": line.object,
                    "text": line.text,
                    "phase": str(self._phase),
                }
            )
        ]

    async def end(self, promotion: Promotion) -> str:
        return _json(
            {
                "ending": await self._names.plain(ending(promotion)),
                "cause": await self._names.plain(promotion.cause or promotion.reason),
                "phase": str(promotion.phase),
                "release": promotion.release,
                "ok": promotion.phase is Phase.RUNNING,
            }
        )

    async def beside(self, _: Promotion) -> list[str]:
        return []


class LiveFormat:
    """The rows of the text, each as an object with `text`, and among them objects with `awaited`, for whoever looks on."""

    media = JsonFormat.media

    def __init__(self, names: Names, awaits: Awaits, clock: Clock) -> None:
        """Take the names of people, what tells what a promotion waits for, and the time."""
        self._names = names
        self._text = TextFormat(names)
        self._awaits = awaits
        self._clock = clock
        self._told = -1

    def rows(self, line: Line) -> list[str]:
        return [_json({"text": row}) for row in self._text.rows(line)]

    async def end(self, promotion: Promotion) -> str:
        return _json({"text": await self._text.end(promotion)})

    async def beside(self, promotion: Promotion) -> list[str]:
        """Tell it anew with each change of the promotion."""
        if promotion.revision == self._told or (awaits := await self._awaits(promotion)) is None:
            return []
        self._told = promotion.revision
        return [awaited_row(awaits, await self._names.plain(awaits.text), self._clock.now())]


def awaited_row(awaits: WaitingState, text: str, now: datetime) -> str:
    """Return what is awaited as a row beside lines."""
    return _json({"awaited": clean(text), **counted(awaits, now)})


def _json(document: dict[str, Any]) -> str:
    return orjson.dumps(document).decode()


def rows_of(line: Line) -> list[str]:
    """Return a line as printed; what follows its first row is indented, so that only a verdict begins as one."""
    first, *rest = clean(str(line)).split("\n")
    return [first, *(row if row.startswith("  ") else f"  {row}" for row in rest)]


def clean(text: str) -> str:
    """Return text without control characters; tabs and line ends stay."""
    return _ESCAPES.sub("", text)


def new_format(name: str, names: Names, awaits: Awaits, clock: Clock) -> Format:
    """Return the format of that name for one stream; raise Invalid where there is none."""
    match name:
        case "text":
            return TextFormat(names)
        case "json":
            return JsonFormat(names)
        case "live":
            return LiveFormat(names, awaits, clock)
        case _:
            raise Invalid("format is one of text, json, live")
