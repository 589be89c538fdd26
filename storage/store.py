"""The records on SQLite: `core.ports.store.Store`, and the inbox, outbox and tokens of the same file."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from core.actor import Actor
from core.clock import Clock
from core.histogram import Histogram
from core.records.anchor import AuditHead
from core.records.bundle import Bundle
from storage import audit
from storage.builds.reads import BuildReader
from storage.builds.writes import BuildWriter
from storage.database import Database, open_database, open_read_only
from storage.homes import SqliteHomes
from storage.inbox.deliveries import SqliteInbox
from storage.keys import Keyring, Vault
from storage.leaps import forget_delays
from storage.lock import remember
from storage.outbox.queue import SqliteOutbox
from storage.outbox.reads import OutboxReader
from storage.outbox.writes import OutboxWriter
from storage.outgoing import SqliteOutgoingEvents, write_events
from storage.policies import SqlitePolicies
from storage.promotions.reads import PromotionReader
from storage.promotions.writes import PromotionWriter
from storage.records.reads import RecordReader
from storage.records.rows import bundle_blob
from storage.records.writes import RecordWriter
from storage.refused_blocks import SqliteRefusedBlocks
from storage.reseal import reseal
from storage.restored import settle_restored
from storage.retention import SqliteRetention
from storage.session import Session
from storage.timing import DatabaseTask
from storage.tokens.issued import Tokens


class SqliteReader(RecordReader, BuildReader, PromotionReader, OutboxReader):
    """`core.ports.store.StoreReader`: what each aggregate reads of itself, and what the installation is."""

    async def keyed_digest(self, *parts: str) -> str:
        return self._vault.keyed_digest(*parts)

    async def installation(self) -> str:
        return self._vault.installation

    async def audit_head(self) -> AuditHead | None:
        return await audit.head(self._session)

    async def audit_has(self, head: AuditHead) -> bool:
        return await audit.has(self._session, head)


class SqliteTransaction(SqliteReader, RecordWriter, BuildWriter, PromotionWriter, OutboxWriter):
    """`core.ports.store.Transaction`: what each aggregate writes of itself, and the audit of it all."""

    async def audit(self, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        seq = await audit.append(
            self._session, at=self.now, actor=actor, action=action, subject=subject, detail=detail
        )
        await write_events(self._session, seq=seq, at=self.now, action=action, subject=subject, detail=detail)


class SqliteStore:
    """`core.ports.store.Store` over one open database.

    Attributes:
        read: reads on a connection of their own, never waiting for a writer.
        inbox: what Slack delivered.
        outbox: what Slack is to be told; `outgoing`: what everybody else is.
        homes: who has opened their Home tab.
        refused_blocks: what kinds of blocks Slack has refused.
        policies: the last good policy.
        tokens: who may ask over HTTP.
        retention: what ages.
    """

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._reading = Session(database.reader, database.times)
        self.inbox = SqliteInbox(database, vault)
        self.outbox = SqliteOutbox(database, vault, clock)
        self.outgoing = SqliteOutgoingEvents(database, vault, clock)
        self.homes = SqliteHomes(database)
        self.refused_blocks = SqliteRefusedBlocks(database)
        self.policies = SqlitePolicies(database, vault)
        self.tokens = Tokens(database, clock)
        self.retention = SqliteRetention(database)

    @property
    def read(self) -> SqliteReader:
        return SqliteReader(self._reading, self._vault)

    @asynccontextmanager
    async def transaction(self, *, delivery: int | None = None) -> AsyncGenerator[SqliteTransaction]:
        """Begin to write; see `Database.transaction` for cancellation. What is left of it afterwards refuses."""
        async with self._database.transaction(DatabaseTask.RECORDS) as connection:
            session = Session(connection)
            now = self._clock.now()
            try:
                yield SqliteTransaction(session, self._vault, now)
                if delivery is not None and session.changes:
                    await self.inbox.mark_done(session, delivery, now)
            finally:
                session.end()

    async def seal_bundle(self, bundle: Bundle) -> bytes:
        """Return what `save_bundle` stores, made off the loop: 5 MB of Secrets take a quarter of a second."""
        return await asyncio.to_thread(bundle_blob, bundle, self._vault)

    async def forget_delays(self, now: datetime) -> int:
        """Tell at once what was put off by a clock that was ahead; return how much."""
        return await forget_delays(self._database, now)

    async def try_out(self) -> None:
        """Read, and where the last write has failed write as well, for whoever watches over the database.

        Raises:
            Unavailable: it cannot be used now.
        """
        await self.read.apps()
        await self._database.try_writing()

    def times(self) -> Mapping[str, Histogram]:
        """Return how long each kind of work with the database took, since it was opened."""
        return self._database.times.kinds

    def size(self) -> int:
        """Return the bytes of the database and of its write-ahead log."""
        return self._database.size()

    def free_fraction(self) -> float:
        """Return how much of the database's disk is free, 0 to 1; under 0.1 nothing new starts (rule 16)."""
        return self._database.free_fraction()


@asynccontextmanager
async def open_store(
    path: Path, keyring: Keyring, clock: Clock, *, exclusive: bool = True
) -> AsyncGenerator[SqliteStore]:
    """Open the database as `serve` does.

    Raises:
        StorageError: locked, on a network file system, too new, or written with another key.
        Unavailable: the file or its disk cannot be used.
    """
    async with open_database(path, exclusive=exclusive) as database:
        vault = await Vault.open(database, keyring)
        await reseal(database, vault)
        if exclusive:
            await settle_restored(database, clock.now())
            remember(database.path, vault.installation)
        yield SqliteStore(database, vault, clock)


@asynccontextmanager
async def open_beside(path: Path, keys: Sequence[str], clock: Clock) -> AsyncGenerator[SqliteStore]:
    """Open the database for a moment, whether a bot runs on it or not: nothing is made, upgraded or locked.

    What is written is sealed with a key that the bot knows too.

    Raises:
        StorageError: there is no database, it is to be upgraded first, or was written with another key.
        Unavailable: the file or its disk cannot be used.
    """
    async with open_read_only(path):
        pass
    async with open_database(path, exclusive=False, make=False) as database:
        yield SqliteStore(database, await Vault.beside(database, keys), clock)
