"""Connections and transactions: without these a cancelled task would leave half a write to the next one."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

import aiosqlite

from core.errors import Unavailable
from core.ports.retention import DatabasePages
from storage.copies import read_only
from storage.errors import DatabaseMissing, SchemaMigrationMissing
from storage.filesystem import free_fraction, resolve_local
from storage.lock import check_not_lost, file_lock, opened
from storage.migrate import MIGRATIONS, Migration, migrate, needs_migration, version_of
from storage.timing import DatabaseTask, DatabaseTimes
from storage.upgrading import forget_old_copies, keep_a_copy, let_shrink
from storage.write_queue import WriteQueue

# `token create` beside a running bot writes for milliseconds. Slack waits three seconds: where nobody of ours waits for
# the file as well, one is left to say that nothing could be stored.
BUSY_SECONDS = 2.0
# SQLite takes the write-ahead log back into the file by itself every 1000 pages, 4 MiB, but not past what somebody reads.
# Nothing of ours reads for longer than one statement; a backup does. What it lets the log grow to is given back after it.
MOST_JOURNAL_BYTES = 16 << 20
INCREMENTAL = 2  # of PRAGMA auto_vacuum
# Primary result codes (https://www.sqlite.org/rescode.html) that no statement of ours can cause.
UNUSABLE_REASONS = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "its disk gives errors",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_NOTADB: "its file is no SQLite database",
}
LOOK_AT_THE_DISK = "nothing was changed; ask an operator to look at the disk"
LOOK_FOR_THE_HOLDER = (
    "nothing was changed; try again, and if it stays so ask an operator which process holds the file"
)


@contextmanager
def raising_unusable() -> Generator[None]:
    """Turn a disk that is full, read-only or broken into Unavailable, a sentence for whoever asked."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        why = reason_unusable(error)
        if not why:
            raise
        hint = LOOK_FOR_THE_HOLDER if why == UNUSABLE_REASONS[sqlite3.SQLITE_BUSY] else LOOK_AT_THE_DISK
        raise Unavailable(f"the database cannot be used: {why}", hint=hint) from error


def reason_unusable(error: BaseException) -> str:
    """Return what keeps the file from being used, or "" where it is another kind of error, or none of SQLite's."""
    return UNUSABLE_REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")


async def forget_pages(connection: aiosqlite.Connection) -> None:
    """Let go of what was read of the file: a damaged page would be found damaged again when the disk is well."""
    await connection.execute_fetchall("PRAGMA shrink_memory")


async def uninterrupted(work: asyncio.Task[None]) -> None:
    """Wait until the work has ended, however often the waiter is cancelled meanwhile; then let that through."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from work.exception()
    work.result()


class Database:
    """One SQLite file with one connection that writes and one that reads.

    Attributes:
        times: how long what is done with it takes.
    """

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self.reader = reader
        self.times = DatabaseTimes()
        self._writer = writer
        self._queue = WriteQueue()
        self._owner: asyncio.Task[object] | None = None
        self._unwritable = False

    @asynccontextmanager
    async def transaction(
        self, kind: DatabaseTask = DatabaseTask.UPKEEP, *, urgent: bool = False
    ) -> AsyncGenerator[aiosqlite.Connection]:
        """Give the writing connection inside BEGIN IMMEDIATE … COMMIT; any error rolls everything back.

        A task that is cancelled while COMMIT runs has committed: whoever catches that must read again. Blocks
        do not nest: the inner one would wait for ever, so it is a RuntimeError.

        Args:
            kind: what its time is counted as.
            urgent: it goes before all others that wait, so it must be one short write that somebody waits for by the
                second. It waits for the transaction that runs, and for others that are urgent.

        Raises:
            Unavailable: the disk is full, read-only or broken; nothing was written.
        """
        if self._owner is not None and self._owner is asyncio.current_task():
            raise RuntimeError("this task is in a transaction already")
        async with AsyncExitStack() as turn:
            with self.times.measured(DatabaseTask.QUEUE):
                await turn.enter_async_context(self._queue.turn(urgent=urgent))
            self._owner = asyncio.current_task()
            with self.times.measured(kind), raising_unusable():
                try:
                    await self._writer.execute("BEGIN IMMEDIATE")
                    yield self._writer
                    await self._writer.execute("COMMIT")
                except BaseException as error:
                    # A cancelled await does not stop its statement: the worker thread still runs it. Rolling
                    # back is queued behind it, and tolerates that no transaction is open any more, or yet.
                    self._unwritable |= isinstance(error, Unavailable) or bool(reason_unusable(error))
                    await uninterrupted(asyncio.create_task(self._roll_back(), name="roll back"))
                    raise
                finally:
                    self._owner = None

    async def _roll_back(self) -> None:
        await self._writer.rollback()
        if self._unwritable:
            await forget_pages(self._writer)

    async def try_writing(self) -> None:
        """Where a write has failed, try another one, which changes nothing; raise Unavailable where it fails as well."""
        if self._unwritable:
            async with self.transaction() as connection:
                ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
                await connection.execute(f"PRAGMA user_version = {version}")
            self._unwritable = False

    def size(self) -> int:
        """Return the bytes of the file and of its write-ahead log."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def pages(self) -> DatabasePages:
        """Return how the file lies on its disk; raise Unavailable where it cannot be read."""
        with raising_unusable():
            return await pages_of(self.reader)

    async def shrink(self, pages: int) -> None:
        """Give so many free pages back to the disk, as one write."""
        async with self.transaction() as connection:
            # One by one: Python steps a statement without columns once, and each step is a page, whatever it asks for.
            for _ in range(pages):
                await connection.execute_fetchall("PRAGMA incremental_vacuum(1)")

    def free_fraction(self) -> float:
        """Return how much of the file's disk is free for us, 0 to 1; under 0.1 nothing new starts (rule 16)."""
        return free_fraction(self.path.parent)


