"""Copies of a database that somebody writes to meanwhile, each checked by opening it before it has its name."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from core.errors import Unavailable
from storage.errors import BackupTaken, DatabaseMissing
from storage.queries import QUERIES

# Why a database was copied, as the copy says it of itself.
CopyReason = Literal["backup", "upgrade"]


def read_only(path: Path) -> str:
    """Return the URI by which SQLite opens a file and changes nothing of it."""
    return f"file:{quote(str(path))}?mode=ro"


def copy_database(source: Path, target: Path, reason: CopyReason = "backup") -> None:
    """Write a copy of one moment of the database, whoever writes to it meanwhile; it holds the same, sealed with the same keys.

    A copy that breaks off leaves nothing under the name.

    Raises:
        DatabaseMissing: there is no such database.
        BackupTaken: something has the name already, or another copy is being written to it.
        Unavailable: the disk has no room for it, or what was copied cannot be read again.
    """
    if not source.exists():
        raise DatabaseMissing(f"there is no database {source}: is CONVOX_DATABASE the one that `serve` uses?")
    if os.path.lexists(target):  # which, unlike Path.exists, raises nothing of a name that cannot be
        raise BackupTaken(f"{target} exists already: name another file, or remove that one")
    _check_room(source, target)
    try:
        with _alone(target):
            _copy(source, target, reason)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{source} cannot be copied to {target}: {error}") from error


@contextmanager
def _alone(target: Path) -> Generator[None]:
    """Let nobody else write a copy to a name: what lies there half written is then of somebody who has died.

    The lock is a file of its own, since SQLite's locks and flock(2) keep each other out on some systems.
    """
    lock = target.with_name(target.name + ".part.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupTaken(
                f"another copy is being written to {target}: wait for its end, or name another file"
            ) from None
        # Whoever had it has taken the file away as it ended: the next one would lock another.
        if not _is_at(descriptor, lock):
            raise BackupTaken(f"another copy to {target} has just ended: look at it, or name another file")
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _copy(source: Path, target: Path, reason: CopyReason) -> None:
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        # SQLite writes into a file that is there and empty; a copy is as private as the database.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(read_only(source), uri=True, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", [str(part)])
        _stamp(part, reason)
        _check(part)
        _keep(part, target)
    finally:
        with suppress(OSError):
            part.unlink()


def _check_room(source: Path, target: Path) -> None:
    """Refuse what would fill the disk: it may be the one that a running bot writes to."""
    try:
        needed, free = source.stat().st_size, shutil.disk_usage(target.parent).free
    except OSError as error:
        raise Unavailable(f"{source} cannot be copied to {target}: {error}") from error
    if free < needed:
        raise Unavailable(
            f"{source} cannot be copied to {target}: it has {needed:,} bytes, and {free:,} are free there",
            hint="name a file on another disk, or make room",
        )


def _stamp(copy: Path, reason: CopyReason) -> None:
    """Have the copy know that it is one: whoever starts on it must not believe that nothing was told since.

    A copy of a copy that nobody has run on is as old as the first one.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return
        copied = connection.execute(QUERIES["copied_at"]).fetchone()
        if copied is None or connection.execute(QUERIES["run_since_copy"]).fetchone() != (0,):
            connection.execute(QUERIES["stamp_copy"], {"reason": reason})


def _check(copy: Path) -> None:
    with closing(sqlite3.connect(read_only(copy), uri=True)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise sqlite3.DatabaseError(f"the copy is damaged: {'; '.join(found)}")


def _keep(part: Path, target: Path) -> None:
    """Give the copy its name once it is on the disk whole; nothing is overwritten."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.link(part, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
