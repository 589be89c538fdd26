"""A disk in trouble under an open store: a sentence for whoever reads or writes, and no more once it is well again."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import aiosqlite
import pytest

from core.errors import Unavailable
from storage.copies import copy_database
from storage.database import MOST_JOURNAL_BYTES, open_database
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from storage.upgrading import let_shrink
from tests.disk import DAMAGES, damaged, read_only
from tests.storage.before import database_of_before
from tests.storage.making import make_app


async def add(store: SqliteStore, name: str) -> None:
    async with store.transaction() as tx:
        await tx.add_app(make_app(name))


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_a_sentence_for_each_who_asks_and_is_read_afresh_once_it_is_mended(
    store: SqliteStore, damage: str
):
    for number in range(50):
        await add(store, f"app-{number}")
    async with damaged(store, damage) as says:
        for _ in range(2):
            for asking in (store.read.apps(), add(store, "lost"), store.try_out(), store.outbox.backlog()):
                with pytest.raises(Unavailable, match=f"^the database cannot be used: its file {says}$"):
                    await asking
    assert len(await store.read.apps()) == 50
    await add(store, "kept")
    await store.try_out()
    assert len(await store.read.apps()) == 51


async def test_whoever_watches_over_it_is_told_until_it_can_be_written_again(store: SqliteStore):
    await store.try_out()
    async with read_only(store) as says:
        await store.try_out()  # nobody has written meanwhile: that it cannot be, the next write finds out
        with pytest.raises(Unavailable, match=says):
            await add(store, "lost")
        for _ in range(2):
            with pytest.raises(Unavailable, match=says):
                await store.try_out()
    before = await versions(store)
    await store.try_out()
    assert not store._database._unwritable
    assert await versions(store) == before, "a try changes nothing"


async def versions(store: SqliteStore) -> list[int]:
    ((version,),) = await store._database.reader.execute_fetchall("PRAGMA user_version")
    ((schema,),) = await store._database.reader.execute_fetchall("PRAGMA schema_version")
    return [version, schema]


async def test_a_disk_that_is_really_full_is_said_and_told_to_whoever_watches(tmp_path: Path, clock, key):
    with small_disk(tmp_path / "disk") as disk:
        async with open_store(disk / "convox.db", Keyring([key]), clock) as store:
            filler = disk / "filler"
            fill(filler)
            with pytest.raises(Unavailable, match="its disk is full"):
                await add_for_ever(store)
            kept = len(await store.read.apps())
            fill(filler)
            with pytest.raises(Unavailable, match="its disk is full"):
                await store.try_out()
            filler.unlink()
            await store.try_out()
            await add(store, "kept")
            assert len(await store.read.apps()) == kept + 1


async def add_for_ever(store: SqliteStore) -> None:
    for number in count():
        await add(store, f"app-{number}")


def fill(path: Path) -> None:
    """Write until the disk has no byte left."""
    with path.open("ab", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return


@pytest.mark.parametrize("room", [0, 200_000], ids=["full", "that fills up"])
async def test_a_backup_onto_a_disk_that_is_full_is_a_sentence_and_leaves_nothing(
    store: SqliteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
    if room:
        # As where something else fills it meanwhile: SQLite itself finds out.
        monkeypatch.setattr("storage.copies._check_room", lambda source, target: None)
    with small_disk(tmp_path / "disk") as disk:
        fill(disk / "filler")
        with (disk / "filler").open("r+b") as filler:
            filler.truncate((4 << 20) - 8192 - room)
        with pytest.raises(Unavailable, match=r"cannot be copied to .*(full|are free there)"):
            copy_database(path, disk / "backup.db")
        assert [each.name for each in disk.iterdir()] == ["filler"]
    assert len(await store.read.apps()) == 1


async def test_a_database_on_a_disk_without_room_is_not_upgraded_and_is_whole(tmp_path: Path, key, clock):
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "convox.db"
        async with database_of_before(path, key):
            pass
        filler = disk / "filler"
        fill(filler)
        with pytest.raises(Unavailable, match=r"the database (is not upgraded|cannot be used): ") as refused:
            async with open_store(path, Keyring([key]), clock):
                pass
        assert refused.value.hint
        assert not [each.name for each in disk.iterdir() if ".schema-" in each.name]
        filler.unlink()
        async with open_store(path, Keyring([key]), clock) as store:
            assert len(await store.read.apps()) == 1


def broken(*_words: object, **_more: object) -> NoReturn:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("call", ["replace", "unlink"])
async def test_a_copy_that_the_disk_does_not_take_keeps_a_database_from_its_upgrade(
    path: Path, key, clock, monkeypatch, call: str
):
    async with database_of_before(path, key):
        pass
    with monkeypatch.context() as patched:
        patched.setattr(Path, call, broken)
        with pytest.raises(
            Unavailable, match=r"the database is not upgraded: .*Input/output error"
        ) as refused:
            async with open_store(path, Keyring([key]), clock):
                pass
        assert "mend the disk" in str(refused.value.hint)
    async with open_store(path, Keyring([key]), clock) as store:
        assert len(await store.read.apps()) == 1


@pytest.mark.parametrize("place", ["storage.upgrading.free_fraction", "pathlib.Path.iterdir"])
async def test_a_disk_that_gives_errors_after_an_upgrade_keeps_nobody_from_starting(
    path: Path, key, clock, monkeypatch, caplog, place: str
):
    async with database_of_before(path, key):
        pass
    monkeypatch.setattr(place, broken)
    async with open_store(path, Keyring([key]), clock) as store:
        assert len(await store.read.apps()) == 1
    assert "the copies of before earlier upgrades cannot be looked through: " in caplog.text
    assert "Input/output error" in caplog.text


async def test_a_disk_that_gives_errors_is_not_one_with_room_for_a_database_written_anew(
    path: Path, key, monkeypatch, caplog
):
    async with database_of_before(path, key):
        pass
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        await connection.execute("PRAGMA auto_vacuum = NONE")
        await connection.execute("VACUUM")
        monkeypatch.setattr("storage.upgrading.shutil.disk_usage", broken)
        await let_shrink(connection, path)
    assert "could not be written anew and stays as it is; the next start tries again: " in caplog.text


async def test_a_disk_that_does_not_tell_how_full_it_is_is_a_sentence(store: SqliteStore, monkeypatch):
    monkeypatch.setattr("os.statvfs", broken)
    with pytest.raises(
        Unavailable, match=r"^the disk of .* does not tell how full it is: Input/output error$"
    ):
        store.free_fraction()


async def test_a_file_system_that_became_read_only_is_a_sentence_at_a_start_and_for_a_backup(
    tmp_path: Path, key, clock
):
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "convox.db"
        async with database_of_before(path, key):
            pass
        mounted(disk, "ro")
        with pytest.raises(Unavailable, match="cannot be opened: Read-only file system"):
            async with open_store(path, Keyring([key]), clock):
                pass
        with pytest.raises(Unavailable, match="cannot be copied to .*Read-only file system"):
            copy_database(path, disk / "backup.db")
        mounted(disk, "rw")
        async with open_store(path, Keyring([key]), clock) as store:
            assert len(await store.read.apps()) == 1


def mounted(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    """Give a disk of 4 MiB, where this process may mount one."""
    at.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(at)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no mount here: {made.stderr.decode().strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


async def test_what_the_log_grew_to_while_somebody_read_for_long_is_given_back(path: Path):
    """As a backup does: meanwhile nothing of the log can be taken back into the file."""
    log = path.with_name(f"{path.name}-wal")
    async with open_database(path, exclusive=True) as database, aiosqlite.connect(path) as backup:
        await backup.execute("BEGIN")
        await backup.execute_fetchall("SELECT * FROM meta")
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE large AS SELECT zeroblob(20000000) AS x")
        await write(database, 2)
        assert log.stat().st_size > MOST_JOURNAL_BYTES
        await backup.rollback()
        await write(database, 3)
        assert log.stat().st_size <= MOST_JOURNAL_BYTES


async def write(database, times: int) -> None:
    for number in range(times):
        async with database.transaction() as connection:
            await connection.execute(f"PRAGMA user_version = {number}")
