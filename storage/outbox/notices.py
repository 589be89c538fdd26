"""Notices on SQLite: written by the transaction that they tell of, kept until Slack has them."""

from datetime import datetime
from sqlite3 import Row

import orjson

from core.clock import Clock
from core.ports.notices import IN_THREAD, Notice
from core.promotion import IN_FLIGHT, Phase
from storage.codec import datetime_or_none, sentence_of, timestamp
from storage.database import Database
from storage.keys import Vault
from storage.outbox.table import OutboxTable

# Kind → the phases in which what it is about still waits; of any other kind it waits for an approval.
AWAITED = {"soon": frozenset({Phase.SCHEDULED}), "blind": IN_FLIGHT}


class SqliteNotices(OutboxTable):
    """`core.ports.notices.Notices`."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        super().__init__(database, clock)
        self._vault = vault

    async def due(self) -> list[Notice]:
        rows = await self._reading.all("notices_due", now=timestamp(self._clock.now()))
        return [self._notice(row) for row in rows]

    async def sending(self, notice: int, nonce: str) -> None:
        await self._run("notice_sending", id=notice, nonce=nonce, now=timestamp(self._clock.now()))

    async def again(self, notice: int, not_before: datetime) -> None:
        await self._run("notice_again", id=notice, not_before=timestamp(not_before))

    async def posted(self, notice: int, ts: str, channel: str | None = None) -> None:
        await self._run("notice_posted", id=notice, ts=ts, channel=channel)

    async def failed(self, notice: int, error: str) -> None:
        await self._run("notice_failed", id=notice, error=error)

    async def postpone(self, notice: int, not_before: datetime) -> None:
        await self._run("postpone_notice", id=notice, not_before=timestamp(not_before))

    def _notice(self, row: Row) -> Notice:
        awaited = AWAITED.get(row["kind"], frozenset({Phase.AWAITING_APPROVAL}))
        waits = row["phase"] in awaited and row["card_ts"] is not None
        return Notice(
            id=row["id"],
            channel=(row["card_channel"] or row["channel"]) if row["kind"] in IN_THREAD else row["channel"],
            said=sentence_of(self._vault.unseal(row["sealed"])),
            nonce=row["nonce"],
            tried_at=datetime_or_none(row["tried_at"]),
            since=datetime.fromisoformat(row["created_at"]),
            kind=row["kind"],
            promotion=row["promotion"],
            app=row["app"] or "",
            release=row["release"] or "",
            whom=tuple(orjson.loads(row["whom"])),
            card=row["card_ts"],
            card_channel=row["card_channel"] or "",
            over=row["promotion"] is not None and not waits,
        )
