"""Asks for a card or a last message, written by the transaction whose outcome they tell."""

import secrets

from core.errors import Conflict
from storage.aggregate import AggregateWriter
from storage.codec import timestamp


class OutboxWriter(AggregateWriter):
    """Of `core.ports.store.Transaction`; see there for what each method promises."""

    async def add_card(self, promotion_id: str, channel: str) -> None:
        row = {"promotion": promotion_id, "channel": channel, "created_at": timestamp(self.now)}
        if not await self._session.run("add_card", row):
            raise Conflict(f"{promotion_id} has its card already")

    async def add_terminal(self, promotion_id: str) -> None:
        """Raise Conflict where the promotion has its terminal message: there is exactly one."""
        row = {"promotion": promotion_id, "nonce": secrets.token_hex(16), "created_at": timestamp(self.now)}
        if not await self._session.run("add_terminal", row):
            raise Conflict(f"{promotion_id} has its terminal message already")
