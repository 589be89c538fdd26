"""The lock of a running bot: on the file, whatever it is called, and on its name, whatever file has it."""

import fcntl
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Unavailable
from storage.errors import DatabaseLocked, DatabaseLost

log = logging.getLogger(__name__)


@contextmanager
def opened(path: Path) -> Generator[int]:
    """Make the file, readable by its owner only, and keep a descriptor of it that it can be locked by.

    SQLite gives its companions (-wal, -shm) the same mode. The descriptor must outlive SQLite's connections: closing one
    ends the locks that SQLite holds on the file in this process (fcntl(2), https://www.sqlite.org/howtocorrupt.html 2.2).

    Raises:
        Unavailable: it cannot be made or written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"the database {path} cannot be opened: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def file_lock(path: Path, file: int) -> Generator[None]:
    """Hold the file and `<path>.lock` for this process, so that nobody else is a second bot.

    The file (its device and inode) stays the same under a link, another mount or a new name (engine rule 59); the lock beside it
    also keeps out who meets another file under the name, such as a backup that was put in the place of a file in use.

    Args:
        path: of the database.
        file: a descriptor of it, see `opened`.

    Raises:
        DatabaseLocked: another process has it.
        Unavailable: the lock file cannot be made.
    """
    lock = _beside(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{lock} cannot be made: {error.strerror}") from error
    try:
        _acquire(descriptor, f"another convox-bot serve uses {path}")
        if sys.platform == "linux":
            # Elsewhere flock(2) and the fcntl(2) of SQLite keep each other out, in one process too.
            _acquire(
                file,
                f"another convox-bot serve uses {path} by another name (a link, a mount, or it was moved)",
            )
        yield
    finally:
        # The kernel lets go of the lock; the file stays, so that nobody locks a deleted one.
        os.close(descriptor)
        fcntl.flock(file, fcntl.LOCK_UN)


def _acquire(descriptor: int, taken: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseLocked(f"{taken}: stop it first, or give this one its own CONVOX_DATABASE") from None


def check_not_lost(path: Path, size: int) -> None:
    """Refuse to begin anew where a database was: to SQLite a file of 0 bytes is a database without tables.

    Args:
        path: of the database.
        size: of its file in bytes, 0 where there is none.

    Raises:
        DatabaseLost: the file is empty, or was not there, and the lock beside it names what it held.
    """
    if size == 0 and (before := _remembered(path)):
        raise DatabaseLost(
            f"the database {path} is empty, but it held the records of installation {before}, as {_beside(path)} says: put a"
            " backup in its place, or remove that file too to begin with nothing"
        )


def remember(path: Path, installation: str) -> None:
    """Note beside the database whose it is, for `check_not_lost`; the caller holds the lock."""
    if _remembered(path) == installation:
        return
    try:
        _beside(path).write_text(f"{installation}\n", encoding="ascii")
    except OSError as error:
        log.warning(
            "%s cannot be written, so a lost database would not be noticed: %s", _beside(path), error.strerror
        )


def _remembered(path: Path) -> str:
    try:
        return _beside(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
