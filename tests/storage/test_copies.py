"""A copy of a database is one moment of it, whole or not there at all, and an upgrade is not begun without one."""

import fcntl
import sqlite3
import stat
from typing import NamedTuple

import pytest

from core.actor import BOT
from core.errors import Unavailable
from storage import copies
from storage.audit import follow
from storage.copies import copy_database
from storage.database import open_database, open_read_only
from storage.errors import BackupTaken, DatabaseMissing, SchemaMigrationMissing
from storage.keys import Keyring
from storage.migrate import MIGRATIONS
from storage.session import Session
from storage.store import open_store
from tests.storage.before import database_of_before
from tests.storage.making import ALICE, APP

LAST = len(MIGRATIONS)
P = "PAAAAAAAAAA"


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


async def test_a_copy_holds_what_was_committed_and_nothing_of_what_is_being_written(store, path, tmp_path):
    async with store.transaction() as tx:
        await tx.audit(ALICE, "app.create", APP, {})
    copy = tmp_path / "backup.db"
    async with store.transaction() as tx:
        await tx.audit(ALICE, "app.create", "other", {})
        copy_database(path, copy)

    async with open_read_only(copy) as connection:
        chain = await follow(Session(connection))
    assert (chain.rows, chain.broken) == (1, None)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600, "as private as the database"


async def test_a_copy_is_opened_on_another_machine_with_the_same_keys(path, key, clock, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    async with open_store(path, Keyring([key]), clock) as store:
        async with store.transaction() as tx:
            await tx.audit(BOT, "tick", "1", {})
        copy_database(path, other / "convox.db")
        installation = await store.read.installation()

    async with open_store(other / "convox.db", Keyring([key]), clock) as restored:
        assert await restored.read.installation() == installation


async def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(store, path, tmp_path):
    copy = tmp_path / "backup.db"
    copy.write_text("mine")
    with pytest.raises(BackupTaken, match=r"backup\.db exists already"):
        copy_database(path, copy)
    assert copy.read_text() == "mine"
    with pytest.raises(DatabaseMissing):
        copy_database(tmp_path / "none.db", tmp_path / "another.db")
    assert not (tmp_path / "none.db").exists()


async def test_two_copies_to_one_name_are_not_written_into_one_file(store, path, tmp_path, monkeypatch):
    copy, seen = tmp_path / "backup.db", []

    def meanwhile(part):
        with pytest.raises(
            BackupTaken, match=r"another copy is being written to .*backup\.db: wait for its end"
        ):
            copy_database(path, copy)
        copy_database(path, tmp_path / "other.db")
        seen.append(part)

    kept = copies._check
    monkeypatch.setattr(
        copies, "_check", lambda part: meanwhile(part) if part.name == "backup.db.part" else kept(part)
    )
    copy_database(path, copy)
    assert [part.name for part in seen] == ["backup.db.part"]
    assert not list(tmp_path.glob("*.part*"))
    async with open_read_only(copy) as connection:
        assert (await follow(Session(connection))).broken is None


async def test_what_a_copy_left_that_was_killed_is_in_nobodys_way(store, path, tmp_path):
    for name in ("backup.db.part", "backup.db.part.lock"):
        (tmp_path / name).write_text("half")
    copy_database(path, tmp_path / "backup.db")
    assert sorted(each.name for each in tmp_path.glob("backup*")) == ["backup.db"]


async def test_a_copy_that_ended_just_as_another_began_is_not_written_over(
    store, path, tmp_path, monkeypatch
):
    def ended(descriptor, how):
        (tmp_path / "backup.db.part.lock").unlink()

    monkeypatch.setattr(fcntl, "flock", ended)
    with pytest.raises(BackupTaken, match="has just ended"):
        copy_database(path, tmp_path / "backup.db")


async def test_a_copy_that_is_damaged_gets_no_name(store, path, tmp_path, monkeypatch):
    def damaged(copy):
        raise sqlite3.DatabaseError("the copy is damaged: page 3")

    monkeypatch.setattr(copies, "_check", damaged)
    with pytest.raises(Unavailable, match="the copy is damaged: page 3"):
        copy_database(path, tmp_path / "backup.db")
    assert not list(tmp_path.glob("backup*"))


def test_a_damaged_copy_is_seen(tmp_path):
    copy = tmp_path / "backup.db"
    with sqlite3.connect(copy) as connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.execute("CREATE INDEX i ON t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(str(n) * 50,) for n in range(500)])
    connection.close()
    content = bytearray(copy.read_bytes())
    content[8192:8292] = b"\0" * 100
    copy.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError):
        copies._check(copy)


async def test_who_looks_upgrades_nothing_and_writes_nothing(path, tmp_path):
    async with open_database(path, exclusive=True, migrations=MIGRATIONS[:-1]):
        pass
    with pytest.raises(
        SchemaMigrationMissing, match=rf"schema {LAST - 1}, this convox-bot works with {LAST}"
    ):
        async with open_read_only(path):
            pass
    with pytest.raises(DatabaseMissing):
        async with open_read_only(tmp_path / "none.db"):
            pass


@pytest.mark.parametrize("version", range(1, LAST))
async def test_rows_of_every_earlier_schema_are_kept_by_the_upgrade_and_by_the_copy_before_it(
    path, key, clock, version
):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "Reverted", by=ALICE, reason="not today")
        await before.build("BAAAAAAAAAA", {"web": "registry.host/web:main"})
        await before.hold("RAAAAAAAAAA", "it failed")
    async with open_database(path, exclusive=True, migrations=MIGRATIONS[:version]):
        pass

    async with open_store(path, Keyring([key]), clock) as store:
        promotion = await store.read.promotion(P)
        assert (promotion.phase, promotion.cancelled_by) == ("Reverted", ALICE)
        assert (await store.read.build(APP, "BAAAAAAAAAA")).images == {"web": "registry.host/web:main"}
        assert (await store.read.release_status("RAAAAAAAAAA")).held

    copy = path.with_name(f"{path.name}.schema-{version}")
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert connection.execute("SELECT id FROM promotions").fetchall() == [(P,)]
    connection.close()


