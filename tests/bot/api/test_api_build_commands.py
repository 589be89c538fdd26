"""Builds that the cluster makes, in lists, facts and logs."""

from dataclasses import replace

import pytest

from bot.views.builds import build_list, build_run_info, nothing_built
from core.ports.builds import JobLogLine
from core.sentence import Sentence
from tests.core.building.nursery import FAILED, RUNS
from tests.core.test_build_run import RUN
from tests.core.world import ALICE, BOB, by
from tests.fakes import START

RUNNING = RUN.started(START)
STOPPED = RUNNING.cancelled(Sentence.of("cancelled by ", BOB), START)


def test_what_has_made_no_release_is_listed_without_one():
    rows = str(build_list([RUNNING.entry(), STOPPED.entry()], START)).split("\n")
    assert [row.split()[:2] for row in rows[1:]] == [[RUN.id, "running"], [RUN.id, "cancelled"]]


def test_the_facts_say_why():
    said = build_run_info(STOPPED, START)
    assert str(said).endswith("\n\ncancelled: cancelled by @u02bob")
    assert "Status       cancelled" in str(said)
    assert "\n\n" not in str(build_run_info(RUNNING, START))
    waits = replace(RUNNING, waits="no node takes it: 0/3")
    assert str(build_run_info(waits, START)).endswith("\n\nwaiting: no node takes it: 0/3")


def test_without_a_line_it_is_said_why():
    assert nothing_built(RUN) == "it waits for its turn"
    assert nothing_built(STOPPED) == "nothing is written yet, or was"


@pytest.mark.parametrize("words", ["builds", "builds info {}", "builds logs {}"])
async def test_a_failed_build_is_seen_with_its_cause_by_each_command(api, words):
    api.builds.jobs.looks, api.builds.jobs.lines = [FAILED], [JobLogLine("1", "#7 RUN make")]
    run = await api.builds.made()
    text = (await (await api.command(f"{words.format(run.id)} -a myapp")).json())["text"]
    expected = {
        "builds": "failed",
        "builds info {}": "failed: it ended with exit code 1",
        "builds logs {}": "#7 RUN make\nERROR: it ended with exit code 1",
    }
    assert expected[words] in text


async def test_a_build_is_retried_by_a_typed_command_and_says_how_many_come_before(api):
    api.builds.jobs.looks = [FAILED]
    run = await api.builds.made()
    api.builds.jobs.looks = [RUNS]
    other = (await api.builds.ask(source=api.builds.sources.add("S2"))).run
    said = (await (await api.command(f"builds retry {run.id.lower()} -a myapp")).json())["text"]
    (again,) = [each for each in await api.store.read.open_builds() if each.id != other.id]
    assert said == f"Retrying build {run.id}... OK, {again.id}, 1 ahead of it"
    refused = await api.command(f"builds retry {again.id} -a myapp")
    assert refused.status == 409
    assert (await refused.json())["hint"].endswith("stops it")


async def test_a_build_is_cancelled_by_a_typed_command_once(api):
    api.builds.jobs.looks = [RUNS]
    run = (await api.builds.ask()).run
    words = f"builds cancel {run.id.lower()} -a myapp"
    assert (await (await api.command(words)).json())["text"] == f"Cancelling build {run.id}... OK"
    ended = await api.builds.end(run.id)
    assert (ended.status, ended.cleared, str(ended.reason)) == ("cancelled", True, "cancelled by token:ci")
    again = await api.command(words)
    assert again.status == 409
    assert (await again.json())["error"] == f"build {run.id} has already ended: cancelled"


async def test_what_the_cluster_does_not_build_for_this_app_is_not_cancelled(api):
    api.builds.jobs.looks = [RUNS]
    run = (await api.builds.ask()).run
    await api.world.registrar.create_app(by(ALICE), "other")
    elsewhere = (await api.world.build()).release.build
    for app, build, status, said in (
        ("other", run.id, 404, f"no such build: {run.id}"),
        ("nosuch", run.id, 404, "app not found: nosuch"),
        ("myapp", "BXXXXXXXXXX", 404, "no such build: BXXXXXXXXXX"),
        ("myapp", elsewhere, 409, f"build {elsewhere} was made elsewhere, and has ended"),
    ):
        answer = await api.command(f"builds cancel {build} -a {app}")
        assert (answer.status, (await answer.json())["error"]) == (status, said)
    assert not (await api.store.read.build_run(run.id)).ended


GIT = "https://git.example/shop/web"


@pytest.mark.parametrize("words", ["build", "deploy"])
async def test_a_repository_is_built_by_a_typed_command(api, words):
    api.builds.hold()
    first = (await api.command(f"{words} --git {GIT} --ref main -m a/b.yml --no-cache -a myapp")).json()
    (run,) = await api.store.read.open_builds()
    then = "Its release is promoted once it is built\n" if words == "deploy" else ""
    assert (await first)["text"] == (
        f"Starting build... OK\nBuild: {run.id}\n{then}Its log: `convox-bot do builds logs {run.id} -a myapp`"
    )
    asked = run.request
    assert (asked.git_url, asked.git_ref, asked.manifest_path, asked.no_cache) == (
        GIT,
        "main",
        "a/b.yml",
        True,
    )
    assert (asked.promote, asked.promote_after) == (
        (True, "automatic") if words == "deploy" else (False, "never")
    )
    second = (await api.command(f"build --git {GIT} --build-args A=1 --build-args B=2 -a myapp")).json()
    assert "\n1 of myapp's builds come before it\n" in (await second)["text"]
    assert (await api.store.read.open_builds())[1].request.build_args == {"A": "1", "B": "2"}


async def test_tokens_for_cloning_are_kept_listed_and_forgotten_and_never_shown(api):
    asked = await api.command("git add git.example -a myapp")
    assert (await asked.json())["form"]["fields"][0]["kind"] == "secret"
    kept = await api.post(
        "/commands", json={"text": "git add git.example -a myapp", "input": {"value": "s3cret"}}
    )
    assert (await kept.json())["text"] == "Keeping the token for git.example... OK"
    listed = (await (await api.command("git -a myapp")).json())["text"]
    assert listed.split("\n")[1].split()[:2] == ["git.example", "x-access-token"]
    assert "s3cret" not in listed
    gone = await api.command("git remove git.example -a myapp")
    assert (await gone.json())["text"] == "Forgetting the token for git.example... OK"