async def pages_of(connection: aiosqlite.Connection) -> DatabasePages:
    """Return how the file of a connection lies on its disk."""
    names = ("page_size", "page_count", "freelist_count", "auto_vacuum")
    size, count, free, kind = [
        next(iter(await connection.execute_fetchall(f"PRAGMA {name}")))[0] for name in names
    ]
    return DatabasePages(size=size, count=count, free=free, shrinks=kind == INCREMENTAL)


@asynccontextmanager
async def open_database(
    path: Path, *, exclusive: bool, make: bool = True, migrations: Sequence[Migration] = MIGRATIONS
) -> AsyncGenerator[Database]:
    """Open the file, creating or upgrading it where needed.

    Args:
        path: the file; its directory must exist.
        exclusive: hold the file's lock while open, as `serve` does. Without it the lock is held only for as long
            as an upgrade takes, so that no schema changes beneath a running bot.
        make: create the file where there is none.
        migrations: what to upgrade with; other than the default in tests only.

    Raises:
        DatabaseMissing, DatabaseLost, ForeignDatabase, DatabaseLocked, NetworkFileSystem, SchemaTooNew: see storage/errors.py.
        Unavailable: the file or its disk cannot be used.
    """
    path = resolve_local(path)
    if not (make or path.exists()):
        raise DatabaseMissing(f"there is no database {path}: is CONVOX_DATABASE the one that `serve` uses?")
    async with AsyncExitStack() as stack:
        file = stack.enter_context(opened(path))
        if exclusive:
            stack.enter_context(file_lock(path, file))
            check_not_lost(path, os.fstat(file).st_size)
        with raising_unusable():
            writer = await stack.enter_async_context(connect(path))
            # Before anything is written: the journal's mode stays in the file, which may not be ours.
            behind = await needs_migration(writer, migrations)
            await prepare(
                writer,
                # Of a file that is still empty: pages that free up can be given back a few at a time.
                "auto_vacuum = INCREMENTAL",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                f"journal_size_limit = {MOST_JOURNAL_BYTES}",
            )
            if behind:
                with nullcontext() if exclusive else file_lock(path, file):
                    await keep_a_copy(writer, path)
                    await migrate(writer, migrations)
                    forget_old_copies(path)
            if exclusive:
                await let_shrink(writer, path)
            reader = await stack.enter_async_context(connect(path))
            await prepare(reader, "query_only = ON")
        yield Database(path, writer, reader)


@asynccontextmanager
async def open_read_only(path: Path) -> AsyncGenerator[aiosqlite.Connection]:
    """Open a database, or a copy of one, to look at it and change nothing; a running bot goes on writing.

    Raises:
        DatabaseMissing, ForeignDatabase, SchemaTooNew, NetworkFileSystem: see storage/errors.py.
        SchemaMigrationMissing: it is to be upgraded first.
        Unavailable: the file or its disk cannot be used.
    """
    path = resolve_local(path)
    if not path.exists():
        raise DatabaseMissing(f"there is no database {path}: is CONVOX_DATABASE the one that `serve` uses?")
    with raising_unusable():
        async with aiosqlite.connect(
            read_only(path), uri=True, timeout=BUSY_SECONDS, isolation_level=None
        ) as connection:
            connection.row_factory = sqlite3.Row
            if await needs_migration(connection, MIGRATIONS):
                raise SchemaMigrationMissing(
                    f"the database {path} has schema {await version_of(connection)}, this convox-bot works with"
                    f" {len(MIGRATIONS)}: `convox-bot serve` upgrades it at its start"
                )
            yield connection


def connect(path: Path) -> aiosqlite.Connection:
    """Return a connection in SQLite's own autocommit mode: no statement opens a transaction by itself."""
    return aiosqlite.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


async def prepare(connection: aiosqlite.Connection, *pragmas: str) -> None:
    """Set what SQLite forgets with every connection."""
    connection.row_factory = sqlite3.Row
    for pragma in pragmas:
        await connection.execute_fetchall(f"PRAGMA {pragma}")
