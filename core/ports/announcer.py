"""Whoever brings what was written to people."""

from typing import Protocol

from core.ports.outbox import Card


class Announcer(Protocol):
    """Whoever brings outbox rows to people; it is told that there are new ones, after the commit."""

    def wake(self) -> None: ...

    async def wait_for_card(self, subject: str, seconds: float) -> Card | None:
        """Wait until the card of a promotion or a build is posted or has failed for good, or so many seconds."""
        ...
