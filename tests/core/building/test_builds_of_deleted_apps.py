"""Builds of an app end with it: nothing of them becomes a release of another app that takes its name."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.chain import audit_rows
from tests.core.building.nursery import DONE, RUNS, Builds, PlayedJobs, builds
from tests.core.world import ALICE, by


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with builds(tmp_path, PlayedJobs()) as made:
        yield made


async def test_builds_that_wait_are_cancelled_with_their_app(b: Builds):
    b.hold()
    first, second = (await b.ask()).run, (await b.ask()).run
    await b.w.decider.delete_app(by(ALICE), "myapp")
    await b.w.registrar.create_app(by(ALICE), "myapp")
    for each in (first, second):
        run = await b.end(each.id)
        assert (run.status, run.cleared) == ("cancelled", True)
        assert "myapp was deleted by" in str(run.reason)
    assert await b.w.store.read.releases("myapp", 9) == []
    assert (b.jobs.started, b.sources.kept) == ([], {})


async def test_one_that_runs_is_stopped_and_makes_no_release(b: Builds):
    b.jobs.looks = [RUNS]
    run = (await b.ask()).run
    while not b.jobs.started:
        await b.w.clock.sleep(0)
    await b.w.decider.delete_app(by(ALICE), "myapp")
    b.jobs.looks = [DONE]
    ended = await b.end(run.id)
    assert (ended.status, ended.cleared, b.jobs.jobs) == ("cancelled", True, {})
    assert await b.w.store.read.releases("myapp", 9) == []
    (row,) = [row for row in await audit_rows(b.w.store) if row["action"] == "build.cancel"]
    assert row["subject"] == run.id


async def test_builds_of_other_apps_go_on(b: Builds):
    await b.w.registrar.create_app(by(ALICE), "other")
    b.hold()
    run = (await b.ask(app="myapp")).run
    await b.w.decider.delete_app(by(ALICE), "other")
    assert (await b.end(run.id)).status == "complete"
