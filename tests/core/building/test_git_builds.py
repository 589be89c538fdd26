"""A build of a git repository, from its request to what its clone has told."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.build_run import BuildRun
from core.building.clones import ClonedSource
from core.building.job_spec import job_spec
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from core.policy.authorization import parse_policy
from core.records.git_account import GitAccount
from tests.bot.api.asking import policy_of
from tests.core.building.nursery import DIGEST, DONE, FAILED, MANIFEST, RUNS, Builds, builds, start_git
from tests.core.world import ALICE, BOB, by

URL, SHA = "https://github.com/shop/web.git", "0123456789" * 4


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with builds(tmp_path) as made:
        made.hold()
        yield made


async def test_what_was_asked_for_waits_with_all_that_is_known_of_it(b: Builds, tmp_path: Path):
    queued = await start_git(
        b.starter, by(ALICE), "myapp", url=URL, ref="main", commit=SHA, author="Ada\nLovelace", no_cache=True
    )
    run = await b.w.store.read.build_run(queued.run.id)
    asked = run.request
    assert (asked.git_url, asked.git_ref, asked.git_sha, asked.author) == (URL, "main", SHA, "Ada Lovelace")
    assert (asked.repository, asked.source, asked.awaits_clone) == (
        "https://github.com/shop/web",
        "",
        True,
    )
    (entry,) = await b.w.store.read.build_entries("myapp", 9)
    assert (entry.description, entry.git_sha) == ("github.com/shop/web.git main", SHA)
    with closing(sqlite3.connect(tmp_path / "convox.db")) as connection:
        (row,) = connection.execute("SELECT detail FROM audit WHERE action = 'build.start'").fetchall()
    assert json.loads(row[0]) == {"app": "myapp", "git_sha": SHA, "git": URL, "ref": "main"}


async def test_a_ref_that_is_a_commit_is_cloned_as_one(b: Builds):
    queued = await start_git(b.starter, by(ALICE), "myapp", url=URL, ref=SHA.upper(), description="mine")
    assert (queued.run.request.git_ref, queued.run.request.git_sha) == ("", SHA)
    assert queued.run.request.title == "mine"


async def test_without_a_ref_it_is_called_by_its_address(b: Builds):
    queued = await start_git(b.starter, by(ALICE), "myapp", url=URL)
    assert queued.run.request.title == "github.com/shop/web.git"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"url": "https://ci:token@github.com/shop/web"}, Invalid),
        ({"ref": "--evil"}, Invalid),
        ({"commit": "abc"}, Invalid),
        ({"manifest_path": "../convox.yml"}, Invalid),
        ({"build_args": {"no name": "1"}}, Invalid),
        ({"app": "nowhere"}, NotFound),
    ],
)
async def test_what_cannot_be_cloned_is_refused_at_once(b: Builds, given, error):
    with pytest.raises(error):
        await start_git(b.starter, by(ALICE), **({"app": "myapp", "url": URL} | given))
    assert await b.w.store.read.open_builds() == []


async def test_who_may_not_promote_asks_for_no_build_that_is_promoted_next(b: Builds):
    b.w.policy = parse_policy(policy_of("build", who="U02BOB"))
    with pytest.raises(Forbidden):
        await start_git(b.starter, by(BOB), "myapp", url=URL, to_promote=True)
    await start_git(b.starter, by(BOB), "myapp", url=URL)


async def test_nothing_was_uploaded_so_no_token_opens_a_source(b: Builds):
    queued = await start_git(b.starter, by(ALICE), "myapp", url=URL)
    with pytest.raises(Unauthorized):
        await b.viewer.source(queued.run.id, "0" * 64)


CLONED = ClonedSource(
    commit=SHA,
    author="Ada Lovelace",
    committed_at="2026-01-02T03:04:05+00:00",
    subject="mend the cart",
    manifest=MANIFEST,
)


async def begun(b: Builds, **asked) -> tuple[str, str]:
    """Return a build whose pod is there, and the token of that pod."""
    looked, begins = b.jobs.look, asyncio.Event()

    async def look(job: str):
        # Until the test goes on; the clock of a test runs ahead while nobody else does anything.
        await begins.wait()
        return await looked(job)

    b.jobs.looks, b.jobs.look, b.jobs.begins = [DONE], look, begins
    queued = await start_git(b.starter, by(ALICE), "myapp", **({"url": URL, "ref": "main"} | asked))
    del b.supervisor.look
    b.supervisor.look("myapp")
    while not b.jobs.started:
        await b.w.clock.sleep(0)
    return queued.run.id, b.jobs.started[0].token


async def ended(b: Builds, build: str) -> BuildRun:
    b.jobs.begins.set()
    return await b.end(build)


async def test_what_was_cloned_becomes_the_build_and_its_release(b: Builds):
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "a-secret")])
    build, token = await begun(b)
    (spec,) = b.jobs.started
    assert spec.git is not None
    assert (spec.git.url, spec.git.ref, spec.images, spec.secrets) == (URL, "main", (), {"KEY": "a-secret"})
    told = replace(CLONED, submodules=1, pointers=1)
    script = await b.clones.receive(build, token, told)
    assert script.splitlines() == [
        f"Cloned {URL} main at 0123456789 mend the cart",
        "1 submodule is not cloned, so its folder is empty",
        "1 file is kept by Git LFS, of which nothing is fetched: a pointer stands in each place",
        "web worker",
    ]
    assert await b.clones.receive(build, token, told) == script
    waiting = await b.w.store.read.build_run(build)
    assert (waiting.request.author, waiting.request.committed_at) == ("Ada Lovelace", CLONED.committed_at)
    run = await ended(b, build)
    assert (run.status, run.cleared) == ("complete", True)
    made = await b.w.store.read.build("myapp", build)
    assert (made.description, made.git_sha) == ("build 0123456789 mend the cart", SHA)
    assert (made.repository, made.manifest) == ("https://github.com/shop/web", MANIFEST)
    assert made.images["web"] == f"registry.example/myapp:web.{build}@{DIGEST}"


async def test_a_description_that_somebody_gave_is_kept(b: Builds):
    build, token = await begun(b, description="mine")
    script = await b.clones.receive(build, token, replace(CLONED, submodules=2))
    assert "2 submodules are not cloned, so their folders are empty" in script
    assert "Git LFS" not in script
    run = await b.w.store.read.build_run(build)
    assert run.request.description == "mine"


@pytest.mark.parametrize(
    ("asked", "told", "sentence"),
    [
        ({}, {"manifest": ""}, "has no convox.yml, or nothing is in it: -m names another path"),
        ({"manifest_path": "a/b.yml"}, {"manifest": " \n"}, f"of {URL} has no a/b.yml"),
        ({}, {"manifest": "services: ["}, "convox.yml line 1"),
        (
            {},
            {"manifest": "services: {web: {command: caf\ufffd}}"},
            "convox.yml of commit 0123456789 is not UTF-8 text",
        ),
        ({}, {"manifest": "#" * 70_000 + "\ufffd"}, "65,536 are the limit"),
        ({}, {"manifest": "services: {web: {image: nginx}}"}, "there is nothing to build"),
        ({}, {"manifest": "services: {web: {build: ..}}"}, "must stay inside the source"),
        ({}, {"commit": "main"}, "the clone tells no commit"),
        ({"commit": "f" * 40}, {}, "commit ffffffffff was asked for, and 0123456789 was cloned"),
    ],
)
async def test_what_cannot_be_built_ends_the_build_with_its_sentence(b: Builds, asked, told, sentence: str):
    build, token = await begun(b, **asked)
    with pytest.raises(Invalid, match=re.escape(sentence)):
        await b.clones.receive(build, token, replace(CLONED, **told))
    run = await ended(b, build)
    assert (run.status, run.cleared, b.jobs.jobs) == ("failed", True, {})
    assert sentence in str(run.reason)
    assert (await b.log(build))[-1] == f"ERROR: {run.reason}"
    with pytest.raises(Unauthorized):
        await b.clones.receive(build, token, CLONED)


async def test_a_pod_that_clones_twice_and_finds_another_commit_builds_neither(b: Builds):
    build, token = await begun(b)
    await b.clones.receive(build, token, CLONED)
    with pytest.raises(Conflict, match="it was cloned twice"):
        await b.clones.receive(build, token, replace(CLONED, commit="f" * 40))
    assert str((await ended(b, build)).reason).startswith("it was cloned twice")


async def test_no_other_token_tells_what_was_cloned_nor_of_a_build_that_was_uploaded(b: Builds):
    build, token = await begun(b)
    for wrong, other in ((build, "0" * 64), ("BXXXXXXXXXX", token)):
        with pytest.raises(Unauthorized):
            await b.clones.receive(wrong, other, CLONED)
    await b.starter.cancel(by(ALICE), build)
    with pytest.raises(Unauthorized):
        await b.clones.receive(build, token, CLONED)
    await ended(b, build)
    b.jobs.started.clear()
    uploaded = await b.ask()
    while not b.jobs.started:
        await b.w.clock.sleep(0)
    with pytest.raises(Unauthorized):
        await b.clones.receive(uploaded.run.id, b.jobs.started[0].token, CLONED)


async def test_one_that_is_cancelled_while_it_is_told_stays_cancelled(
    b: Builds, monkeypatch: pytest.MonkeyPatch
):
    build, token = await begun(b)

    def cancelled(*_):
        raise Invalid("meanwhile")

    monkeypatch.setattr("core.building.clones.check_request", cancelled)
    check = b.clones.check

    async def cancel_next(build_id: str, given: str):
        run = await check(build_id, given)
        await b.starter.cancel(by(ALICE), build_id)
        return run

    monkeypatch.setattr(b.clones, "check", cancel_next)
    with pytest.raises(Invalid):
        await b.clones.receive(build, token, CLONED)
    assert (await ended(b, build)).status == "cancelled"


async def test_what_is_told_twice_at_once_is_stored_once(b: Builds):
    build, token = await begun(b)
    first, second = await asyncio.gather(*(b.clones.receive(build, token, CLONED) for _ in range(2)))
    assert first == second


async def test_a_driver_that_has_looked_again_since_the_clone_knows_what_is_built(b: Builds):
    """Its run is read with every look, and what its Job builds was worked out once, before the clone told that."""
    build, token = await begun(b)
    await b.clones.receive(build, token, CLONED)
    b.jobs.looks = [RUNS, RUNS, DONE]
    assert (await ended(b, build)).status == "complete"


async def test_a_second_click_on_retry_builds_nothing_twice(b: Builds):
    b.jobs.looks = [FAILED]
    first = await start_git(b.starter, by(ALICE), "myapp", url=URL, ref="main")
    assert (await b.end(first.run.id)).status == "failed"
    b.hold()
    again = await b.starter.retry(by(ALICE), first.run.id)
    with pytest.raises(Conflict, match=f"{again.run.id} builds the same already"):
        await b.starter.retry(by(BOB), first.run.id)
    assert (await b.end(again.run.id)).status == "failed"
    b.hold()
    assert (await b.starter.retry(by(BOB), first.run.id)).run.status == "created"


async def test_what_git_was_told_in_confidence_it_does_not_tell_as_the_reason(b: Builds):
    """A server may repeat the token that it refuses, in words that are git's last."""
    async with b.w.store.transaction() as tx:
        await tx.save_git_account(
            GitAccount(
                app="myapp",
                host="github.com",
                user="x",
                secret="gt-0123456789",
                created_at=tx.now,
                created_by=ALICE,
            )
        )
    b.jobs.looks = [replace(FAILED, reason="the clone was refused: remote: no such token: gt-0123456789")]
    queued = await start_git(b.starter, by(ALICE), "myapp", url=URL)
    run = await b.end(queued.run.id)
    assert "the clone was refused: remote: no such token: " in str(run.reason)
    assert "gt-0123456789" not in str(run.reason)
    assert "gt-0123456789" not in "".join(await b.log(run.id))


