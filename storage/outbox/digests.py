"""Digests on SQLite: which channel is told of many rollouts by one message, and which cards it stands for."""

from datetime import datetime, timedelta
from sqlite3 import Row

from core.ports.digests import JOINING_SECONDS, MOST_ROLLOUTS, Digest
from storage.codec import datetime_or_none, timestamp
from storage.outbox.table import OutboxTable
from storage.session import Session
from storage.timing import DatabaseTask


class SqliteDigests(OutboxTable):
    """`core.ports.digests.Digests`."""

    async def gather(self) -> None:
        since = timestamp(self._clock.now() - timedelta(seconds=JOINING_SECONDS))
        for row in await self._reading.all("rollouts_without_digest", since=since):
            if row["digest"] is not None or row["rollouts"] > MOST_ROLLOUTS:
                await self._join(row["channel"], row["digest"])

    async def _join(self, channel: str, digest: int | None) -> None:
        async with self._database.transaction(DatabaseTask.OUTBOX) as connection:
            session = Session(connection)
            if digest is None:
                now = timestamp(self._clock.now())
                (made,) = await session.all("add_digest", channel=channel, created_at=now)
                digest = made["id"]
            await session.run("join_digest", {"digest": digest, "channel": channel})

    async def due(self) -> list[Digest]:
        rows = await self._reading.all("digests_due", now=timestamp(self._clock.now()))
        return [_digest_of(row) for row in rows]

    async def sending(self, digest: int, nonce: str) -> None:
        await self._run("digest_sending", id=digest, nonce=nonce, now=timestamp(self._clock.now()))

    async def again(self, digest: int, not_before: datetime) -> None:
        await self._run("digest_again", id=digest, not_before=timestamp(not_before))

    async def posted(self, digest: int, ts: str) -> None:
        await self._run("digest_posted", id=digest, ts=ts)

    async def shown(self, due: Digest) -> None:
        await self._run("digest_shown", id=due.id, shown=due.wanted, ended=due.over)

    async def failed(self, digest: int, error: str) -> None:
        await self._run("digest_failed", id=digest, error=error)

    async def postpone(self, digest: int, not_before: datetime) -> None:
        await self._run("postpone_digest", id=digest, not_before=timestamp(not_before))


def _digest_of(row: Row) -> Digest:
    return Digest(
        id=row["id"],
        channel=row["channel"],
        ts=row["ts"],
        wanted=row["wanted"],
        over=row["rollouts"] == 0,
        nonce=row["nonce"],
        tried_at=datetime_or_none(row["tried_at"]),
        since=datetime.fromisoformat(row["created_at"]),
    )
