"""Who has opened their Home tab, so that it is kept as things are, after a restart too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Homes(Protocol):
    """The people whose Home tabs are kept."""

    async def opened(self, user: str, at: datetime) -> None:
        """Remember that somebody has opened theirs."""
        ...

    async def recent(self, since: datetime, limit: int) -> Sequence[str]:
        """Return who has done so since then, the last one first, so many at most."""
        ...
