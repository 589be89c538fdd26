"""kill -9 in the middle of a backup, of an upgrade and of what ages: nothing is lost, no half file has a name, the next try ends well."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.promotion import Phase
from core.records.pod_sample import PodSample
from storage.copies import copy_database
from storage.keys import Keyring
from storage.migrate import MIGRATIONS
from storage.queries import QUERIES
from storage.store import open_store
from storage.upgrading import COPIES_KEPT
from tests.storage.before import database_of_before
from tests.storage.making import NOW, HandClock, make_line, make_promotion, seed

ROOT = Path(__file__).parents[2]
P = "PAAAAAAAAAA"


def run(work: str, path: Path, key: str, at: int, target: Path) -> int:
    words = [sys.executable, "-m", "tests.storage.killed", work, str(path), key, str(at), str(target)]
    return subprocess.run(words, cwd=ROOT, check=False, capture_output=True, timeout=120).returncode


def killed_ever_later(work: str, path: Path, key: str, target: Path):
    """Run it again and again, killed later each time, until it gets to its end; yield after each death."""
    at, deaths = 1, 0
    while (status := run(work, path, key, at, target)) == -9:
        yield at
        at, deaths = at * 3, deaths + 1
    assert status == 0
    assert deaths >= 2, "it was too short to be killed in the middle"


def whole(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [row[0] for row in connection.execute("SELECT id FROM promotions ORDER BY id")]


@pytest.fixture
def busy(path: Path, key: str) -> Path:
    """A database with something in it."""

    async def make() -> None:
        async with open_store(path, Keyring([key]), HandClock()) as store:
            await seed(store, promotion=P, phase=Phase.FAILURE, settled_at=NOW)
            async with store.transaction() as tx:
                await tx.add_lines(P, [make_line(n, "x" * 2000) for n in range(400)])
                await tx.add_lines(P, [make_line(999, kind="evidence")])
                await tx.add_samples(P, [PodSample(at=NOW, stage="forward", services={})])
                await tx.add_promotion(make_promotion("RAAAAAAAAAA", "PBBBBBBBBBB"))
                await tx.add_lines("PBBBBBBBBBB", [make_line(1)])

    asyncio.run(make())
    return path


def test_a_backup(busy: Path, key: str, tmp_path: Path):
    target = tmp_path / "backup.db"
    for _ in killed_ever_later("backup", busy, key, target):
        # Killed after its last step, before its process has ended, it has its name and is whole.
        if target.exists():
            assert whole(target) == [P, "PBBBBBBBBBB"]
            target.unlink()
        assert whole(busy) == [P, "PBBBBBBBBBB"]
    assert whole(target) == [P, "PBBBBBBBBBB"]
    assert not list(tmp_path.glob("*.part"))


def test_an_upgrade_with_its_copy_and_what_is_written_anew(path: Path, key: str, tmp_path: Path):
    async def make() -> None:
        async with database_of_before(path, key) as before:
            await before.promotion(P, "Reverted")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA auto_vacuum = NONE")
            connection.execute("VACUUM")

    asyncio.run(make())
    copy = path.with_name(f"{path.name}.schema-1")
    for _ in killed_ever_later("start", path, key, tmp_path):
        assert whole(path) == [P]
        assert not copy.exists() or whole(copy) == [P]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    # An upgrade that was killed between two files has a copy of what was before each.
    copies = [each for each in path.parent.iterdir() if ".schema-" in each.name]
    assert len(copies) <= COPIES_KEPT
    assert all(whole(each) == [P] for each in copies)


def test_what_ages(busy: Path, key: str, tmp_path: Path):
    for _ in killed_ever_later("age", busy, key, tmp_path):
        assert whole(busy) == [P, "PBBBBBBBBBB"]
    with closing(sqlite3.connect(busy)) as connection:
        assert connection.execute("SELECT subject FROM lines").fetchall() == [("PBBBBBBBBBB",)]
        rows = connection.execute(f"{QUERIES['retention_marks'].rstrip(';')} ORDER BY records").fetchall()
    assert rows == [("evidence", 1), ("lines", 401)], "each row was counted once"
    copy_database(busy, tmp_path / "backup.db")
