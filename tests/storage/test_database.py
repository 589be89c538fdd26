import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from core.errors import Unavailable
from storage.database import open_database
from storage.errors import DatabaseLocked, DatabaseLost, NetworkFileSystem
from storage.filesystem import kind_of_mount, resolve_local
from storage.keys import Keyring
from storage.store import open_store
from tests.chain import first_broken
from tests.storage.making import make_app

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def database(path):
    async with open_database(path, exclusive=True) as opened:
        async with opened.transaction() as connection:
            await connection.execute(
                "CREATE TABLE pairs (half INTEGER, writer INTEGER, UNIQUE (half, writer)) STRICT"
            )
        yield opened


async def pairs(database):
    rows = await database.reader.execute_fetchall("SELECT writer, count(*) FROM pairs GROUP BY writer")
    return {row[0]: row[1] for row in rows}


async def write_pair(database, writer, *, urgent=False):
    async with database.transaction(urgent=urgent) as connection:
        await connection.execute("INSERT INTO pairs VALUES (1, ?)", (writer,))
        await asyncio.sleep(0)
        await connection.execute("INSERT INTO pairs VALUES (2, ?)", (writer,))


@pytest.mark.parametrize("seed", range(12))
async def test_a_storm_of_cancellations_leaves_only_whole_transactions(database, seed):
    dice = random.Random(seed)
    tasks = [asyncio.create_task(write_pair(database, n, urgent=dice.random() < 0.3)) for n in range(40)]
    victims = dice.sample(range(40), 25)
    for victim in victims:
        for _ in range(dice.randrange(6)):
            await asyncio.sleep(0)
        tasks[victim].cancel()
        if dice.random() < 0.5:
            await asyncio.sleep(0)
            tasks[victim].cancel()  # again, while it rolls back
    results = await asyncio.gather(*tasks, return_exceptions=True)
    written = await pairs(database)
    assert set(written.values()) <= {2}
    finished = {n for n, result in enumerate(results) if result is None}
    assert finished <= set(written), "who was told that it is saved finds it saved"
    assert set(range(40)) - set(victims) <= finished
    await write_pair(database, 99)
    assert (await pairs(database))[99] == 2


@pytest.mark.parametrize("seed", range(6))
async def test_cancellations_while_another_process_holds_the_write_lock_leave_nothing_open(
    database, path, seed
):
    dice = random.Random(seed)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    tasks = [asyncio.create_task(write_pair(database, n)) for n in range(5)]
    for _ in range(dice.randrange(1, 5)):
        await asyncio.sleep(0)
    tasks[0].cancel()  # BEGIN IMMEDIATE waits in the worker thread: cancelling cannot stop it
    await asyncio.sleep(0)
    other.execute("COMMIT")
    other.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await pairs(database) == dict.fromkeys(range(1, 5), 2)
    assert not database._writer.in_transaction


async def test_a_task_cancelled_while_it_commits_has_committed_and_is_still_cancelled(database, monkeypatch):
    committing = asyncio.Event()
    execute = database._writer.execute

    def watched(sql, *parameters):
        if sql == "COMMIT":
            committing.set()
        return execute(sql, *parameters)

    monkeypatch.setattr(database._writer, "execute", watched)
    task = asyncio.create_task(write_pair(database, 1))
    await committing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pairs(database) == {1: 2}


async def test_a_timeout_around_a_transaction_is_a_timeout(database):
    async def slow():
        async with asyncio.timeout(0.001), database.transaction() as connection:
            await connection.execute("INSERT INTO pairs VALUES (1, 1)")
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await slow()
    assert await pairs(database) == {}


async def test_an_error_inside_rolls_everything_back_and_the_next_writer_starts_clean(database):
    async def broken():
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO pairs VALUES (1, 1)")
            raise LookupError

    with pytest.raises(LookupError):
        await broken()
    await write_pair(database, 2)
    assert await pairs(database) == {2: 2}


async def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_ever(database):
    async with database.transaction():
        with pytest.raises(RuntimeError, match="in a transaction already"):
            await write_pair(database, 1)
    await write_pair(database, 2)
    assert await pairs(database) == {2: 2}


async def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(database):
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO pairs VALUES (1, 1)")
        assert await pairs(database) == {}
    assert await pairs(database) == {1: 1}


async def test_the_reading_connection_cannot_write(database):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.reader.execute("INSERT INTO pairs VALUES (1, 1)")


async def test_two_processes_write_one_after_the_other(database, path):
    async with open_database(path, exclusive=False) as beside:
        await asyncio.gather(
            *(write_pair(side, n) for n in range(30) for side in (database, beside)[n % 2 :][:1])
        )
    assert await pairs(database) == dict.fromkeys(range(30), 2)


