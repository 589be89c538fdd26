import re
import sqlite3
from importlib.metadata import version
from importlib.resources import files

import pytest

from storage.database import open_database
from storage.errors import DatabaseLocked, ForeignDatabase, SchemaTooNew
from storage.migrate import MIGRATIONS, Migration, load

LAST = len(MIGRATIONS)
MORE = Migration(LAST + 1, "more", "CREATE TABLE more (x INTEGER) STRICT; INSERT INTO more VALUES (1);")
NEWER = Migration(LAST + 2, "newer", "UPDATE meta SET value = '9.9.9' WHERE name = 'needs';")
BROKEN = Migration(
    LAST + 2,
    "broken",
    "CREATE TABLE half (x INTEGER) STRICT; DELETE FROM more; INSERT INTO nowhere VALUES (1);",
)


def state(path):
    with sqlite3.connect(path) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return version, tables


async def upgrade(path, *migrations):
    async with open_database(path, exclusive=True, migrations=migrations):
        pass


OURS = tuple(map(int, version("convox-bot").split(".")))


def needed(migration: Migration) -> tuple[int, ...]:
    """Return the version that an older one is told to use."""
    (found,) = re.findall(r"'(\d+\.\d+\.\d+)'", migration.script)
    return tuple(map(int, found.split(".")))


def test_migrations_are_named_numbered_and_say_which_version_needs_them():
    assert [m.number for m in MIGRATIONS] == list(range(1, LAST + 1))
    for migration in MIGRATIONS:
        assert re.fullmatch(rf"{migration.number:04}_[a-z0-9_]+\.sql", migration.name)
        assert re.search(r"meta.*'needs'|meta SET value", migration.script, re.DOTALL), migration.name
        assert needed(migration) <= OURS, f"{migration.name} names a version that is still to come"
    assert [m.name for m in load(files("storage") / "sql" / "migrations")] == [m.name for m in MIGRATIONS]


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["1_a.sql"], ["0001_a.txt"]])
def test_a_migration_that_is_misnamed_or_missing_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match=r"not named|not numbered"):
        load(tmp_path)


@pytest.mark.parametrize("version", range(LAST + 1))
async def test_a_database_of_every_earlier_schema_is_upgraded(path, version):
    await upgrade(path, *MIGRATIONS[:version])
    assert state(path)[0] == version
    await upgrade(path, *MIGRATIONS, MORE)
    assert state(path)[0] == LAST + 1
    assert {"promotions", "audit", "more"} <= state(path)[1]


async def test_an_upgrade_keeps_what_was_stored(path):
    await upgrade(path, *MIGRATIONS)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta VALUES ('kept', 'yes')")
    connection.close()
    await upgrade(path, *MIGRATIONS, MORE)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'kept'").fetchall() == [("yes",)]
    connection.close()


async def test_an_upgrade_that_fails_leaves_neither_tables_nor_version(path):
    await upgrade(path, *MIGRATIONS)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await upgrade(path, *MIGRATIONS, MORE, BROKEN)
    version, tables = state(path)
    assert version == LAST + 1, "what was whole before it stays"
    assert "half" not in tables
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT x FROM more").fetchall() == [(1,)]
    connection.close()


async def test_an_older_bot_refuses_a_newer_database_and_says_which_version_to_use(path):
    await upgrade(path, *MIGRATIONS, MORE, NEWER)
    before = state(path)
    with pytest.raises(SchemaTooNew, match=rf"schema {LAST + 2}.*knows {LAST}: use convox-bot ≥ 9\.9\.9"):
        await upgrade(path, *MIGRATIONS)
    assert state(path) == before


async def test_a_database_of_another_program_is_refused_and_called_that(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 4711")
    connection.close()
    with pytest.raises(SchemaTooNew, match=r"schema 4711.*not one of convox-bot's"):
        await upgrade(path, *MIGRATIONS)


async def test_a_database_of_another_program_that_counts_no_versions_is_refused_and_left_as_it_is(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        ForeignDatabase, match=r"not one of convox-bot's, set CONVOX_DATABASE to another file"
    ):
        await upgrade(path, *MIGRATIONS)
    assert path.read_bytes() == before


async def test_a_schema_is_never_upgraded_beneath_a_running_bot(store, path):
    newer = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "x", "CREATE TABLE more (x INTEGER) STRICT;"))
    with pytest.raises(DatabaseLocked, match="another convox-bot serve uses"):
        async with open_database(path, exclusive=False, migrations=newer):
            pass
