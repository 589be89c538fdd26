"""The example with Litestream: a replica that is written while the bot writes is whole after both have died."""

import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from bot.clock import SystemClock
from core.actor import BOT
from storage.database import open_read_only
from storage.keys import Keyring
from storage.session import Session
from storage.store import SqliteStore, open_store
from tests.chain import first_broken
from tests.storage.making import seed
from tests.tools import programs

FOLDER = Path(__file__).parents[1] / "examples" / "litestream"
ROWS, WIDE = 30, 160_000
SECONDS = 60.0


@pytest.fixture
def litestream() -> Path:
    return programs.needed("litestream")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    more = {"LITESTREAM_FOLDER": str(tmp_path / "replica"), "CONVOX_DATABASE": str(tmp_path / "convox.db")}
    bucket = dict.fromkeys(("BUCKET", "REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), "x")
    return {**os.environ, **more, **{f"LITESTREAM_{name}": value for name, value in bucket.items()}}


async def write(store: SqliteStore, first: int) -> None:
    """Write more than the log is let grow to between two checkpoints of SQLite's own."""
    for number in range(first, first + ROWS):
        async with store.transaction() as tx:
            await tx.audit(BOT, "tick", str(number), {"wide": "x" * WIDE})


def restored(litestream: Path, environ: dict[str, str], target: Path) -> int:
    """Restore the replica, and return how many rows its audit has."""
    target.unlink(missing_ok=True)
    config, database = str(FOLDER / "file.yml"), environ["CONVOX_DATABASE"]
    words = [str(litestream), "restore", "-config", config, "-o", str(target), database]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        return 0  # nothing has arrived there yet
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found: int = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    return found


@contextmanager
def replicating(litestream: Path, environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have it run until the block is left."""
    with log.open("w") as out:
        words = [str(litestream), "replicate", "-config", str(FOLDER / "file.yml")]
        started = subprocess.Popen(words, env=environ, stdout=out, stderr=out)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


async def test_what_was_written_is_in_the_replica_when_both_have_died(
    litestream: Path, environ: dict[str, str], tmp_path: Path
):
    key, path, copy = Keyring.generate(), tmp_path / "convox.db", tmp_path / "there" / "convox.db"
    copy.parent.mkdir()
    log = tmp_path / "litestream.log"
    with replicating(litestream, environ, log) as replica:
        async with open_store(path, Keyring([key]), SystemClock()) as store:
            await seed(store)
            await write(store, 0)
            # The file shrinks beneath it, as records age.
            async with store._database.transaction() as connection:
                await connection.execute("CREATE TABLE filler AS SELECT zeroblob(12000000) AS x")
            async with store._database.transaction() as connection:
                await connection.execute("DROP TABLE filler")
            while await store.retention.give_back():
                pass
            await write(store, ROWS)
            until = time.monotonic() + SECONDS
            while restored(litestream, environ, copy) < 2 * ROWS:
                assert replica.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
            replica.kill()
    path.unlink()
    assert restored(litestream, environ, copy) == 2 * ROWS

    async with open_read_only(copy) as connection:
        assert [row["name"] for row in await Session(connection).all("apps")] == ["myapp"]
    async with open_store(copy, Keyring([key]), SystemClock()) as there:
        assert await first_broken(there) is None
        await write(there, 2 * ROWS)


@pytest.mark.parametrize("name", ["litestream.yml", "file.yml"])
def test_litestream_takes_each_configuration(litestream: Path, environ: dict[str, str], name: str):
    done = subprocess.run(
        [litestream, "databases", "-config", FOLDER / name],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert environ["CONVOX_DATABASE"] in done.stdout


def test_the_sidecar_is_of_the_version_that_is_tried_and_fits_into_the_pod():
    (patch,) = yaml.safe_load_all((FOLDER / "sidecar.yaml").read_text())
    whole = list(yaml.safe_load_all((FOLDER.parents[1] / "deploy/bot.yaml").read_text()))
    (bot,) = [each for each in whole if each["kind"] == "Deployment"]
    (sidecar,) = patch["spec"]["template"]["spec"]["containers"]
    (main,) = bot["spec"]["template"]["spec"]["containers"]
    assert patch["metadata"] == {key: bot["metadata"][key] for key in ("name", "namespace")}

    def data(container):
        return [each for each in container["volumeMounts"] if each["name"] == "data"]

    def variables(container):
        return {each["name"]: each["value"] for each in container["env"]}

    assert data(sidecar) == data(main)
    assert variables(sidecar)["CONVOX_DATABASE"] == variables(main)["CONVOX_DATABASE"]
    assert sidecar["securityContext"] == main["securityContext"]
    modules = (programs.PROGRAMS["litestream"].module / "go.mod").read_text()
    (tried,) = re.findall(r"benbjohnson/litestream v(\S+)", modules)
    assert sidecar["image"] == f"litestream/litestream:{tried}"
    asked = set(re.findall(r"\$\{(\w+)\}", (FOLDER / "litestream.yml").read_text()))
    assert asked - {"CONVOX_DATABASE"} <= set(
        re.findall(r"LITESTREAM_\w+", (FOLDER / "sidecar.yaml").read_text())
    )
