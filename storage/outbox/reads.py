"""Reads of cards, for whoever shows a promotion."""

from core.ports.outbox import Card
from storage.aggregate import AggregateReader
from storage.outbox.rows import card_of


class OutboxReader(AggregateReader):
    """Of `core.ports.store.StoreReader`; see there for what each method promises."""

    async def card(self, promotion_id: str) -> Card | None:
        row = await self._session.one("card", promotion=promotion_id)
        return None if row is None else card_of(row)
