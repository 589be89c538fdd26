"""Looks taken side by side within a time: each ends in a sentence, whatever becomes of it, and what was not reached is named."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.admin.doctor.check import HealthCheck, named, one_line
from core.errors import Rejected, Unavailable, Unreachable
from storage.errors import StorageError

log = logging.getLogger(__name__)

AGAIN = "convox-bot doctor"
OUR_FAULT = "`convox-bot doctor` once more; if it says the same, it is a fault of convox-bot: report it with this line"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to be looked at: its name, and what takes the look."""

    name: str
    take: Callable[[], Awaitable[Sequence[HealthCheck]]]


async def look_at_all(looks: Sequence[Look], *, at_once: int, seconds: float) -> list[HealthCheck]:
    """Take looks, so many at once, and return what they found, in the order of the looks.

    Args:
        looks: what is to be looked at.
        at_once: how many are under way at a time.
        seconds: in all, of this machine's time; what has not ended by then is cancelled and named.
    """
    turns = asyncio.Semaphore(at_once)

    async def taken(look: Look) -> Sequence[HealthCheck]:
        async with turns:
            return await in_a_sentence(look)

    tasks = [asyncio.create_task(taken(look), name=look.name) for look in looks]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        late = [task for task in tasks if not task.done()]
        found = [check for task in tasks if task.done() for check in task.result()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found + ([_late([task.get_name() for task in late], seconds)] if late else [])


def _late(names: list[str], seconds: float) -> HealthCheck:
    return HealthCheck(
        name=names[0] if len(names) == 1 else "not looked at",
        problem=f"no answer within {seconds:g} s, so nothing is known of {named(names)}",
        remedy=AGAIN,
    )


async def in_a_sentence(look: Look) -> Sequence[HealthCheck]:
    """Take a look; return what it found, or in a sentence why it could not be taken."""
    try:
        return await look.take()
    except (Rejected, Unreachable, Unavailable, StorageError) as error:
        return [HealthCheck(name=look.name, problem=one_line(str(error)), remedy=AGAIN)]
    except Exception as error:
        log.debug("doctor could not look at %s", look.name, exc_info=True)
        said = one_line(f"{type(error).__name__}: {error}")
        return [HealthCheck(name=look.name, problem=f"could not be looked at: {said}", remedy=OUR_FAULT)]
