"""With a new key everything is sealed anew: also what nobody may change, also beside a bot, also after a break."""

import sqlite3
from contextlib import AsyncExitStack

import pytest

from bot.admin.rekeying import rekey_database
from bot.clock import SystemClock
from core.actor import BOT
from core.promotion import Phase
from storage import rekeying
from storage.audit import follow
from storage.database import open_database, open_read_only
from storage.errors import DatabaseMissing, KeyMismatch
from storage.keys import Keyring
from storage.rekeying import open_for_rekeying, rekey, sealed_tables
from storage.session import Session
from storage.store import open_store
from tests.core.world import KEY, by, world
from tests.fakes import JumpingClock
from tests.storage.making import ALICE, NOW

NEW = Keyring.generate()
BOTH = Keyring([NEW, KEY])
SECRET = "https://hunter2@example.com/"


async def used(tmp_path):
    """Leave a database in which a release was promoted, with a value in its environment."""
    async with world(tmp_path) as w:
        await w.registrar.set_environment(by(ALICE), "myapp", [("TOKEN", SECRET)])
        release = await w.good()
        return release, await w.store.read.release("myapp", release)


def blobs(path):
    """Return every sealed value of a database, by table and column."""
    found = {}
    with sqlite3.connect(path) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if column[2] in {"BLOB", "ANY"}:
                    query = f"SELECT {column[1]} FROM {table} WHERE typeof({column[1]}) = 'blob'"
                    found[table, column[1]] = [row[0] for row in connection.execute(query)]
    connection.close()
    return found


def sealed_with(path, key):
    """Return where something is that this key opens."""
    keyring, found = Keyring([key]), set()
    for where, values in blobs(path).items():
        for value in values:
            try:
                keyring.decrypt(value)
            except KeyMismatch:
                continue
            found.add(where)
    return found


async def test_a_key_can_be_retired_and_everything_is_read_as_before(tmp_path):
    path = tmp_path / "convox.db"
    release, before = await used(tmp_path)
    assert len(sealed_with(path, KEY)) > 8, "there is something to seal anew"

    said = (await rekey_database(path, [NEW, KEY], SystemClock())).text

    assert sealed_with(path, KEY) == set()
    assert f"nothing needs {Keyring([KEY]).fingerprints[0]} any more" in said
    async with open_store(path, Keyring([NEW]), JumpingClock()) as store:
        assert await store.read.release("myapp", release) == before
        assert [each.phase for each in await store.read.promotions("myapp", 9)] == [Phase.RUNNING]
        assert await store.read.bundle(release) is not None
    async with open_read_only(path) as connection:
        assert (await follow(Session(connection))).broken is None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await connection.execute("DELETE FROM audit")
    with (
        sqlite3.connect(path) as writing,
        pytest.raises(sqlite3.IntegrityError, match="a release never changes"),
    ):
        writing.execute("UPDATE releases SET description = 'x'")
    writing.close()


async def test_what_breaks_off_is_finished_by_the_next_and_readable_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "convox.db"
    release, before = await used(tmp_path)
    monkeypatch.setattr(rekeying, "MOST_ROWS", 1)
    real = rekeying._next_batch
    done: list[object] = []

    async def breaking(*of):
        if len(done) == 12:
            raise KeyboardInterrupt
        done.append(of)
        return await real(*of)

    monkeypatch.setattr(rekeying, "_next_batch", breaking)
    with pytest.raises(KeyboardInterrupt):
        async with open_for_rekeying(path, BOTH) as database:
            await rekey(database, BOTH, NOW)
    assert sealed_with(path, KEY)
    assert sealed_with(path, NEW)
    async with open_store(path, BOTH, JumpingClock()) as store:
        assert await store.read.release("myapp", release) == before
    with pytest.raises(KeyMismatch, match="CONVOX_KEYS lacks a key"):
        async with open_store(path, Keyring([NEW]), JumpingClock()):
            pass

    monkeypatch.setattr(rekeying, "_next_batch", real)
    async with open_for_rekeying(path, BOTH) as database:
        result = await rekey(database, BOTH, NOW)
    assert result.kept > 1
    assert sealed_with(path, KEY) == set()


