"""Every value sealed with the newest key, so that an older one can be retired: in small writes, beside a running bot."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from sqlite3 import Row
from typing import Any

import aiosqlite

from core.actor import BOT, Actor
from storage import audit
from storage.database import Database, open_database
from storage.errors import DatabaseLocked, KeyMismatch
from storage.keys import CANARY, Keyring, check
from storage.session import Session

log = logging.getLogger(__name__)

# Of one transaction, for which whoever else writes waits: rows, and bytes of what is sealed in them.
MOST_ROWS, MOST_BYTES = 200, 4 << 20
TOLD_EACH = 20  # transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """A table with sealed columns.

    Attributes:
        key: the columns that name a row, in order; `rowid` where the table has one.
        columns: those that hold sealed bytes: each that is declared a BLOB.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class RekeyResult:
    """What became of it.

    Attributes:
        values: how many were sealed anew; `kept`: how many had the newest key already.
        retired: fingerprints of keys that opened something before, and nothing any more.
    """

    values: int = 0
    kept: int = 0
    retired: tuple[str, ...] = ()


@asynccontextmanager
async def open_for_rekeying(path: Path, keyring: Keyring) -> AsyncGenerator[Database]:
    """Open a database to seal it anew, also beside a running bot.

    That bot must know the newest key, or it could not read what is sealed with it. It does where the key has its canary,
    since no bot starts without every key that has one. It must seal with it too, or a key were retired that it goes on using.

    Raises:
        KeyMismatch: a key is missing, or the bot that runs does not know the newest one, or does not seal with it.
        StorageError, Unavailable: the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(path, exclusive=True, make=False))
            alone = True
        except DatabaseLocked:
            database = await stack.enter_async_context(open_database(path, exclusive=False, make=False))
            alone = False
        await _admit(database, keyring, alone=alone)
        yield database


async def _admit(database: Database, keyring: Keyring, *, alone: bool) -> None:
    newest = keyring.fingerprints[0]
    async with database.transaction() as connection:
        session = Session(connection)
        canaries = {row["name"]: row["value"] for row in await session.all("canaries")}
        check(keyring, canaries)
        name = f"canary:{newest}"
        if name not in canaries and not alone:
            raise KeyMismatch(
                f"a bot runs on this database that does not know the newest key ({newest}): start it again with these"
                " CONVOX_KEYS, and then rekey"
            )
        if alone:
            await session.run("note_sealing_key", {"value": newest})
        await _check_sealing(session, newest)
        await session.many("add_meta", [{"name": name, "value": keyring.encrypt(CANARY)}])


async def _check_sealing(session: Session, newest: str) -> None:
    """Raise KeyMismatch where the bot that started last seals with another key than the newest one here."""
    row = await session.one("sealing_key")
    if row is None or row["value"] != newest:
        raise KeyMismatch(
            f"the bot that runs on this database seals with another key than {newest}, the first of CONVOX_KEYS here:"
            " start it again with these CONVOX_KEYS, in this order, and then rekey"
        )


async def rekey(database: Database, keyring: Keyring, now: datetime, *, by: Actor = BOT) -> RekeyResult:
    """Seal everything with the newest key; one that breaks off is finished by the next.

    Args:
        database: as `open_for_rekeying` gives it.
        keyring: newest first.
        now: for the audit.
        by: for the audit, too.

    Raises:
        KeyMismatch: something was sealed with a key that is not among these, or changed since; it names where. Or a bot
            was started meanwhile that seals with another key.
        Unavailable: the disk is full or broken; what is done stays done.
    """
    result = RekeyResult()
    for table in await sealed_tables(database.reader):
        after: tuple[Any, ...] | None = ()
        batches = 0
        while after is not None:
            async with database.transaction() as connection:
                after = await _next_batch(connection, table, after, keyring, result)
            batches += 1
            if batches % TOLD_EACH == 0:
                log.info("rekeying %s: %d values so far", table.name, result.values + result.kept)
    await _finish(database, keyring, result, now, by)
    return result


async def sealed_tables(connection: aiosqlite.Connection) -> Sequence[SealedTable]:
    """Return every table with sealed columns, from the schema itself: none can be forgotten."""
    found = []
    tables = await connection.execute_fetchall(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name"
    )
    for name, without_rowid in tables:
        columns = list(await connection.execute_fetchall(f"PRAGMA table_info({name})"))
        sealed = tuple(column["name"] for column in columns if column["type"] == "BLOB")
        if sealed:
            named = sorted((column["pk"], column["name"]) for column in columns if column["pk"])
            key = tuple(each for _, each in named) if without_rowid else ("rowid",)
            found.append(SealedTable(name=name, key=key, columns=sealed))
    return found


async def _next_batch(
    connection: aiosqlite.Connection,
    table: SealedTable,
    after: tuple[Any, ...],
    keyring: Keyring,
    result: RekeyResult,
) -> tuple[Any, ...] | None:
    """Seal the rows that follow anew; return the key of the last of them, None where there are no more."""
    rows = await _rows(connection, table, after)
    if not rows:
        return None
    renewed = await asyncio.to_thread(_renewed, rows, table, keyring)
    if renewed:
        await _write(connection, table, renewed)
    sealed = sum(row[column] is not None for row in rows for column in table.columns)
    written = sum(len(values) for _, values in renewed)
    result.values += written
    result.kept += sealed - written
    return _key(rows[-1], table)


async def _rows(
    connection: aiosqlite.Connection, table: SealedTable, after: tuple[Any, ...]
) -> Sequence[Row]:
    # Names of tables and columns come from the schema; SQL has no parameters for them.
    key = ", ".join(table.key)
    where = f"WHERE ({key}) > ({', '.join('?' * len(table.key))})" if after else ""
    size = " + ".join(f"coalesce(length({column}), 0)" for column in table.columns)
    sizes = await connection.execute_fetchall(
        f"SELECT {size} FROM {table.name} {where} ORDER BY {key} LIMIT {MOST_ROWS}",  # noqa: S608
        after,
    )
    count, total = 0, 0
    for (bytes_of_a_row,) in sizes:
        total += bytes_of_a_row
        if count and total > MOST_BYTES:
            break
        count += 1
    columns = ", ".join((*table.key, *table.columns))
    return list(
        await connection.execute_fetchall(
            f"SELECT {columns} FROM {table.name} {where} ORDER BY {key} LIMIT {count}",  # noqa: S608
            after,
        )
    )


def _renewed(
    rows: Sequence[Row], table: SealedTable, keyring: Keyring
) -> list[tuple[tuple[Any, ...], dict[str, bytes]]]:
    """Return the key of each row of which something is to be written, with what."""
    found = []
    for row in rows:
        key, values = _key(row, table), {}
        for column in table.columns:
            try:
                new = None if row[column] is None else keyring.renewed(row[column])
            except KeyMismatch as error:
                raise KeyMismatch(f"{table.name}.{column} of row {key}: {error}") from None
            if new is not None:
                values[column] = new
        if values:
            found.append((key, values))
    return found


def _key(row: Row, table: SealedTable) -> tuple[Any, ...]:
    # By place: `rowid` comes back under the name of the column that stands for it.
    return tuple(row)[: len(table.key)]


async def _write(
    connection: aiosqlite.Connection,
    table: SealedTable,
    renewed: Sequence[tuple[tuple[Any, ...], dict[str, bytes]]],
) -> None:
    """Change what is sealed and nothing else; triggers that let nobody change a record stand aside in this transaction."""
    triggers = list(
        await connection.execute_fetchall(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table.name,)
        )
    )
    for name, _ in triggers:
        await connection.execute(f"DROP TRIGGER {name}")
    where = " AND ".join(f"{name} = ?" for name in table.key)
    for key, values in renewed:
        columns = ", ".join(f"{column} = ?" for column in values)
        await connection.execute(
            f"UPDATE {table.name} SET {columns} WHERE {where}",  # noqa: S608
            (*values.values(), *key),
        )
    for _, sql in triggers:
        await connection.execute(sql)


async def _finish(
    database: Database, keyring: Keyring, result: RekeyResult, now: datetime, by: Actor
) -> None:
    """Seal what the database knows of itself anew, and let the old keys go: from here on nobody needs them."""
    newest = f"canary:{keyring.fingerprints[0]}"
    async with database.transaction() as connection:
        session = Session(connection)
        # Once more: one may have been started meanwhile, with the keys in another order.
        await _check_sealing(session, keyring.fingerprints[0])
        canaries = [row["name"] for row in await session.all("canaries")]
        for row in await session.all("meta"):
            if row["name"] in canaries or not isinstance(row["value"], bytes):
                continue
            new = keyring.renewed(row["value"])
            result.kept += new is None
            if new is not None:
                await session.run("reseal_meta", {"name": row["name"], "value": new})
                result.values += 1
        old = [name for name in canaries if name != newest]
        await session.many("retire_key", [{"name": name} for name in old])
        result.retired = tuple(sorted(name.partition(":")[2] for name in old))
        detail = {"key": newest.partition(":")[2], "retired": result.retired, "values": result.values}
        await audit.append(session, at=now, actor=by, action="keys.rekey", subject="database", detail=detail)
