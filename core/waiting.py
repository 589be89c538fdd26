"""Waiting for whatever comes first: in one place, so that no waiter leaves a task behind."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*waits: Coroutine[Any, Any, object] | asyncio.Future[Any]) -> None:
    """Return once the first of them is over; which one it was is for the caller to look up.

    Args:
        waits: a coroutine is carried out here, and cancelled when another is over first; a future or task stays its
            owner's, and so does what has become of it.

    Raises:
        Exception: what a coroutine that is over has raised.
    """
    waiter = asyncio.current_task()
    assert waiter is not None, "only a task can wait"
    futures = [wait for wait in waits if isinstance(wait, asyncio.Future)]
    own = [
        asyncio.create_task(wait, name=f"a wait of {waiter.get_name()}")
        for wait in waits
        if not isinstance(wait, asyncio.Future)
    ]
    try:
        await asyncio.wait([*futures, *own], return_when=asyncio.FIRST_COMPLETED)
        for task in own:
            if task.done():
                task.result()
    finally:
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