async def test_a_second_time_there_is_nothing_to_do(tmp_path):
    path = tmp_path / "convox.db"
    await used(tmp_path)
    await rekey_database(path, [NEW, KEY], SystemClock())
    said = (await rekey_database(path, [NEW], SystemClock())).text
    assert "\n0 values are sealed" in said
    assert "nothing needs" not in said


async def test_beside_a_bot_that_knows_the_key_it_goes_and_the_bot_reads_on(tmp_path):
    path = tmp_path / "convox.db"
    release, before = await used(tmp_path)
    async with open_store(path, BOTH, JumpingClock()) as running:
        await rekey_database(path, [NEW, KEY], SystemClock())
        assert await running.read.release("myapp", release) == before
        async with running.transaction() as tx:
            await tx.audit(BOT, "tick", "1", {})
    assert sealed_with(path, KEY) == set()


async def test_beside_a_bot_that_does_not_know_the_key_nothing_is_sealed_with_it(tmp_path):
    path = tmp_path / "convox.db"
    await used(tmp_path)
    async with open_store(path, Keyring([KEY]), JumpingClock()):
        with pytest.raises(
            KeyMismatch, match="a bot runs on this database that does not know the newest key"
        ):
            await rekey_database(path, [NEW, KEY], SystemClock())
    assert sealed_with(path, NEW) == set()


@pytest.mark.parametrize(("of_the_bot", "of_rekey"), [([KEY, NEW], [NEW, KEY]), ([NEW, KEY], [KEY, NEW])])
async def test_beside_a_bot_that_seals_with_another_key_none_is_retired(tmp_path, of_the_bot, of_rekey):
    path = tmp_path / "convox.db"
    await used(tmp_path)
    async with open_store(path, BOTH, JumpingClock()):
        pass
    async with open_store(path, Keyring(of_the_bot), JumpingClock()) as running:
        with pytest.raises(KeyMismatch, match="the bot that runs .* seals with another key than"):
            await rekey_database(path, of_rekey, SystemClock())
        await running.policies.keep("later")
    async with open_store(path, Keyring(of_the_bot), JumpingClock()) as store:
        assert await store.policies.last() == "later"


async def test_a_bot_that_starts_meanwhile_and_seals_with_another_key_keeps_it(tmp_path):
    path = tmp_path / "convox.db"
    await used(tmp_path)
    async with open_store(path, BOTH, JumpingClock()):
        stack = AsyncExitStack()
        database = await stack.enter_async_context(open_for_rekeying(path, BOTH))
    async with stack, open_store(path, Keyring([KEY, NEW]), JumpingClock()):
        with pytest.raises(KeyMismatch, match="seals with another key"):
            await rekey(database, BOTH, NOW)
    with pytest.raises(KeyMismatch, match="CONVOX_KEYS lacks a key"):
        async with open_store(path, Keyring([NEW]), JumpingClock()):
            pass


async def test_keys_that_are_missing_and_values_that_were_changed_are_named(tmp_path):
    path = tmp_path / "convox.db"
    with pytest.raises(DatabaseMissing):
        await rekey_database(path, [NEW, KEY], SystemClock())
    await used(tmp_path)
    with pytest.raises(KeyMismatch, match="CONVOX_KEYS lacks a key"):
        await rekey_database(path, [NEW], SystemClock())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE promotions SET words = x'00' WHERE number = 1")
    connection.close()
    with pytest.raises(KeyMismatch, match=r"promotions\.words of row \(1,\): a stored value cannot be read"):
        await rekey_database(path, [NEW, KEY], SystemClock())


async def test_what_is_large_goes_in_writes_of_its_own(tmp_path, monkeypatch):
    path = tmp_path / "convox.db"
    await used(tmp_path)
    monkeypatch.setattr(rekeying, "MOST_BYTES", 1)
    await rekey_database(path, [NEW, KEY], SystemClock())
    assert sealed_with(path, KEY) == set()


async def test_every_column_of_bytes_is_found_in_the_schema(path):
    async with open_database(path, exclusive=True) as database:
        tables = {table.name: table for table in await sealed_tables(database.reader)}
    assert tables["bundles"].key == ("rowid",)
    assert tables["build_lines"].key == ("build", "number")
    assert tables["promotions"].columns == ("words", "progress")
    assert "meta" not in tables, "whose values are of any type"
