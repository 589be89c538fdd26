"""The inbox: what Slack delivered is kept before it is acknowledged, so that a crash forgets no click."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from core.ports.inbox import Delivery, DeliveryKind
from storage.codec import Columns, timestamp
from storage.database import Database
from storage.inbox.rows import delivery_of, delivery_row
from storage.keys import Vault
from storage.session import Session
from storage.timing import DatabaseTask


@dataclass(slots=True, eq=False)
class _Arrival:
    """A delivery that somebody waits for to be stored; `fresh` is known once it is, and says whether its key is new."""

    row: Columns
    fresh: bool | None = None


class SqliteInbox:
    """Deliveries, each once, payloads encrypted and wiped when handled."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._arrivals: list[_Arrival] = []
        self._keeping = asyncio.Lock()

    async def keep(self, dedupe_key: str, kind: DeliveryKind, payload: bytes, now: datetime) -> bool:
        """Store a delivery durably; return False where one with that key was kept before.

        Only an HMAC of the key is stored, so it may be made of foreign text.
        """
        arrival = _Arrival(delivery_row(dedupe_key, kind, payload, now, self._vault))
        self._arrivals.append(arrival)
        try:
            async with self._keeping:
                if arrival.fresh is None:
                    await self._keep_all()
        finally:
            self._arrivals.remove(arrival)
        return bool(arrival.fresh)

    async def _keep_all(self) -> None:
        """Store all that have come by now: a hundred at once wait for the disk twice, not a hundred times."""
        # Slack's acknowledgement waits for this, and Slack waits three seconds.
        async with self._database.transaction(DatabaseTask.INBOX, urgent=True) as connection:
            arrivals = [each for each in self._arrivals if each.fresh is None]
            kept = [await Session(connection).run("keep_delivery", each.row) for each in arrivals]
        for arrival, rows in zip(arrivals, kept, strict=True):
            arrival.fresh = rows == 1

    async def pending(self, *, after: int = 0, limit: int | None = None) -> list[Delivery]:
        """Return what was not handled, in the order in which it came: the work of a restart.

        Args:
            after: the id of a delivery; only later ones are looked at.
            limit: how many at most; without it every one.
        """
        rows = await Session(self._database.reader).all("pending_deliveries", after=after, limit=limit)
        return [delivery_of(row, self._vault) for row in rows]

    async def mark_done(self, session: Session, delivery_id: int, now: datetime) -> None:
        """Before a transaction commits: note in it that it has carried this delivery out.

        So a crash between that commit and the answer does not carry it out a second time.
        """
        await session.run("done_delivery", {"id": delivery_id, "now": timestamp(now)})

    async def handled(self, delivery_id: int, now: datetime) -> None:
        """Wipe the payload; the key is remembered (`inbox` of the policy's retention), so that a repetition is known."""
        async with self._database.transaction(DatabaseTask.INBOX) as connection:
            await Session(connection).run("handled_delivery", {"id": delivery_id, "now": timestamp(now)})
