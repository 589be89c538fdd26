"""Upgrades of the schema, in order, each wholly or not at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import aiosqlite

from storage.errors import ForeignDatabase, SchemaTooNew

NOT_OURS = "not one of convox-bot's, set CONVOX_DATABASE to another file"
MIGRATION_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of sql/migrations: `number` is the PRAGMA user_version after it."""

    number: int
    name: str
    script: str


def load(folder: Traversable) -> tuple[Migration, ...]:
    """Return the migrations of a folder in order.

    Raises:
        ValueError: a file is not named `NNNN_words.sql`, or the numbers are not 1, 2, 3, …
    """
    found = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        match = MIGRATION_NAME.match(file.name)
        if match is None:
            raise ValueError(f"{file.name} is not named like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), file.name, file.read_text(encoding="utf-8")))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3, …: {[m.name for m in found]}")
    return tuple(found)


MIGRATIONS = load(files("storage") / "sql" / "migrations")


async def version_of(connection: aiosqlite.Connection) -> int:
    """Return the number of the last migration that the database has seen; 0 for a new file."""
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)


async def needs_migration(connection: aiosqlite.Connection, migrations: Sequence[Migration]) -> bool:
    """Tell whether the database is older than the code.

    Raises:
        ForeignDatabase: it is another program's, which has never set a version.
        SchemaTooNew: it is newer; the sentence names the version of convox-bot to use.
    """
    # In this order: another process may make our tables in between, and sets the version with them.
    tables = await connection.execute_fetchall("SELECT 1 FROM sqlite_master LIMIT 1")
    version = await version_of(connection)
    if tables and version == 0:
        raise ForeignDatabase(f"the database is {NOT_OURS}")
    if version > len(migrations):
        raise SchemaTooNew(
            f"the database has schema {version}, this convox-bot knows {len(migrations)}: {await advice(connection)}"
        )
    return version < len(migrations)


async def advice(connection: aiosqlite.Connection) -> str:
    tables = await connection.execute_fetchall("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
    if not tables:
        return f"it is {NOT_OURS}"
    ((needs,),) = await connection.execute_fetchall("SELECT value FROM meta WHERE name = 'needs'")
    return f"use convox-bot ≥ {needs}"


async def migrate(connection: aiosqlite.Connection, migrations: Sequence[Migration]) -> None:
    """Apply what is missing; an upgrade that fails leaves the database as it was before that one file.

    The caller holds the lock: of two processes the second sees the work of the first.
    """
    for migration in migrations[await version_of(connection) :]:
        # executescript commits whatever is open before it starts, hence BEGIN inside the script.
        script = f"BEGIN IMMEDIATE;\n{migration.script}\nPRAGMA user_version = {migration.number};\nCOMMIT;"
        try:
            await connection.executescript(script)
        except BaseException:
            await connection.rollback()
            raise
