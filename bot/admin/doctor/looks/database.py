"""Looking at the database, whoever uses it meanwhile; nothing is made or upgraded."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import aiosqlite

from bot.admin.audit import AppAuditHead, unknown_heads
from bot.admin.doctor.judgements.database import EventReceiver, size_note
from core.errors import Unavailable
from core.records.app import App
from storage.audit import AuditChain, follow
from storage.database import open_read_only, pages_of
from storage.errors import DatabaseLost, DatabaseMissing, StorageError
from storage.keys import Keyring, check
from storage.lock import check_not_lost
from storage.records.rows import app_of
from storage.session import Session

NOTHING = AuditChain(rows=0, head="")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What the database says.

    Attributes:
        missing: there is none yet.
        error: why it cannot be used, "" where it can; `cause`: what said so, None where pages are damaged.
        key_error: why its values cannot be read; `key_cause`: what said so.
        old_keys: fingerprints of keys that still open something beside the newest.
        apps: name → the channel that it is linked to, None without one; `records`: all that is known of each.
        installation: its own id, "" where it has none yet.
        size: what it says of its own size.
        receivers: those who are told of events and have not taken the last one.
    """

    missing: bool = False
    error: str = ""
    cause: Exception | None = None
    key_error: str = ""
    key_cause: Exception | None = None
    old_keys: tuple[str, ...] = ()
    apps: Mapping[str, str | None] = field(default_factory=dict)
    records: tuple[App, ...] = ()
    installation: str = ""
    chain: AuditChain = NOTHING
    size: str = ""
    receivers: tuple[EventReceiver, ...] = ()


class KeyLook(NamedTuple):
    """What is wrong with the keys, what said so, and the fingerprints of those that are old and in use."""

    error: str = ""
    cause: Exception | None = None
    old: tuple[str, ...] = ()


async def look_at_database(path: Path, keys: Sequence[str], *, whole: bool) -> DatabaseLook:
    """Read the database, whoever uses it meanwhile; nothing is made or upgraded.

    Args:
        path: its file.
        keys: those of `CONVOX_KEYS`.
        whole: every page and the whole audit are read, which takes a while where there are gigabytes.
    """
    keyless = _keys(keys, {})
    try:
        async with open_read_only(path) as connection:
            return await _read(connection, path, keys, whole=whole)
    except DatabaseMissing as error:
        return _missing(path, error, keyless)
    except (StorageError, Unavailable) as error:
        told: Exception = _lost(path) or error
        return DatabaseLook(error=str(told), cause=told, key_error=keyless.error, key_cause=keyless.cause)
    except (OSError, sqlite3.Error, ValueError, LookupError) as error:
        return DatabaseLook(
            error=f"{path} cannot be read: {type(error).__name__}: {error}",
            cause=error,
            key_error=keyless.error,
            key_cause=keyless.cause,
        )


def _missing(path: Path, error: DatabaseMissing, keyless: KeyLook) -> DatabaseLook:
    lost = _lost(path)
    return DatabaseLook(
        missing=lost is None,
        error=str(lost or ""),
        cause=lost or error,
        key_error=keyless.error,
        key_cause=keyless.cause,
    )


def _lost(path: Path) -> DatabaseLost | None:
    """Return what a start would say where there was a database and now there is nothing."""
    try:
        check_not_lost(path.resolve(), path.stat().st_size if path.exists() else 0)
    except DatabaseLost as error:
        return error
    return None


async def _read(
    connection: aiosqlite.Connection, path: Path, keys: Sequence[str], *, whole: bool
) -> DatabaseLook:
    session = Session(connection)
    found = await connection.execute_fetchall("PRAGMA quick_check(1)") if whole else ()
    if [row[0] for row in found] not in ([], ["ok"]):
        # SQLite writes a heading before what it has found.
        said = str(next(iter(found))[0]).splitlines()[-1]
        return DatabaseLook(error=f"{path} is damaged: {said}")
    opens = _keys(keys, {row["name"]: row["value"] for row in await session.all("canaries")})
    aged = sum(row["rows"] for row in await session.all("retention_marks"))
    records = tuple(app_of(row) for row in await session.all("apps"))
    meta = {row["name"]: row["value"] for row in await session.all("meta")}
    told = [row for row in await session.all("subscriptions") if row["failing_since"]]
    return DatabaseLook(
        key_error=opens.error,
        key_cause=opens.cause,
        old_keys=opens.old,
        apps={app.name: app.channel for app in records},
        records=records,
        installation=str(meta.get("installation", "")),
        chain=await follow(session) if whole else NOTHING,
        size=size_note(await pages_of(connection), aged),
        receivers=tuple(
            EventReceiver(r["id"], r["host"] or r["kind"], r["failing_since"][:16], r["answer"]) for r in told
        ),
    )


def _keys(keys: Sequence[str], canaries: Mapping[str, bytes]) -> KeyLook:
    try:
        keyring = Keyring(keys)
        check(keyring, dict(canaries))
    except StorageError as error:
        return KeyLook(str(error), error)
    used = {name.partition(":")[2] for name in canaries}
    return KeyLook(old=tuple(each for each in keyring.fingerprints[1:] if each in used))


async def look_for_heads(path: Path, heads: Sequence[AppAuditHead]) -> list[AppAuditHead]:
    """Return those of the heads that the audit of a database never had; raise as `open_read_only`."""
    async with open_read_only(path) as connection:
        return await unknown_heads(Session(connection), heads)
