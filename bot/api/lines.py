"""`GET /promotions/{id}/lines`: a promotion from its first line to its verdict, as it happens (contract 5)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial

from aiohttp import web

from bot.api.authentication import caller_of
from bot.api.formats import Format, new_format
from bot.api.names import Names
from bot.api.streams import POLL_SECONDS, Listening, TextStreams, position
from bot.views.awaited import WaitingState, promotion_awaits
from core.actor import Caller
from core.clock import Clock
from core.errors import NotFound
from core.ids import normalise
from core.promotion import Phase, Promotion
from core.records.line import Line
from core.usecases.viewer import Viewer

# Returns a promotion, and its lines after a number.
Look = Callable[[int], Awaitable[tuple[Promotion, list[tuple[int, Line]]]]]


class LinesEndpoint:
    """Streams the lines of promotions."""

    def __init__(self, viewer: Viewer, names: Names, clock: Clock, streams: TextStreams) -> None:
        self._viewer = viewer
        self._names = names
        self._clock = clock
        self._streams = streams

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Stream from the line after `after` to the terminal message, then end."""
        after, caller = position(request), caller_of(request)
        awaits = partial(self._awaits, caller)
        shape = new_format(request.query.get("format", "text"), self._names, awaits, self._clock)
        promotion = await self._viewer.promotion(caller, _id(request.match_info["id"]))
        look = partial(self._viewer.lines, caller, promotion.id)

        def chunks(listening: Listening) -> AsyncGenerator[str]:
            return follow(look, shape, self._clock, after=after, listening=listening)

        return await self._streams.send(request, shape.media, chunks)

    async def _awaits(self, caller: Caller, promotion: Promotion) -> WaitingState | None:
        waits = promotion.phase is Phase.AWAITING_APPROVAL
        asked = await self._viewer.open_seats(caller, promotion) if waits else None
        return promotion_awaits(promotion, asked)


async def follow(
    look: Look,
    shape: Format,
    clock: Clock,
    *,
    after: int,
    listening: Listening,
) -> AsyncGenerator[str]:
    """Yield text that ends with a line end, one or many lines at a time, until the terminal message is out.

    Args:
        look: returns the promotion, and its lines after a number.
        shape: how it is printed.
        clock: what is waited by.
        after: lines (as printed) that were received before; the terminal message is the last one.
        listening: whether anybody still reads.
    """
    number = printed = 0
    while listening():
        promotion, batch = await look(number)
        rows = [row for _, line in batch for row in shape.rows(line)]
        if not batch and promotion.settled:
            rows = [await shape.end(promotion)]
        fresh = rows[max(0, after - printed) :]
        printed += len(rows)
        if fresh:
            yield "".join(f"{row}\n" for row in fresh)
        if batch:
            number = batch[-1][0]
        elif promotion.settled:
            return
        else:
            if beside := await shape.beside(promotion):
                yield "".join(f"{row}\n" for row in beside)
            await clock.sleep(POLL_SECONDS)


def _id(given: str) -> str:
    promotion = normalise("promotion", given)
    if promotion is None:
        raise NotFound(f"no such promotion: {given[:40]}", hint="its id is P and ten letters")
    return promotion
