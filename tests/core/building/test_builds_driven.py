"""A build from its request to its release, or to whatever else ends it; nothing of it is left behind."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.actor import Caller
from core.errors import Conflict, Invalid, NotFound, Rejected, Unauthorized, Unavailable, Unreachable
from core.failpoints import BUILD_NAMES, arm
from core.policy.authorization import parse_policy
from core.ports.builds import BuildJobSpec, BuildJobStatus, JobLogLine
from core.records.build import BuildStatus
from tests.bot.api.asking import policy_of
from tests.core.building.nursery import (
    DIGEST,
    DONE,
    FAILED,
    MANIFEST,
    RUNS,
    Builds,
    KeptSources,
    PlayedJobs,
    builds,
)
from tests.core.world import ALICE, BOB, by


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with builds(tmp_path) as made:
        yield made


async def test_one_build_makes_one_release_of_digests_and_leaves_nothing_behind(b: Builds):
    b.jobs.lines = [JobLogLine("1", "one"), JobLogLine("2", "two")]
    run = await b.made(
        description="add cart\n\nlong", git_sha="abc", images={"worker": "registry.example/w@" + DIGEST}
    )
    assert (run.status, run.cleared, b.jobs.jobs, b.sources.kept) == ("complete", True, {}, {})
    (release,) = await b.w.store.read.releases("myapp", 9)
    build = await b.w.store.read.build("myapp", run.id)
    assert (run.release, release.build, build.status) == (release.id, run.id, "complete")
    assert build.images == {
        "web": f"registry.example/myapp:web.{run.id}@{DIGEST}",
        "worker": f"registry.example/w@{DIGEST}",
        "db": "postgres:16",
    }
    assert (build.description, build.text, build.git_sha) == ("add cart", "add cart\n\nlong", "abc")
    assert build.started_at < build.ended_at
    assert await b.log(run.id) == ["one", "two"]
    (spec,) = b.jobs.started
    assert [image.services for image in spec.images] == [("web",)]


async def test_a_token_in_the_address_of_a_repository_is_stored_with_no_build_not_even_while_it_waits(
    b: Builds,
):
    queued = await b.ask(repository="https://ci:s3cret@github.com/shop/web.git")
    waiting = await b.w.store.read.build_run(queued.run.id)
    assert waiting.request.repository == "https://github.com/shop/web"
    await b.end(queued.run.id)


async def test_variables_are_secrets_of_the_build_and_in_no_line_of_its_log(b: Builds):
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "a-long-secret")])
    b.jobs.lines = [JobLogLine("1", "the key is a-long-secret")]
    run = await b.made()
    assert b.jobs.started[0].secrets == {"KEY": "a-long-secret"}
    assert await b.log(run.id) == ["the key is ****"]
    release = (await b.w.store.read.releases("myapp", 1))[0]
    assert (release.id, release.environment.pairs) == (run.release, (("KEY", "a-long-secret"),))


LINES = [JobLogLine("1", "#7 RUN make"), JobLogLine("2", "error: failed to solve: exit code: 2")]
GONE = BuildJobStatus(phase="gone")
LATE = "it took longer than 10 minutes (CONVOX_BUILD_TIMEOUT)"


@pytest.mark.parametrize(
    ("looks", "lines", "reason"),
    [
        ([RUNS, FAILED], LINES, "exit code: 2"),
        ([FAILED], [], "it ended with exit code 1"),
        ([RUNS, GONE], LINES, "its Job was deleted in the cluster"),
        (
            [replace(DONE, digests=())],
            [],
            "what was pushed is not known: the cluster tells 0 digests of 1 images",
        ),
        ([Rejected("no such namespace")], [], "no such namespace"),
        ([RUNS], [], LATE),
        ([replace(RUNS, phase="waiting", reason="no node takes it")], [], f"{LATE}; no node takes it"),
        ([Unreachable("it does not answer")], [], f"{LATE}; at the end it does not answer"),
    ],
)
async def test_a_build_that_fails_says_why_makes_no_release_and_leaves_nothing_behind(
    b: Builds, looks, lines, reason: str
):
    b.jobs.looks, b.jobs.lines = looks, lines
    run = await b.made()
    assert (run.status, str(run.reason)) == ("failed", reason)
    # Its source stays for a day, for whoever asks for it once more.
    assert (run.cleared, b.jobs.jobs, list(b.sources.kept)) == (True, {}, [run.request.source])
    assert await b.w.store.read.releases("myapp", 9) == []
    assert (await b.log(run.id))[-1] == f"ERROR: {reason}"
    assert [e.status for e in await b.w.store.read.build_entries("myapp", 9)] == ["failed"]


async def test_why_it_failed_is_found_although_it_was_written_before_a_restart(b: Builds):
    b.jobs.lines = LINES
    b.jobs.looks = [RUNS, FAILED]
    assert str((await b.made()).reason) == "exit code: 2"


async def test_a_cluster_that_is_away_for_a_while_delays_a_build_and_its_clearing_up(b: Builds):
    b.jobs.looks = [Unreachable("away"), RUNS, DONE]
    b.jobs.stays = Unreachable("away")
    assert (await b.made()).cleared


async def test_what_can_be_built_no_more_fails_by_its_own_sentence(b: Builds):
    """The variables have changed since it was asked for, and with them what the manifest says."""
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("PLACE", "web")])
    b.hold()
    queued = await b.ask(manifest=MANIFEST.replace("worker: {build: .}", "worker: {build: '${PLACE}'}"))
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("PLACE", "../..")])
    run = await b.end(queued.run.id)
    assert run.status == "failed"
    assert "must stay inside the source" in str(run.reason)


async def test_a_release_that_cannot_be_made_fails_the_build(b: Builds):
    queued = await b.ask()

    async def refuse(*_):
        raise Invalid("the manifest cannot be used any more")

    b.supervisor._driver._ports = replace(b.supervisor._ports, release=refuse)
    run = await b.end(queued.run.id)
    assert (run.status, str(run.reason)) == ("failed", "the manifest cannot be used any more")


async def test_builds_of_an_app_take_turns_and_the_queue_is_seen(b: Builds):
    b.hold()
    first = await b.ask()
    second, third = await b.ask(source=b.sources.add("S2")), await b.ask(source=b.sources.add("S3"))
    assert [each.ahead for each in (first, second, third)] == [0, 1, 2]
    assert (await b.viewer.look(by(BOB), third.run.id)).ahead == 2
    await b.end(first.run.id)
    runs = [await b.w.store.read.build_run(each.run.id) for each in (first, second, third)]
    assert [run.status for run in runs] == ["complete"] * 3
    assert runs[0].ended_at <= runs[1].started_at <= runs[1].ended_at <= runs[2].started_at
    assert (await b.viewer.look(by(BOB), first.run.id)).ahead == 0


async def test_only_the_newest_takes_those_that_wait_out_of_the_queue(b: Builds):
    b.hold()
    waits = await b.ask()
    newest = await b.ask(source=b.sources.add("S2"), only_newest=True)
    assert newest.ahead == 0
    run = await b.end(waits.run.id)
    assert (run.status, run.cleared) == ("cancelled", True)
    assert str(run.reason).startswith(f"{newest.run.id} was to be built alone, asked for by ")
    assert (await b.end(newest.run.id)).status == "complete"


async def test_a_build_is_cancelled_while_it_runs_and_while_it_waits(b: Builds):
    b.jobs.looks = [RUNS]
    running = await b.ask()
    waits = await b.ask(source=b.sources.add("S2"))
    while (await b.w.store.read.build_run(running.run.id)).job == "":
        await b.w.clock.sleep(0)
    for each in (waits, running):
        assert (await b.starter.cancel(by(BOB), each.run.id)).status == "cancelled"
        run = await b.end(each.run.id) if each is running else None
    assert run is not None
    assert (run.status, str(run.reason), b.jobs.jobs) == ("cancelled", "cancelled by @u02bob", {})
    with pytest.raises(Conflict, match="has already ended: cancelled"):
        await b.starter.cancel(by(BOB), running.run.id)


async def test_one_that_is_cancelled_as_its_job_is_made_ends_at_once_and_leaves_no_job(
    b: Builds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    start, before = b.jobs.start, b.w.clock.monotonic()

    async def cancelled(spec: BuildJobSpec) -> str:
        await b.starter.cancel(by(BOB), spec.build)
        return await start(spec)

    monkeypatch.setattr(b.jobs, "start", cancelled)
    queued = await b.ask()

    run = await b.end(queued.run.id)

    assert (run.status, run.cleared, b.jobs.jobs) == ("cancelled", True, {})
    assert b.w.clock.monotonic() == before, "nothing stood still"
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_one_that_is_cancelled_as_it_ends_makes_no_release(b: Builds):
    queued = await b.ask()
    looked = b.jobs.look

    async def look(build: str):
        if not (await b.w.store.read.build_run(build)).ended:
            await b.starter.cancel(by(BOB), build)
        return DONE

    b.jobs.look = look
    assert (await b.end(queued.run.id)).status == "cancelled"
    assert await b.w.store.read.releases("myapp", 9) == []
    b.jobs.look = looked


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"source": "SNOWHERE"}, NotFound, "no such source: SNOWHERE"),
        ({"images": {"nobody": "x:1"}}, Invalid, "no such service: 'nobody'"),
        ({"images": {"web": "x:1", "worker": "x:1"}}, Invalid, "there is nothing to build"),
        ({"manifest": "services: {web: {build: ..}}"}, Invalid, "must stay inside the source"),
        ({"manifest": "services: ["}, Invalid, "convox.yml line 1"),
    ],
)
async def test_what_cannot_be_built_is_refused_at_once(b: Builds, given, error, sentence: str):
    with pytest.raises(error, match=sentence):
        await b.ask(**given)
    assert await b.w.store.read.open_builds() == []


async def test_a_source_of_another_app_or_that_is_not_whole_is_refused(b: Builds):
    with pytest.raises(NotFound, match="no such source"):
        await b.ask(source=b.sources.add("S2", app="other"))
    with pytest.raises(Conflict, match="is not here as a whole"):
        await b.ask(source=b.sources.add("S2", complete=False))


async def test_a_rack_that_builds_nothing_says_what_is_missing_and_what_works(b: Builds):
    b.jobs.missing = "this rack builds nothing, since CONVOX_REGISTRY is not set"
    with pytest.raises(Conflict, match="CONVOX_REGISTRY is not set") as refused:
        await b.ask()
    assert "--image" in str(refused.value.hint)


async def test_a_full_disk_starts_nothing_and_a_queue_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with builds(tmp_path):
        pass
    async with builds(tmp_path, why_not_startable="the disk is full") as b:
        with pytest.raises(Unavailable, match="the disk is full"):
            await b.ask()
    monkeypatch.setattr("core.usecases.build_queue.MOST_QUEUED", 1)
    async with builds(tmp_path) as b:
        b.hold()
        await b.ask()
        with pytest.raises(Conflict, match="1 builds of myapp wait already"):
            await b.ask(source=b.sources.add("S2"))


async def test_the_source_is_opened_by_the_token_of_its_build_while_that_runs(b: Builds):
    b.jobs.looks = [RUNS]
    build = (await b.ask(source=b.sources.add("SABCDEFGHIJ"))).run.id
    while not b.jobs.started:
        await b.w.clock.sleep(0)
    token = b.jobs.started[0].token
    assert (await b.viewer.source(build, token)).name == "SABCDEFGHIJ"
    for wrong, other in ((build, "0" * 64), ("BXXXXXXXXXX", token)):
        with pytest.raises(Unauthorized):
            await b.viewer.source(wrong, other)
    await b.starter.cancel(by(ALICE), build)
    with pytest.raises(Unauthorized):
        await b.viewer.source(build, token)


async def test_who_may_not_build_asks_for_nothing_and_who_may_not_look_sees_nothing(b: Builds):
    run = await b.made()
    b.w.policy = parse_policy(policy_of("promote", who="U02BOB"))
    stranger: Caller = by(BOB)
    for asked in (
        b.ask(BOB),
        b.ask(BOB, to_promote=True),
        b.starter.cancel(stranger, run.id),
        b.viewer.look(stranger, run.id),
        b.viewer.lines(stranger, run.id, 0),
    ):
        with pytest.raises(Exception, match="^you may not (make builds of|view) myapp"):
            await asked


async def test_a_log_goes_on_after_any_line(b: Builds):
    b.jobs.lines = [JobLogLine(str(n), f"line {n}") for n in range(1, 5)]
    run = await b.made()
    found, lines = await b.viewer.lines(by(BOB), run.id, 2)
    assert (found.status, lines) == (BuildStatus.COMPLETE, [(3, "line 3"), (4, "line 4")])


def hindered(reason: str) -> BuildJobStatus:
    return BuildJobStatus(phase="waiting", job="uid", reason=reason, hindered=True)


async def test_what_keeps_a_build_from_starting_is_shown_while_it_does_and_said_once_each(b: Builds):
    seen = []
    starts = replace(RUNS, phase="waiting", reason="its pod is starting")
    quota, other = "its pod is not let in: quota, used: 7", "its pod is not let in: quota, used: 8"
    b.jobs.looks = [
        starts,
        *map(hindered, (quota, quota, other, "no node takes it: 0/3")),
        starts,
        RUNS,
        DONE,
    ]
    look = b.jobs.look

    async def looked(build: str) -> BuildJobStatus:
        seen.append((await b.w.store.read.build_run(build)).waits)
        return await look(build)

    b.jobs.look = looked
    run = await b.made()
    assert seen == ["", "", quota, quota, other, "no node takes it: 0/3", "", ""]
    assert await b.log(run.id) == [f"waiting: {quota}", "waiting: no node takes it: 0/3"]
    assert (run.status, run.waits) == ("complete", "")


async def test_a_source_that_is_fetched_for_long_is_told_with_what_may_be_wrong_and_still_waited_for(
    b: Builds,
):
    lasting = "its source is still being fetched: is the bot reached?"
    fetches = BuildJobStatus(
        phase="waiting", job="uid", reason="its source is being fetched", lasting=lasting
    )
    b.jobs.looks = [*[fetches] * 60, RUNS, *[fetches] * 62, RUNS, DONE]
    run = await b.made()
    assert (run.status, run.waits) == ("complete", "")
    assert await b.log(run.id) == [f"waiting: {lasting}"], "once, and not of the minute that was none"


async def test_one_that_is_cancelled_while_something_keeps_it_from_starting_waits_for_nothing(b: Builds):
    async def look(build: str) -> BuildJobStatus:
        await b.starter.cancel(by(BOB), build)
        return hindered("no node takes it: 0/3")

    b.jobs.look = look
    run = await b.made()
    assert (run.status, run.waits, await b.log(run.id)) == ("cancelled", "", [])


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


ENDINGS = {
    "complete": [RUNS, DONE],
    "failed": [RUNS, FAILED],
}


# The Jobs that are played have no Secret, and nothing is cloned.
PASSED = sorted({*BUILD_NAMES} - {"build.before_secret", "build.after_clone"})


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("point", PASSED)
async def test_whoever_dies_anywhere_goes_on_at_the_next_start_to_the_same_end(
    tmp_path: Path, point: str, ending: str
):
    jobs, sources = PlayedJobs(looks=list(ENDINGS[ending]), lines=list(LINES)), KeptSources()
    passed = []

    def die(name: str) -> None:
        passed.append(name)
        if name == point:
            arm(None)
            raise Killed

    arm(die)
    try:
        async with builds(tmp_path, jobs, sources) as b:
            build = (await b.ask()).run.id
            with suppress(Killed):
                await b.supervisor.idle()
    finally:
        arm(None)
    assert (point in passed) is (
        point != {"complete": "build.after_failure", "failed": "build.after_release"}[ending]
    )
    async with builds(tmp_path, jobs, sources) as b:
        await b.supervisor.run()
        run = await b.end(build)
        kept = [run.request.source] if ending == "failed" else []
        assert (run.status, run.cleared, jobs.jobs, list(sources.kept)) == (ending, True, {}, kept)
        assert len(await b.w.store.read.releases("myapp", 9)) == (ending == "complete")
        texts = [text for text in await b.log(build) if not text.startswith("ERROR")]
        assert texts == [line.text for line in LINES]
        assert {spec.build for spec in jobs.started} == {build}


async def test_jobs_that_nobody_waits_for_are_removed(b: Builds, caplog: pytest.LogCaptureFixture):
    ended = await b.made()
    b.jobs.jobs = {"BORPHANNNNN": "uid", ended.id: "uid"}
    await b.supervisor.remove_orphans()
    assert b.jobs.jobs == {}
    b.jobs.refuses = Unreachable("it is away")
    await b.supervisor.remove_orphans()
    assert "could not be removed; trying again: it is away" in caplog.text
    b.jobs.missing = "nothing is built here"
    caplog.clear()
    await b.supervisor.remove_orphans()
    assert caplog.text == ""


async def test_a_job_that_is_made_while_orphans_are_looked_for_is_none(b: Builds):
    b.jobs.looks = [RUNS]
    asked: list[str] = []

    async def left(_: str) -> list[str]:
        if not asked:
            asked.append((await b.ask()).run.id)
            while asked[0] not in b.jobs.jobs:
                await b.w.clock.sleep(0)
        return list(b.jobs.jobs)

    b.jobs.left = left
    await b.supervisor.remove_orphans()
    assert list(b.jobs.jobs) == asked
    await b.starter.cancel(by(ALICE), asked[0])
    await b.end(asked[0])


async def test_after_a_stop_nothing_begins(b: Builds):
    await b.supervisor.stop()
    assert (await b.made()).status == "created"


async def test_an_error_that_nobody_foresaw_is_tried_again(b: Builds):
    b.jobs.looks = [RuntimeError("a defect"), DONE]
    assert (await b.made()).status == "complete"


async def test_who_may_build_and_not_promote_asks_for_no_build_that_is_to_be_promoted(b: Builds):
    b.w.policy = parse_policy(policy_of("build", who="U02BOB"))
    with pytest.raises(Exception, match="^you may not promote myapp"):
        await b.ask(BOB, to_promote=True)
    assert await b.w.store.read.open_builds() == []
