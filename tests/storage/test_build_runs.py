"""Builds that the cluster makes, and their logs, on the real store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.build_run import BuildRequest, BuildRun
from core.errors import Conflict, NotFound, Taken
from core.ids import new_id
from core.records.build import BuildCounts, BuildStatus
from core.sentence import Sentence
from storage.builds import writes
from tests.storage.making import ALICE, APP, NOW, make_app, make_build, make_release

REQUEST = BuildRequest(
    manifest="services: {web: {build: .}}\n",
    manifest_path="ci/convox.yml",
    source="S1",
    build_args={"A": "x,y"},
    no_cache=True,
    images={"db": "postgres:16"},
    description="one",
    message="one\n\ntwo",
    git_sha="abc",
)
WAS = BuildStatus.CREATED


def make_run(**changes) -> BuildRun:
    values: dict[str, Any] = {
        "id": new_id("build"),
        "app": APP,
        "request": replace(REQUEST, source=new_id("source")),
        "created_at": NOW,
        "created_by": ALICE,
    }
    return BuildRun(**(values | changes))


@pytest.fixture
async def app(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        await tx.add_app(make_app("other"))


@pytest.fixture
async def run(store, app):
    run = make_run()
    async with store.transaction() as tx:
        await tx.add_build_run(run)
    return run


async def moved(store, run: BuildRun, was: BuildStatus = WAS) -> BuildRun:
    async with store.transaction() as tx:
        await tx.save_build_run(run, was=was)
    return run


async def test_a_build_reads_as_it_was_written_at_each_of_its_steps(store, run):
    assert await store.read.build_run(run.id) == run
    running = replace(run.started(NOW), job="uid-1", log_since="2026-01-01T00:00:00Z", log_seen=("a", "b"))
    assert await store.read.build_run((await moved(store, running)).id) == running
    waiting = replace(running, waits="no node takes it: 0/3")
    assert await store.read.build_run((await moved(store, waiting, BuildStatus.RUNNING)).id) == waiting
    failed = replace(running.failed(Sentence.of("no, ", ALICE), NOW), cleared=True)
    assert await store.read.build_run((await moved(store, failed, BuildStatus.RUNNING)).id) == failed
    for read in (store.read.build_run, store.read.build_run_entry):
        with pytest.raises(NotFound, match="no such build: BXXXXXXXXXX"):
            await read("BXXXXXXXXXX")


async def test_what_was_left_out_of_a_request_reads_as_it_was_written(store, app):
    run = make_run(request=BuildRequest(manifest="x", source="S1"))
    async with store.transaction() as tx:
        await tx.add_build_run(run)
    assert await store.read.build_run(run.id) == run


async def test_its_id_is_no_other_builds_whoever_made_that(store, run):
    async with store.transaction() as tx:
        release = make_release()
        await tx.add_release(release)
        await tx.add_build(made := make_build(new_id("build"), release.id))
        for taken in (run.id, made.id):
            with pytest.raises(Taken):
                await tx.add_build_run(make_run(id=taken))


async def test_a_source_makes_one_build_and_what_has_none_makes_as_many_as_are_wanted(store, run):
    for source in ("", ""):
        async with store.transaction() as tx:
            await tx.add_build_run(make_run(request=replace(REQUEST, source=source)))
    with pytest.raises(Conflict, match=f"the source {run.request.source} has its build already") as refused:
        async with store.transaction() as tx:
            await tx.add_build_run(make_run(request=run.request))
    assert "builds -a" in str(refused.value.hint)


async def test_one_build_of_an_app_runs_at_a_time_and_the_next_is_the_oldest(store, run):
    second, third, strange = make_run(), make_run(), make_run(app="other")
    async with store.transaction() as tx:
        for each in (second, third, strange):
            await tx.add_build_run(each)
    await moved(store, run.started(NOW))
    await moved(store, strange.started(NOW))
    assert [each.id for each in await store.read.queued_builds(APP)] == [second.id, third.id]
    with pytest.raises(Conflict, match="another build of myapp is running"):
        await moved(store, second.started(NOW))
    with pytest.raises(Conflict, match=f"build {run.id} is no longer created"):
        await moved(store, run.started(NOW))


async def test_lists_show_what_made_no_release_and_a_restart_finds_what_is_left_to_do(store, run):
    done, waits = make_run(), make_run()
    async with store.transaction() as tx:
        await tx.add_build_run(done)
        await tx.add_build_run(waits)
    await moved(store, done := done.started(NOW))
    await moved(store, replace(done.completed("RABCDEFGHIJ", NOW), cleared=True), BuildStatus.RUNNING)
    await moved(store, run.cancelled(Sentence.of("by me"), NOW))
    assert await store.read.build_run_entry(done.id) == (await store.read.build_run(done.id)).entry()
    entries = await store.read.build_entries(APP, 10)
    assert [(each.id, each.status) for each in entries] == [(waits.id, "created"), (run.id, "cancelled")]
    assert entries[1] == (await store.read.build_run(run.id)).entry()
    assert [each.id for each in await store.read.build_entries(APP, 1)] == [waits.id]
    assert [each.id for each in await store.read.open_builds()] == [run.id, waits.id]


async def test_a_log_is_numbered_without_a_gap_and_read_from_anywhere(store, run):
    async with store.transaction() as tx:
        await tx.add_build_lines(run.id, ["a", "b", "c"])
        await tx.add_build_lines(run.id, [])
        await tx.add_build_lines(run.id, ["d"])
    assert await store.read.build_lines(run.id) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert await store.read.build_lines(run.id, 2) == [(3, "c"), (4, "d")]
    assert await store.read.build_lines(run.id, 1, 2) == [(2, "b"), (3, "c")]
    assert await store.read.build_lines(run.id, 4) == []


async def test_of_a_log_that_is_too_long_the_last_lines_are_kept_under_their_numbers(
    store, run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writes, "MOST_LINES", 4)
    async with store.transaction() as tx:
        for first in range(1, 10, 2):
            await tx.add_build_lines(run.id, [f"line {first}", f"line {first + 1}"])
    assert [number for number, _ in await store.read.build_lines(run.id)] == [7, 8, 9, 10]


async def test_what_was_asked_for_and_the_log_are_sealed(store, run, path):
    async with store.transaction() as tx:
        await tx.add_build_lines(run.id, ["a line of a log"])
    written = b"".join(each.read_bytes() for each in path.parent.glob("convox.db*"))
    assert b"a line of a log" not in written
    assert b"ci/convox.yml" not in written


async def test_how_builds_ended_is_counted_with_how_long_they_ran(store, app, run):
    waits, stopped = make_run(), make_run()
    async with store.transaction() as tx:
        await tx.add_build_run(waits)
        await tx.add_build_run(stopped)
    assert await store.read.build_counts() == BuildCounts(waiting=3, running=0, endings={})
    await moved(store, stopped.cancelled(Sentence.of("x"), NOW))
    running = await moved(store, run.started(NOW))
    assert (await store.read.build_counts()).running == 1
    await moved(store, running.failed(Sentence.of("y"), NOW + timedelta(seconds=90)), BuildStatus.RUNNING)
    counts = await store.read.build_counts()
    assert (counts.waiting, counts.running) == (1, 0)
    # What never had its turn ran no second.
    assert counts.endings["cancelled"] == (1, 0.0)
    ended, seconds = counts.endings["failed"]
    assert (ended, round(seconds, 2)) == (1, 90.0)
