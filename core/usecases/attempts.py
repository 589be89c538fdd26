"""Trying again what somebody else was first with: what takes long is prepared before a transaction, which then looks whether it still fits."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.errors import Conflict, Taken

T = TypeVar("T")

# Two random ids of 26¹⁰ collide once in a lifetime; five collisions in a row are a broken generator.
TRIES = 5
# Each time somebody else has changed something, so all together come to an end; one alone would not know when.
MOST_STALE = 50


class StaleRequest(Exception):
    """What a request was prepared from has changed before its transaction began: it is prepared anew."""


async def until_current(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what the attempt returns; it is made again where an id is taken or it was prepared in vain.

    Raises:
        Conflict: it was in vain too often.
    """
    taken = stale = 0
    while taken < TRIES and stale < MOST_STALE:
        try:
            return await attempt()
        except Taken:
            taken += 1
        except StaleRequest:
            stale += 1
    if stale == MOST_STALE:
        raise Conflict("others have changed the app all the time, and nothing was done", hint="try again")
    raise Conflict(
        "no free id was found", hint="try again; if it persists, the machine's randomness is broken"
    )
