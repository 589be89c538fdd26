"""What a disk does to the file beneath a running store: real SQLite on real bytes, also as root."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from storage.store import SqliteStore

PAGE = 4096
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "text": (lambda was: b"hello " * (len(was) // 6), "is no SQLite database"),
    "noise": (lambda was: was[:PAGE] + b"\xff" * (len(was) - PAGE), "is damaged"),
    "cut off": (lambda was: was[: 2 * PAGE], "is damaged"),
}


@asynccontextmanager
async def damaged(store: SqliteStore, damage: str) -> AsyncGenerator[str]:
    """Spoil the file until the block is left; give what its sentence says."""
    database = store._database
    spoil, says = DAMAGES[damage]
    await database._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    # What the connections remember of it would hide that for a while.
    for connection in (database.reader, database._writer):
        await connection.execute_fetchall("PRAGMA shrink_memory")
    whole = database.path.read_bytes()
    overwrite(database.path, spoil(whole))
    try:
        yield says
    finally:
        overwrite(database.path, whole)


@asynccontextmanager
async def read_only(store: SqliteStore) -> AsyncGenerator[str]:
    """Refuse every write until the block is left, as on a file system that was mounted anew after an error."""
    writer = store._database._writer
    await writer.execute_fetchall("PRAGMA query_only = ON")
    try:
        yield "it is read-only"
    finally:
        await writer.execute_fetchall("PRAGMA query_only = OFF")


def overwrite(path: Path, data: bytes) -> None:
    """Give the same file another content, under whoever has it open."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
