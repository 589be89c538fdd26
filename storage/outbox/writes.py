"""Asks for a card or a last message, written by the transaction whose outcome they tell."""

import secrets

from core.errors import Conflict
from core.sentence import Sentence
from storage.aggregate import AggregateWriter
from storage.codec import sentence_document, timestamp


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

    async def add_notice(self, channel: str, said: Sentence) -> None:
        sealed = self._vault.seal(sentence_document(said))
        row = {"channel": channel, "sealed": sealed, "created_at": timestamp(self.now)}
        await self._session.run("add_notice", row)
