"""Which kinds of blocks a workspace has refused, so that a restart does not try each of them again."""

from datetime import datetime
from typing import Protocol


class RefusedBlocks(Protocol):
    """What Slack has answered `invalid_blocks` to."""

    async def since(self, team: str, moment: datetime) -> frozenset[str]:
        """Return the kinds that a workspace has refused after a moment: Slack rolls what is new out step by step."""
        ...

    async def keep(self, team: str, kind: str, at: datetime) -> None:
        """Remember that a workspace has refused this kind."""
        ...
