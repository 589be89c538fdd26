"""Builds that the cluster makes, over HTTP: asked for, looked at, their log, their source, their end."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from core.policy.authorization import parse_policy
from core.ports.builds import BuildJobStatus, JobLogLine
from core.records.build import BuildStatus
from storage.builds import reads, writes
from tests.bot.api.asking import basic, policy_of
from tests.bot.api.serving import all_told
from tests.core.building.nursery import DONE, FAILED, MANIFEST, RUNS, start_git
from tests.core.world import ALICE, by

PATH = "/apps/myapp/builds"


async def asked(api, **more):
    body = {"manifest": MANIFEST, "source": api.builds.sources.add(), "description": "one", **more}
    return await api.post(PATH, json=body)


async def test_a_build_is_asked_for_and_its_log_ends_with_it(api):
    api.builds.jobs.lines = [JobLogLine("1", "one"), JobLogLine("2", "two")]
    answer = await asked(api, **{"build-args": {"A": "x,y"}, "no-cache": True, "git-sha": "abc"})
    assert answer.status == 202
    build = (await answer.json())["id"]

    log = await api.get(f"/builds/{build}/log")
    assert (log.status, log.content_type, await log.text()) == (200, "text/plain", "one\ntwo\n")
    assert await (await api.get(f"/builds/{build.lower()}/log?after=1")).text() == "two\n"

    told = await (await api.get(f"/builds/{build}")).json()
    (release,) = await api.store.read.releases("myapp", 9)
    assert {"started", "ended"} <= told.keys()
    assert {key: told[key] for key in ("id", "app", "status", "release", "description")} == {
        "id": build,
        "app": "myapp",
        "status": "complete",
        "release": release.id,
        "description": "one",
    }
    (spec,) = api.builds.jobs.started
    assert (spec.no_cache, spec.images[0].args) == (True, (("A", "x,y"),))


async def numbered(api, build, after=0):
    answer = await api.get(f"/builds/{build}/log?format=json&after={after}")
    assert answer.content_type == "application/x-ndjson"
    rows = [json.loads(row) for row in (await answer.text()).splitlines()]
    return [(row["number"], row["text"]) for row in rows]


async def test_the_lines_of_a_long_log_keep_their_numbers_when_the_oldest_are_dropped(api, monkeypatch):
    monkeypatch.setattr(writes, "MOST_LINES", 3)
    build = (await (await asked(api)).json())["id"]
    await api.builds.end(build)
    async with api.store.transaction() as tx:
        for number in range(1, 7):
            await tx.add_build_lines(build, [f'"{number}"'])

    assert await numbered(api, build) == [(4, '"4"'), (5, '"5"'), (6, '"6"')]
    assert await numbered(api, build, after=4) == [(5, '"5"'), (6, '"6"')]
    assert await numbered(api, build, after=6) == []


async def test_who_reads_along_has_nothing_opened_but_new_lines(api, monkeypatch):
    build = (await (await asked(api)).json())["id"]
    await api.builds.end(build)

    def opened(*_):
        raise AssertionError("the request of a build was opened for a reader of its log")

    monkeypatch.setattr(reads, "build_run_of", opened)
    assert await numbered(api, build) == []


async def test_a_build_that_fails_says_why_at_its_end(api):
    api.builds.jobs.looks = [FAILED]
    build = (await (await asked(api)).json())["id"]
    log = await (await api.get(f"/builds/{build}/log")).text()
    told = await (await api.get(f"/builds/{build}")).json()
    assert (told["status"], told["release"], told["reason"]) == ("failed", "", "it ended with exit code 1")
    assert log == "ERROR: it ended with exit code 1\n"


async def test_a_build_is_cancelled_and_how_many_come_before_is_said(api):
    api.builds.jobs.looks = [RUNS]
    first = (await (await asked(api)).json())["id"]
    second = await (await asked(api, source=api.builds.sources.add("S2"))).json()
    assert second["ahead"] == 1
    assert (await (await api.get(f"/builds/{second['id']}")).json())["ahead"] == 1
    for build in (second["id"], first):
        told = await api.post(f"/builds/{build}/cancel")
        assert (await told.json())["status"] == "cancelled"
    assert (await api.post(f"/builds/{first}/cancel")).status == 409
    assert await (await api.get(f"/builds/{first}/log")).text() == ""


async def test_a_build_that_failed_is_asked_for_once_more(api):
    api.builds.jobs.looks = [FAILED]
    failed = (await (await asked(api)).json())["id"]
    await api.builds.end(failed)
    api.builds.jobs.looks = [DONE]
    again = await api.post(f"/builds/{failed}/retry")
    told = await again.json()
    assert (again.status, told["ahead"], told["id"] != failed) == (202, 0, True)
    assert (await api.builds.end(told["id"])).status == "complete"
    gone = await api.post(f"/builds/{told['id']}/retry")
    assert gone.status == 409
    assert (await gone.json())["error"].startswith(f"the source of {told['id']} is gone: ")


async def test_what_keeps_a_build_from_starting_is_told_while_it_waits(api):
    why = "no node takes it: 0/3 nodes are available"
    api.builds.jobs.looks = [BuildJobStatus(phase="waiting", job="uid", reason=why, hindered=True)]
    build = (await (await asked(api)).json())["id"]
    while (told := await (await api.get(f"/builds/{build}")).json()).get("waits") != why:
        await api.world.clock.sleep(0)
    assert told["status"] == "running"
    await api.post(f"/builds/{build}/cancel")
    assert await (await api.get(f"/builds/{build}/log")).text() == f"waiting: {why}\n"


async def test_the_source_is_handed_to_the_pod_of_its_build_alone(api, tmp_path, monkeypatch):
    api.builds.jobs.looks = [RUNS]
    build = (await (await asked(api)).json())["id"]
    while not api.builds.jobs.started:
        await api.world.clock.sleep(0)
    (tmp_path / "archive").write_bytes(b"packed")

    async def opened(_):
        return tmp_path / "archive"

    monkeypatch.setattr(api.builds.sources, "open", opened)
    token = api.builds.jobs.started[0].token
    path = f"/builds/{build}/source"
    good = await api.client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (good.status, await good.read()) == (200, b"packed")
    for header in ({}, {"Authorization": f"Bearer {'0' * 64}"}, {"Authorization": "Bearer x"}):
        assert (await api.client.get(path, headers=header)).status == 401
    # Neither does a token of the API open it, nor the token of a build anything else.
    assert (await api.get(path)).status == 401
    assert (
        await api.client.get(f"/builds/{build}", headers={"Authorization": f"Bearer {token}"})
    ).status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/builds/BXXXXXXXXXX", 404),
        ("/builds/nonsense", 404),
        ("/builds/BXXXXXXXXXX/log", 404),
        ("/builds/BXXXXXXXXXX/log?after=x", 422),
        ("/builds/BXXXXXXXXXX/log?format=xml", 422),
    ],
)
async def test_what_is_not_there_is_told(api, path, status):
    assert (await api.get(path)).status == status


async def test_without_a_source_nothing_is_said_of_how_to_build(api):
    answer = await api.post(PATH, json={"manifest": MANIFEST, "no-cache": True, "build-args": {"A": "1"}})
    assert answer.status == 422
    assert (await answer.json())["error"] == "build-args, no-cache: without a source nothing is built"


async def test_who_may_not_look_any_more_hears_no_more(api):
    api.builds.jobs.looks = [RUNS]
    build = (await (await asked(api)).json())["id"]
    log = await api.get(f"/builds/{build}/log")
    api.world.policy = parse_policy(policy_of("promote"))
    with pytest.raises(Exception, match=r"(?i)payload|closed|disconnect"):
        await log.read()
    assert (await api.get(f"/builds/{build}")).status == 403


async def test_the_pod_of_a_build_tells_what_it_has_cloned_and_is_told_what_to_build(api):
    api.builds.jobs.looks = [RUNS]
    queued = await start_git(api.builds.starter, by(ALICE), "myapp", url="https://git.example/shop/web")
    while not api.builds.jobs.started:
        await api.world.clock.sleep(0)
    path, token = f"/builds/{queued.run.id}/clone", api.builds.jobs.started[0].token
    head = f"{'a' * 40}\nAda\n2026-01-02T03:04:05Z\nmend it\n"
    told = {"data": f"{head}0\n{MANIFEST}".encode()}
    for wrong in ({}, {"Authorization": "Bearer " + "0" * 64}, basic(api.token)):
        assert (await api.client.post(path, headers=wrong, **told)).status == 401
    shown = {"Authorization": f"Bearer {token}"}
    for body in (b"", head.encode(), head.encode() + b"none\nservices: {}"):
        assert (await api.client.post(path, headers=shown, data=body)).status == 400
    for _ in range(2):
        answer = await api.client.post(path, headers=shown, **told)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert (await answer.text()).endswith("at aaaaaaaaaa mend it\nweb worker")
    assert (await (await api.get(f"/builds/{queued.run.id}")).json())["description"] == (
        "build aaaaaaaaaa mend it"
    )
    api.builds.jobs.looks = [FAILED]
    await api.builds.end(queued.run.id)


async def test_a_repository_is_built_over_http(api):
    api.builds.hold()
    body = {"git": "https://git.example/shop/web", "ref": "v1", "build-args": {"A": "1"}, "promote": True}
    answer = await api.post(PATH, json=body)
    assert answer.status == 202
    run = await api.store.read.build_run((await answer.json())["id"])
    assert (run.request.git_ref, run.request.build_args, run.request.promote) == ("v1", {"A": "1"}, True)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"git": "https://git.example/a/b", "manifest": MANIFEST}, "manifest: of git its clone tells that"),
        ({"git": "https://git.example/a/b", "source": "S1", "git-sha": "abc"}, "source, git-sha: of git"),
        ({"manifest": MANIFEST, "ref": "main"}, "ref: without git nothing is cloned"),
        ({"git": "https://me:pw@git.example/a/b"}, "must not hold a user or a password"),
    ],
)
async def test_what_makes_no_sense_of_a_repository_is_refused_over_http(api, body, sentence: str):
    answer = await api.post(PATH, json=body)
    assert answer.status == 422
    assert sentence in (await answer.json())["error"]


async def test_whoever_looks_on_is_told_what_a_build_waits_for(api):
    api.builds.hold()
    first = (await (await asked(api)).json())["id"]
    build = (await (await asked(api)).json())["id"]
    rows = []
    async with api.get(f"/builds/{build}/log?format=live") as answer:
        rows.append(json.loads(await answer.content.readline()))
        api.builds.jobs.lines = [JobLogLine("1", "one")]
        await api.builds.end(first)
        rows += [json.loads(row) async for row in answer.content]

    assert rows[0]["awaited"] == f"{build} is queued: 1 of myapp before it"
    assert rows[0]["seconds"] >= 0
    assert [row for row in rows if "text" in row] == [{"number": 1, "text": "one"}]


async def test_what_has_ended_meanwhile_awaits_nothing(api, monkeypatch):
    build = (await (await asked(api)).json())["id"]
    run = await api.builds.end(build)
    entries = iter([BuildStatus.RUNNING] * 2)
    real = type(api.store.read).build_run_entry

    async def a_moment_ago(read, build_id):
        entry = await real(read, build_id)
        return replace(entry, status=next(entries, entry.status))

    monkeypatch.setattr(type(api.store.read), "build_run_entry", a_moment_ago)
    assert await (await api.get(f"/builds/{run.id}/log?format=live")).text() == ""


async def test_a_log_that_is_not_kept_is_said_to_be_gone(api):
    api.builds.jobs.looks = [FAILED]
    failed = (await (await asked(api)).json())["id"]
    await api.builds.end(failed)
    assert await (await api.get(f"/builds/{failed}/log")).text()
    await all_told(api.store, failed)
    while await api.store.retention.age("build_logs", api.world.clock.now() + timedelta(days=1)):
        pass
    said = "its lines are not kept any more: those of builds that ended more than 180 days ago are deleted (`retention` in the policy)\n"
    assert await (await api.get(f"/builds/{failed}/log")).text() == said
    assert await (await api.get(f"/builds/{failed}/log?after=1")).text() == ""
    seen = await api.world.viewer.build_run_log(by(ALICE), "myapp", failed)
    assert seen[1] == [said.strip()]
