"""Every table of the bench runs to its end, with sizes so small that its figures mean nothing."""

import os

import pytest

from tests.bench import (
    table_failures,
    table_fleet,
    table_history,
    table_retention,
    table_rollouts,
    table_start,
    table_uploads,
    table_work,
)
from tests.bench.__main__ import PAGE, TABLES
from tests.bench.tables import kept
from tests.controlplane import assets
from tests.controlplane.fixtures import LEFT_OUT, refusal

# Rollouts that are over in seconds.
QUICK = """\
apps:
  - match: ["*"]
    deadline: 60s
    longest: 120s
    min_ready: 1s
    settle: 1s
"""


@pytest.fixture
def obtained() -> None:
    """Skip, or fail in CI, where `make cluster` has not run."""
    if refused := refusal(assets.find() is not None, os.environ):
        raise refused(LEFT_OUT)


async def test_a_start_is_measured():
    table = await table_start.measure(times=1, idle_seconds=0.2)
    assert len(table.rows) == 1
    assert all(goal.found > 0 for goal in table.goals)


async def test_rollouts_at_once_are_measured():
    table = await table_fleet.measure(sizes=(1, 2), pods=1, policy=QUICK)
    assert [row[0] for row in table.rows] == ["1 × 1", "2 × 1"]
    assert [row[2] for row in table.rows] == ["1 of 1", "2 of 2"]
    assert all(goal.found is not None for goal in table.goals)


async def test_what_a_rollout_asks_is_counted():
    trials = [
        table_work.Trial(what="good", size=1, tag="v1", ending="OK"),
        table_work.Trial(what="bad", size=1, tag="notfound", ending="ERROR: rolled back"),
    ]
    table = await table_work.measure(trials=trials, pods=1, policy=QUICK)
    good, bad = ([float(cell) for cell in row[1:]] for row in table.rows)
    assert all(number > 0 for number in good)
    # A way back is a second rollout.
    assert bad[0] > good[0]


async def test_questions_to_a_history_are_measured(tmp_path):
    table = await table_history.measure(sizes=(3, 5), samples=2, folder=tmp_path)
    assert [row[0] for row in table.rows] == ["3", "5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.db", "5.db", "key"]
    assert all(goal.found > 0 for goal in table.goals)


async def test_an_upload_is_measured():
    table = await table_uploads.measure(trials=[(2, 1_000_000)], idle_seconds=0.2)
    assert [row[0] for row in table.rows] == ["none", "2 × 1 MB"]
    assert all(goal.found is not None for goal in table.goals)


async def test_what_ages_is_measured(tmp_path):
    table = await table_retention.measure(sizes=(3,), folder=tmp_path)
    assert table.rows[0][:2] == ["3", "6"]
    assert all(goal.found > 0 for goal in table.goals)


@pytest.mark.controlplane
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("obtained")
async def test_a_promote_is_measured_beside_kubectl():
    table = await table_rollouts.measure(counts=(1,), times=1, policy=QUICK)
    assert [row[0] for row in table.rows] == ["1"]
    assert all(goal.found > 0 for goal in table.goals)


@pytest.mark.controlplane
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("obtained")
async def test_a_failure_is_measured_beside_kubectl():
    table = await table_failures.measure(pods=1, patience=3, policy=QUICK)
    assert [row[0] for row in table.rows] == ["convox-bot", "kubectl"]


def test_the_page_has_a_place_for_every_table():
    kept(PAGE.read_text(), dict.fromkeys(TABLES, "measured"))
