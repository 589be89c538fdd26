"""Reads of cards and notices, for whoever shows a promotion or is asked by a click."""

from datetime import datetime

from core.ports.notices import Announcement
from core.ports.outbox import Card
from core.records.reminder import Reminder
from storage.aggregate import AggregateReader
from storage.codec import datetime_or_none, timestamp
from storage.outbox.rows import announcement_of, card_of


class OutboxReader(AggregateReader):
    """Of `core.ports.store.StoreReader`; see there for what each method promises."""

    async def card(self, subject: str) -> Card | None:
        row = await self._session.one("card", subject=subject)
        return None if row is None else card_of(row)

    async def digest_cards(self, digest: int) -> list[Card]:
        return [card_of(row) for row in await self._session.all("digest_cards", digest=digest)]

    async def promotion_of_card(self, channel: str, ts: str) -> str | None:
        row = await self._session.one("promotion_of_card", channel=channel, ts=ts)
        return None if row is None else str(row["promotion"])

    async def build_of_card(self, channel: str, ts: str) -> str | None:
        row = await self._session.one("build_of_card", channel=channel, ts=ts)
        return None if row is None else str(row["build"])

    async def notice_place(self, notice: int) -> tuple[str, str | None] | None:
        row = await self._session.one("notice_place", id=notice)
        return None if row is None else (row["channel"], row["ts"])

    async def announcement(self, notice: int) -> Announcement | None:
        row = await self._session.one("announcement", id=notice)
        return None if row is None else announcement_of(row)

    async def announced(self, channel: str, ts: str) -> Announcement | None:
        row = await self._session.one("announced", channel=channel, ts=ts)
        return None if row is None else announcement_of(row)

    async def reminder(self, promotion_id: str) -> Reminder | None:
        row = await self._session.one("reminder", promotion=promotion_id)
        if row is None:
            return None
        return Reminder(due_at=datetime_or_none(row["due_at"]), told_at=datetime_or_none(row["told_at"]))

    async def reminders_due(self, now: datetime) -> list[str]:
        return [row["promotion"] for row in await self._session.all("reminders_due", now=timestamp(now))]
