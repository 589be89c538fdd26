"""How a promotion's lines are printed: as text for people, or as one JSON object a line for programs (contract 9.1)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from bot.api.names import Names
from bot.views.times import stamp
from core.lifecycle.outcome import ending
from core.lifecycle.transition import phase_after
from core.promotion import Phase, Promotion
from core.records.line import Line

# Foreign text (logs of pods) must not move a reader's cursor or recolour their terminal.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Format(Protocol):
    """What is printed of a promotion; the number of rows that a line has never changes."""

    media: str

    def rows(self, line: Line) -> list[str]:
        """Return a line as printed."""
        ...

    async def end(self, promotion: Promotion) -> str:
        """Return the terminal message as printed."""
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


def _json(document: dict[str, Any]) -> str:
    return orjson.dumps(document).decode()


def rows_of(line: Line) -> list[str]:
    """Return a line as printed; what follows its first row is indented, so that only a verdict begins as one."""
    first, *rest = clean(str(line)).split("\n")
    return [first, *(row if row.startswith("  ") else f"  {row}" for row in rest)]


def clean(text: str) -> str:
    """Return text without control characters; tabs and line ends stay."""
    return _ESCAPES.sub("", text)


FORMATS: Mapping[str, Callable[[Names], Format]] = {"text": TextFormat, "json": JsonFormat}