async def test_a_new_database_and_one_that_is_up_to_date_are_not_copied(path, key, clock):
    for _ in range(2):
        async with open_store(path, Keyring([key]), clock):
            pass
    assert not list(path.parent.glob("*.schema-*"))


async def test_without_room_for_a_copy_nothing_is_upgraded(path, key, clock, monkeypatch):
    async with database_of_before(path, key):
        pass

    def full(source, target, reason):
        raise Unavailable(f"{source} cannot be copied to {target}: database or disk is full")

    monkeypatch.setattr("storage.upgrading.copy_database", full)
    with pytest.raises(Unavailable, match="the database is not upgraded: .* is full"):
        async with open_store(path, Keyring([key]), clock):
            pass
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


async def test_the_copies_of_before_the_last_two_upgrades_are_kept_and_what_goes_is_said(
    path, key, clock, caplog
):
    caplog.set_level("INFO")
    others = [path.with_name(f"{path.name}.schema-{name}") for name in ("2.mine", "x")]
    older = [path.with_name(f"{path.name}.schema-{version}") for version in (1, 2, 3, 10)]
    left = [path.with_name(f"{path.name}.schema-5.new{end}") for end in ("", ".part", ".part.lock")]
    for file in (*others, *older, *left):
        file.write_text("a copy")
    stuck = path.with_name(f"{path.name}.schema-0")
    stuck.mkdir()
    async with database_of_before(path, key):
        pass
    async with open_database(path, exclusive=True, migrations=MIGRATIONS[:11]):
        pass
    kept = {each.name.rpartition("schema-")[2] for each in path.parent.glob("*.schema-*")}
    assert kept == {"2.mine", "x", "10", "3", "0"}, (
        "1 is what this upgrade came from, and older than two others"
    )
    for version in (1, 2):
        assert (
            f"{path}.schema-{version}, from before an earlier upgrade, was deleted: the last 2 are kept"
            in caplog.text
        )
    assert f"{stuck}, from before an earlier upgrade, cannot be deleted: " in caplog.text


async def test_on_a_tight_disk_the_copy_of_the_upgrade_before_goes_too(path, key, clock, monkeypatch, caplog):
    caplog.set_level("INFO")
    async with database_of_before(path, key):
        pass
    before = path.with_name(f"{path.name}.schema-0")
    before.write_text("a copy")
    monkeypatch.setattr("storage.upgrading.free_fraction", lambda folder: 0.09 if before.exists() else 0.11)
    async with open_database(path, exclusive=True):
        pass
    assert [each.name for each in path.parent.glob("*.schema-*")] == [f"{path.name}.schema-1"]
    assert (
        f"{before}, from before an earlier upgrade, was deleted: less than 10 % of the disk was free"
        in caplog.text
    )
    assert "nothing new starts" not in caplog.text


async def test_a_copy_that_leaves_too_little_room_to_start_anything_is_said_with_what_to_do(
    path, key, clock, monkeypatch, caplog
):
    monkeypatch.setattr("storage.upgrading.free_fraction", lambda folder: 0.09)
    async with database_of_before(path, key):
        pass
    async with open_database(path, exclusive=True):
        pass
    copy = path.with_name(f"{path.name}.schema-1")
    assert copy.exists(), "the way back of this upgrade stays"
    assert (
        f"less than 10 % of the disk is free, so nothing new starts: move {copy} to another disk"
        in caplog.text
    )


async def test_a_copy_that_is_older_than_the_database_gives_way_to_what_it_is_now(path, key, clock):
    """As after a downgrade by that very copy: a second upgrade would else leave a way back to long ago."""
    async with database_of_before(path, key):
        pass
    copy = path.with_name(f"{path.name}.schema-1")
    copy_database(path, copy)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta VALUES ('since', 'then')")
    connection.close()
    async with open_database(path, exclusive=True):
        pass
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'since'").fetchall() == [("then",)]
    connection.close()
    assert not list(path.parent.glob("*.new*"))


async def test_what_would_fill_the_disk_is_refused_before_it_does(store, path, tmp_path, monkeypatch):
    monkeypatch.setattr("storage.copies.shutil.disk_usage", lambda _: DiskUsage(10**6, 10**6, 4095))
    with pytest.raises(
        Unavailable, match=r"cannot be copied to .*: it has \d.* bytes, and 4,095 are free there"
    ) as refused:
        copy_database(path, tmp_path / "backup.db")
    assert refused.value.hint == "name a file on another disk, or make room"
    assert not list(tmp_path.glob("backup*"))


async def test_a_copy_into_a_folder_that_is_not_there_is_refused(store, path, tmp_path):
    with pytest.raises(Unavailable, match=r"cannot be copied to .*: \[Errno 2\]"):
        copy_database(path, tmp_path / "nowhere" / "backup.db")