async def test_the_file_keeps_commits_through_a_power_cut(database):
    def pragma(name):
        return database._writer.execute_fetchall(f"PRAGMA {name}")

    assert [tuple(row) for row in await pragma("journal_mode")] == [("wal",)]
    assert [tuple(row) for row in await pragma("synchronous")] == [(2,)]
    assert [tuple(row) for row in await pragma("foreign_keys")] == [(1,)]


CRASH = """
import asyncio, os, sys
from pathlib import Path
from storage.keys import Keyring
from storage.store import open_store
from tests.storage.making import HandClock, make_app, make_line, make_promotion, make_release

async def main(path, key, at):
    async with open_store(Path(path), Keyring([key]), HandClock()) as store:
        async with store.transaction() as tx:
            await tx.add_app(make_app())
            await tx.add_release(make_release("RAAAAAAAAAA"))
        done = 0
        def passed():
            nonlocal done
            done += 1
            if done == at:
                os._exit(9)
        async with store.transaction() as tx:
            promotion = make_promotion("RAAAAAAAAAA", "PAAAAAAAAAA")
            await tx.add_promotion(promotion); passed()
            await tx.add_card("PAAAAAAAAAA", "C01"); passed()
            await tx.add_lines("PAAAAAAAAAA", [make_line(1)]); passed()
            await tx.audit(promotion.requested_by, "promote", "PAAAAAAAAAA", {}); passed()
        passed()
    sys.exit("it did not crash")

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.parametrize("at", range(1, 6))
async def test_a_crash_between_two_statements_leaves_all_or_nothing(path, key, clock, at):
    def crash():
        return subprocess.run(
            [sys.executable, "-c", CRASH, str(path), key, str(at)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    died = await asyncio.to_thread(crash)
    assert died.returncode == 9, died.stderr
    async with open_store(path, Keyring([key]), clock) as store:
        whole = at == 5
        assert len(await store.read.unsettled()) == whole
        assert (await store.read.card("PAAAAAAAAAA") is not None) == whole
        assert len(await store.read.lines("PAAAAAAAAAA")) == whole
        assert len([*await store._database.reader.execute_fetchall("SELECT * FROM audit")]) == whole
        assert await first_broken(store) is None
        assert [app.name for app in await store.read.apps()] == ["myapp"]


async def test_a_full_disk_is_said_and_nothing_is_half_written(store):
    ((pages,),) = await store._database._writer.execute_fetchall("PRAGMA page_count")
    await store._database._writer.execute_fetchall(f"PRAGMA max_page_count = {pages}")

    async def fill():
        async with store.transaction() as tx:
            for number in range(2000):
                await tx.add_app(make_app(f"app-{number}"))

    with pytest.raises(Unavailable, match="its disk is full") as caught:
        await fill()
    assert caught.value.hint
    assert await store.read.apps() == []
    await store._database._writer.execute_fetchall("PRAGMA max_page_count = 1073741823")
    async with store.transaction() as tx:
        await tx.add_app(make_app())


async def test_a_read_only_database_is_said(store):
    await store._database._writer.execute_fetchall("PRAGMA query_only = ON")
    with pytest.raises(Unavailable, match="it is read-only"):
        async with store.transaction() as tx:
            await tx.add_app(make_app())


async def test_a_file_that_is_no_database_and_a_folder_that_is_not_there_are_said(tmp_path):
    (tmp_path / "text.db").write_text("hello " * 1000)
    with pytest.raises(Unavailable, match="no SQLite database"):
        async with open_database(tmp_path / "text.db", exclusive=True):
            pass
    with pytest.raises(Unavailable, match="No such file or directory"):
        async with open_database(tmp_path / "none" / "x.db", exclusive=False):
            pass


async def test_a_second_serve_is_refused_until_the_first_has_ended(path):
    async with open_database(path, exclusive=True):
        with pytest.raises(
            DatabaseLocked, match=r"another convox-bot serve uses .*convox\.db: stop it first"
        ):
            async with open_database(path, exclusive=True):
                pass
    async with open_database(path, exclusive=True):
        pass


@pytest.mark.parametrize("name", ["symbolic link", "hard link", "new name", "mount"])
async def test_the_lock_is_on_the_file_under_whatever_name(path, tmp_path, name):
    other = tmp_path / "elsewhere"
    other.mkdir()
    with ExitStack() as stack:
        async with open_database(path, exclusive=True):
            if name == "symbolic link":
                (other / "convox.db").symlink_to(path)
            elif name == "hard link":
                (other / "convox.db").hardlink_to(path)
            elif name == "new name":
                path.rename(other / "convox.db")
            else:
                stack.enter_context(mounted(path.parent, other))
            with pytest.raises(DatabaseLocked, match=r"another convox-bot serve uses .*: stop it first"):
                async with open_database(other / path.name, exclusive=True):
                    pass


@contextmanager
def mounted(folder: Path, at: Path) -> Iterator[None]:
    """Let a folder appear a second time, where this process may do so."""
    made = subprocess.run(["mount", "--bind", str(folder), str(at)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no mount here: {made.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


async def test_another_file_under_the_name_of_one_in_use_is_refused(path):
    """A backup was put in its place while the bot runs: the two would answer the same people."""
    async with open_database(path, exclusive=True):
        path.rename(path.with_name("aside.db"))
        with pytest.raises(
            DatabaseLocked, match=r"another convox-bot serve uses \S+convox\.db: stop it first"
        ):
            async with open_database(path, exclusive=True):
                pass


async def test_the_lock_ends_with_the_process_that_held_it(path):
    script = "import fcntl, os, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('held', flush=True); sys.stdin.read()"
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, f"{path}.lock", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(DatabaseLocked):
        async with open_database(path, exclusive=True):
            pass
    with suppress(ProcessLookupError):
        holder.kill()
    await holder.communicate()
    async with open_database(path, exclusive=True):
        pass


@pytest.mark.parametrize("lost", ["cut to nothing", "deleted"])
async def test_where_a_database_was_nothing_begins_anew_by_itself(path, key, clock, lost):
    """To SQLite an empty file is a database without tables: the bot began with no app, and the records seemed never to have been."""
    async with open_store(path, Keyring([key]), clock):
        pass
    if lost == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(
            DatabaseLost, match=r"is empty, but it held the records of installation [0-9a-f]{32}"
        ):
            async with open_store(path, Keyring([key]), clock):
                pass
    path.with_name(f"{path.name}.lock").unlink()
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.apps() == []


async def test_a_start_that_died_before_anything_was_stored_is_simply_tried_again(path, key, clock):
    path.write_bytes(b"")
    path.with_name(f"{path.name}.lock").write_bytes(b"")
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.apps() == []


async def test_whose_database_it_is_follows_a_backup_of_another_one(path, key, clock, tmp_path):
    other = tmp_path / "other.db"
    for each in (path, other):
        async with open_store(each, Keyring([key]), clock) as store:
            installation = await store.read.installation()
    other.replace(path)
    async with open_store(path, Keyring([key]), clock):
        pass
    assert path.with_name(f"{path.name}.lock").read_text() == f"{installation}\n"


async def test_where_that_cannot_be_noted_a_start_goes_on(path, key, clock, monkeypatch, caplog):
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: os.write(-1, b""))
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.apps() == []
    assert "a lost database would not be noticed: Bad file descriptor" in caplog.text


async def test_the_file_is_readable_by_its_owner_only(database, path):
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert {file.name for file in files} == {
        path.name,
        *(f"{path.name}{end}" for end in ("-wal", "-shm", ".lock")),
    }
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_the_free_part_of_the_disk_is_a_fraction(store, monkeypatch):
    assert 0 <= store.free_fraction() <= 1

    class Disk:
        f_bavail, f_blocks = 5, 100

    monkeypatch.setattr(os, "statvfs", lambda _: Disk)
    assert store.free_fraction() == 0.05
    Disk.f_blocks = 0
    assert store.free_fraction() == 1, "a file system without blocks cannot run out of them"


MOUNTS = r"""22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 27 0:22 / /data rw - nfs4 server:/export rw
24 27 0:23 / /data/local rw - xfs /dev/vdb rw
25 27 0:24 / /mnt/two\040words rw master:2 - cifs //host/share rw
26 27 0:25 / /over rw - nfs server:/a rw
27 27 0:26 / /over rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/x.db", "ext4"),
        ("/data/x.db", "nfs4"),
        ("/database/x.db", "ext4"),
        ("/data/local/deep/x.db", "xfs"),
        ("/mnt/two words/x.db", "cifs"),
        ("/over/x.db", "ext4"),
    ],
)
def test_the_deepest_and_last_mount_tells_the_file_system(path, kind):
    assert kind_of_mount(Path(path), MOUNTS) == kind


def test_a_database_on_a_network_share_is_refused_also_behind_a_link(tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "link").symlink_to(share)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/vda rw\n2 1 0:2 / {share} rw - nfs4 server:/export rw\n")
    for path in (share / "convox.db", tmp_path / "link" / "convox.db"):
        with pytest.raises(NetworkFileSystem, match=r"network file system \(nfs4\).*local disk"):
            resolve_local(path, mounts)
    assert resolve_local(tmp_path / "convox.db", mounts) == tmp_path / "convox.db"
    assert resolve_local(share / "convox.db", tmp_path / "no-such-system") == share / "convox.db"


async def test_a_lock_of_another_process_is_not_blamed_on_the_disk(store, path):
    await store._database._writer.execute_fetchall("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process keeps it locked") as caught:
        async with store.transaction() as tx:
            await tx.add_app(make_app())
    other.close()
    assert "disk" not in str(caught.value.hint)
    assert "which process holds the file" in str(caught.value.hint)
