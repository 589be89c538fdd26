"""Writing again after a race that was lost to another writer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.cluster.api.refusals import ApiUnreachable

T = TypeVar("T")

# Controllers write to a workload some times a second while it rolls; each lost race costs one read.
ATTEMPTS = 8


async def retried(once: Callable[[], Awaitable[T]]) -> T:
    """Read, check and write again while somebody else writes between our read and our write."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await once()
        except ApiUnreachable as error:
            if error.status.code != 409:
                raise
    return await once()
