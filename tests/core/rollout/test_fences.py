"""Databases that are behind: a copy or a backup meets, in the cluster, what has been done without it (engine rule 59)."""

import sqlite3
from pathlib import Path

import pytest

from core.errors import Rejected
from core.promotion import Phase
from tests.core.rollout.test_take_over import with_services
from tests.core.world import World, world


def backup(w: World, folder: Path) -> Path:
    """Copy the database as it is now, as docs/operations.md does, into a folder of its own."""
    folder.mkdir()
    with sqlite3.connect(w.store._database.path) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / "convox.db"),))
    connection.close()
    return folder


@pytest.mark.parametrize("missed", [1, 2])
async def test_a_database_that_is_behind_writes_nothing(w: World, tmp_path: Path, missed: int):
    """One promotion behind, the next one has the very number that the anchor has."""
    await w.good()
    behind = backup(w, tmp_path / "behind")
    for _ in range(missed):
        await w.good()
    written = dict(w.cluster.live)

    async with world(behind, at=w.cluster) as restored:
        restored.cluster.requests.clear()
        ended = [await restored.promote((await restored.build()).release.id) for _ in range(3)]

    assert {p.phase for p in ended} == {Phase.REFUSED}
    same, newer = (
        "the same number (2) by another promotion",
        "a newer number (3) than this database knows (2)",
    )
    assert all((same if missed == 1 else newer) in str(p.reason) for p in ended), ended[0].reason
    assert {p.token for p in ended} == {2}, "a refusal gives its number back"
    assert w.cluster.live == written
    assert not [r for r in w.cluster.requests if r.startswith(("apply", "claim"))]


async def test_a_job_of_a_database_that_is_behind_removes_nothing(w: World, tmp_path: Path):
    """The backup still knows of a removal; what it was about has been made again since."""
    await w.good(text=with_services("worker"))

    def refuse(request: str) -> None:
        if request.startswith("remove Deployment/worker"):
            raise Rejected("not now")

    w.cluster.refuse = refuse
    await w.good()
    behind = backup(w, tmp_path / "behind")
    await w.good(text=with_services("worker"))
    w.cluster.refuse = lambda _: None
    w.cluster.requests.clear()

    async with world(behind, at=w.cluster) as restored:
        assert await restored.store.read.prune_jobs("myapp"), "otherwise this proves nothing"
        await restored.supervisor.resume()
        await restored.idle()

    assert not [r for r in w.cluster.requests if r.startswith("remove")]
    assert [ref for ref in w.cluster.live if ref.name == "worker"]
