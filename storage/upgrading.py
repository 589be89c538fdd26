"""What surrounds a change of the schema: the copies of before it, and a layout that gives free pages back."""

import asyncio
import logging
import re
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import aiosqlite

from core.errors import Unavailable
from storage.copies import copy_database
from storage.filesystem import LEAST_FREE_DISK, free_fraction
from storage.migrate import version_of

log = logging.getLogger(__name__)

# The way back of the last upgrade, and of the one before it.
COPIES_KEPT = 2
# What stands behind the name of such copies, of one that is being written.
LEFT_OVER = re.compile(r"\d+\.new(\.part(\.lock)?)?")
# VACUUM writes the whole into a temporary file and from there into the write-ahead log (https://www.sqlite.org/lang_vacuum.html 3).
VACUUM_TAKES = 2
MEGABYTE = 1_000_000
# A start is given two minutes (startupProbe in deploy/bot.yaml), and a slow disk writes some 50 MB a second, three times each byte.
MOST_REWRITTEN = 1_000 * MEGABYTE


async def keep_a_copy(connection: aiosqlite.Connection, path: Path) -> None:
    """Copy a database before its schema changes, beside it: an upgrade is the one thing that a restart does not undo.

    One that is there already is of an upgrade that broke off, or of one that was undone since: what is written now is not
    older than either.

    Raises:
        Unavailable: it cannot be copied, so it is not upgraded.
    """
    version = await version_of(connection)
    if version == 0:
        return
    copy, fresh = _copy_of(path, str(version)), _copy_of(path, f"{version}.new")
    try:
        await asyncio.to_thread(_copy_over, path, fresh, copy)
    except (Unavailable, OSError) as error:
        said = error if isinstance(error, Unavailable) else f"{copy} cannot be written: {error.strerror}"
        raise Unavailable(
            f"the database is not upgraded: {said}",
            hint="make room beside it for a copy, or mend the disk, and start again",
        ) from error
    log.info("the database is upgraded from schema %d; as it was it lies in %s", version, copy)


def _copy_over(path: Path, fresh: Path, copy: Path) -> None:
    fresh.unlink(missing_ok=True)
    copy_database(path, fresh, "upgrade")
    fresh.replace(copy)


def _copy_of(path: Path, version: str) -> Path:
    return path.with_name(f"{path.name}.schema-{version}")


def forget_old_copies(path: Path) -> None:
    """Delete the copies of before earlier upgrades, but for the last ones; each is said in the log.

    Whatever keeps it from that is said in the log: the upgrade is done, and the bot starts.
    On a tight disk only the last one is left, the way back of this upgrade: under 10 % free nothing new starts (rule 16).
    What a copy left that broke off, as the upgrade did, is nobody's: the caller holds the lock.
    """
    try:
        _forget_old_copies(path)
    except (Unavailable, OSError) as error:
        log.warning("the copies of before earlier upgrades cannot be looked through: %s", error)


def _forget_old_copies(path: Path) -> None:
    head = _copy_of(path, "").name
    named = [(f.name.removeprefix(head), f) for f in path.parent.iterdir() if f.name.startswith(head)]
    for left in [file for schema, file in named if LEFT_OVER.fullmatch(schema)]:
        with suppress(OSError):
            left.unlink()
    found = [(int(schema), file) for schema, file in named if schema.isascii() and schema.isdigit()]
    kept = [file for _, file in sorted(found, reverse=True)]
    for old in kept[COPIES_KEPT:]:
        _forget(old, f"the last {COPIES_KEPT} are kept")
    for old in kept[1:COPIES_KEPT]:
        if free_fraction(path.parent) < LEAST_FREE_DISK:
            _forget(old, "less than 10 % of the disk was free")
    if kept and free_fraction(path.parent) < LEAST_FREE_DISK:
        log.warning(
            "less than 10 %% of the disk is free, so nothing new starts: move %s to another disk, or make room",
            kept[0],
        )


def _forget(old: Path, why: str) -> None:
    try:
        old.unlink()
        log.info("%s, from before an earlier upgrade, was deleted: %s", old, why)
    except OSError as error:
        log.warning("%s, from before an earlier upgrade, cannot be deleted: %s", old, error.strerror)


async def let_shrink(connection: aiosqlite.Connection, path: Path) -> None:
    """Have a database of before 0.2.0 written anew, once, so that it can give free pages back a few at a time.

    Where that cannot be, it works on as it is: free pages are used again, and the next start tries once more.
    """
    ((kind,),) = await connection.execute_fetchall("PRAGMA auto_vacuum")
    if kind:
        return
    try:
        if why := _why_not_rewritten(path):
            log.warning("%s gives no free pages back: %s; the next start looks again", path, why)
            return
        await _rewrite(connection, path)
    except (sqlite3.Error, OSError) as error:
        log.warning(
            "%s could not be written anew and stays as it is; the next start tries again: %s", path, error
        )


async def _rewrite(connection: aiosqlite.Connection, path: Path) -> None:
    # Else the temporary file lies in /tmp, which in a container is small, and what fills it ends the container.
    folder = str(path.parent).replace("'", "''")
    await connection.execute_fetchall(f"PRAGMA temp_store_directory = '{folder}'")
    try:
        if await connection.execute_fetchall("PRAGMA temp_store_directory"):
            await connection.execute_fetchall("VACUUM")
            await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            log.warning(
                "%s gives no free pages back: this SQLite cannot be told where to write it anew", path
            )
    finally:
        await connection.execute_fetchall("PRAGMA temp_store_directory = ''")


def _why_not_rewritten(path: Path) -> str:
    """Return why a database is not written anew now, "" where it is."""
    size = path.stat().st_size
    if size > MOST_REWRITTEN:
        return (
            f"with {size // MEGABYTE:,} MB it is too large to be written anew at a start; with the bot stopped,"
            f' sqlite3 {path} "PRAGMA auto_vacuum = INCREMENTAL; VACUUM" does it'
        )
    if shutil.disk_usage(path.parent).free < VACUUM_TAKES * size:
        return f"to be written anew for that, once, it needs {VACUUM_TAKES * size // MEGABYTE} MB beside it"
    log.info("%s is written anew (%d MB), once, so that it can give free pages back", path, size // MEGABYTE)
    return ""