async def test_what_goes_on_after_a_restart_has_the_variables_that_it_began_with(b: Builds):
    """Its pod has been made with them: a name that is missing in its Secret would keep it from starting for ever."""
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "of then"), ("PLACE", "web")])
    build, token = await begun(b)
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "of now"), ("PLACE", "../..")])
    run = await b.w.store.read.build_run(build)
    spec = await job_spec(b.w.store.read, run)
    assert spec.secrets == {"KEY": "of then", "PLACE": "web"}
    manifest = MANIFEST.replace("worker: {build: .}", "worker: {build: '${PLACE}'}")
    script = await b.clones.receive(build, token, replace(CLONED, manifest=manifest))
    assert "worker" in script
    b.jobs.looks = [replace(DONE, digests=(DIGEST, DIGEST))]
    assert (await b.w.store.read.build_run(build)).base == run.base != ""
    await ended(b, build)


async def test_one_that_began_before_that_was_stored_goes_on_with_those_of_now(b: Builds):
    build, _ = await begun(b)
    run = await b.w.store.read.build_run(build)
    assert run.base == ""
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "of now")])
    assert (await job_spec(b.w.store.read, run)).secrets == {}
    assert (await job_spec(b.w.store.read, replace(run, base=None))).secrets == {"KEY": "of now"}
    await ended(b, build)


async def test_a_retry_builds_the_very_commit_although_its_branch_went_on(b: Builds):
    build, token = await begun(b)
    await b.clones.receive(build, token, CLONED)
    b.jobs.looks = [FAILED]
    assert (await ended(b, build)).status == "failed"
    b.hold()
    again = (await b.starter.retry(by(BOB), build)).run
    asked = again.request
    assert (asked.git_ref, asked.git_sha, asked.author, asked.awaits_clone) == (
        "main",
        CLONED.commit,
        "Ada Lovelace",
        False,
    )
    del b.supervisor.look
    b.jobs.looks = [DONE]
    b.jobs.begins.clear()
    b.supervisor.look("myapp")
    while len(b.jobs.started) < 2:
        await b.w.clock.sleep(0)
    spec = b.jobs.started[1]
    assert (spec.git.commit, spec.git.ref) == (CLONED.commit, "main")
    assert await b.clones.receive(again.id, spec.token, CLONED) == await b.clones.receive(
        again.id, spec.token, CLONED
    )
    run = await ended(b, again.id)
    assert (run.status, run.request.git_sha) == ("complete", CLONED.commit)
    assert (
        await b.w.store.read.build("myapp", again.id)
    ).description == f"build {CLONED.commit[:10]} mend the cart"
