"""Looking at what runs and acting on it, on both clusters."""

from tests.scenarios.arrangement import APP, BOB, CHANNEL, WEB, WORKER
from tests.scenarios.harness import Stage

AGENT = """
  agent:
    build: .
    agent: true
    scale: {cpu: 10, memory: 16}
    termination: {grace: 5}
"""


def rows(answer: str) -> list[list[str]]:
    """Return the cells of a table, row by row, without the fences around it."""
    return [row.split() for row in answer.strip("`\n").splitlines()]


async def test_services_and_processes_are_those_of_the_release_that_runs(stage: Stage):
    assert "nothing of myapp runs now" in await stage.command("ps")
    release = await stage.running(manifest=WEB + WORKER, web="v1", worker="v1")
    header, *services = rows(await stage.command("services"))
    assert header == ["SERVICE", "DOMAIN", "PORTS", "SCALE"]
    assert services == [["web", "3000", "2"], ["worker", "1"]]

    header, *processes = rows(await stage.command("ps"))
    assert header == ["ID", "SERVICE", "STATUS", "RELEASE", "STARTED", "COMMAND"]
    assert [row[1:4] for row in processes] == [
        ["web", "running", release],
        ["web", "running", release],
        ["worker", "running", release],
    ]
    names = {pod["metadata"]["name"] for pod in [*await stage.pods(), *await stage.pods("worker")]}
    assert {row[0] for row in processes} == names

    status, answer = await stage.do(f"ps -s worker -a {APP}")
    assert (status, [row[1] for row in rows(answer["text"])[1:]]) == (200, ["worker"])
    status, answer = await stage.do(f"ps -s wbe -a {APP}")
    assert (status, answer["error"], answer["hint"]) == (
        404,
        "no such service: wbe",
        "did you mean web? myapp has web, worker",
    )


async def test_a_count_is_set_at_once_said_in_the_channel_and_kept_by_the_next_release(stage: Stage):
    await stage.running(web="v1")
    answer = await stage.command("scale web --count 3", user=BOB)
    assert answer == (
        "```\nScaling web... OK\n```\nweb was to have 2 and is to have 3 now; `ps` shows them come and go"
    )
    release = await stage.running(web="v2")
    await stage.runs(release, count=3)
    said = f"@bob scaled web of {APP} from 2 to 3"
    await stage.until(lambda: said in [m.text for m in stage.slack.messages(CHANNEL) if not m.is_reply])
    (row,) = rows(await stage.command("scale"))[1:]
    assert row == ["web", "3", "3", "10", "16", "-", "2", "2"]
    assert (await stage.do(f"scale web --count 3 -a {APP}"))[1]["text"] == (
        "Scaling web... OK\nweb was to have 3 already: nothing was changed"
    )


async def test_a_count_is_refused_while_a_rollout_runs(stage: Stage):
    await stage.running(web="v1")
    promotion = await stage.promote(await stage.build(web="v2-neverready"))
    await stage.phase(promotion, "Updating")
    answer = await stage.command("scale web --count 3", user=BOB)
    assert answer.startswith("```\nERROR: app is currently updating: ")
    assert "scale it when that has ended" in answer
    await stage.click(promotion, "cancel", user=BOB)
    await stage.ended(promotion)


async def test_a_restart_replaces_the_pods_of_the_same_release_and_is_verified(stage: Stage):
    release = await stage.running(manifest=WEB + WORKER, web="v1", worker="v1")
    before = {pod["metadata"]["uid"] for pod in await stage.pods()}
    worker = {pod["metadata"]["uid"] for pod in await stage.pods("worker")}
    answer = await stage.command("restart web", user=BOB)
    assert answer == "```\nRestarting web...\n```"
    ended = await stage.ended((await stage.newest()).id)
    assert (ended.phase, ended.release, ended.progress.services["web"]) == ("Running", release, (2, 2))
    await stage.runs(release)
    assert not before & {pod["metadata"]["uid"] for pod in await stage.pods()}
    assert worker == {pod["metadata"]["uid"] for pod in await stage.pods("worker")}
    assert "restart of web asked for by @bob" in (await stage.card(ended.id)).text

    # Neither a promotion of the same release nor the note itself replaces them once more.
    again = await stage.promoted(release)
    assert again.phase == "Running"
    after = {pod["metadata"]["uid"] for pod in await stage.pods()}
    promotion = await stage.promote(
        await stage.build(manifest=WEB + WORKER, web="v2-neverready", worker="v1")
    )
    await stage.phase(promotion, "Updating")
    await stage.click(promotion, "cancel", user=BOB)
    assert (await stage.ended(promotion)).phase == "Reverted"
    assert after == {pod["metadata"]["uid"] for pod in await stage.pods()}, (
        "a way back finds them as they are"
    )


async def test_a_restart_of_an_agent_replaces_its_pod_on_the_node_and_is_verified(stage: Stage):
    """A DaemonSet has no replica sets: which pods are new is told by its revisions, note included."""
    release = await stage.running(manifest=WEB + AGENT, web="v1", agent="v1")
    web = {pod["metadata"]["uid"] for pod in await stage.pods()}
    (before,) = await stage.pods("agent")
    assert await stage.command("restart agent", user=BOB) == "```\nRestarting agent...\n```"
    ended = await stage.ended((await stage.newest()).id)
    assert (ended.phase, ended.release, ended.progress.services["agent"]) == ("Running", release, (1, 1))
    await stage.runs(release, "agent", count=1)
    (after,) = await stage.pods("agent")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert web == {pod["metadata"]["uid"] for pod in await stage.pods()}
    # The next promotion of the same release takes nothing away.
    assert (await stage.promoted(release)).phase == "Running"
    assert [pod["metadata"]["uid"] for pod in await stage.pods("agent")] == [after["metadata"]["uid"]]


async def test_a_restart_that_is_cancelled_brings_the_pods_of_before_back(stage: Stage):
    # What starts slowly is cancelled long before a pod of before has gone.
    release = await stage.running(web="v1-slow")
    before = {pod["metadata"]["uid"] for pod in await stage.pods()}
    await stage.command("restart", user=BOB)
    promotion = (await stage.newest()).id
    await stage.phase(promotion, "Updating")
    await stage.click(promotion, "cancel", user=BOB)
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.back_to) == ("Reverted", release)
    assert stage.ending((await stage.card(promotion)).ts).startswith(
        f"ERROR: cancelled by <@{BOB}>, rolled back to {release}"
    )
    await stage.runs(release)
    assert before == {pod["metadata"]["uid"] for pod in await stage.pods()}
    deployment = await stage.deployment()
    assert deployment is not None
    assert "kubectl.kubernetes.io/restartedAt" not in (
        deployment["spec"]["template"]["metadata"].get("annotations") or {}
    )
    assert not (await stage.bot.store.read.release_status(release)).held


async def test_the_log_is_a_file_in_the_thread_and_plain_in_a_terminal(stage: Stage):
    await stage.running(manifest=WEB + WORKER, web="v1", worker="v1")
    promotion = (await stage.newest()).id
    answer = await stage.command("logs web -l 4", user=BOB)
    assert answer == f"the last 4 lines of web are a file in the thread of {promotion}"
    card = await stage.card(promotion)
    (message,) = [m for m in stage.slack.thread(card.channel, card.ts) if m.files]
    assert message.text == f"the last 4 lines of web, for <@{BOB}>"
    lines = message.files[0]["content"].splitlines()
    names = {pod["metadata"]["name"] for pod in await stage.pods()}
    assert len(lines) == 4
    assert {line.split(" ")[1] for line in lines} == {f"service/web/{name}" for name in names}
    assert lines == sorted(lines, key=lambda line: line.split(" ")[0])

    status, told = await stage.do(f"logs worker --filter starting -a {APP}")
    assert status == 200
    (line,) = told["text"].splitlines()
    assert " service/worker/worker-" in line
    assert "starting, pid 1" in line
    assert (await stage.do(f"logs --filter nobody-writes-this -a {APP}"))[1]["text"] == ""


async def test_without_the_scope_the_last_lines_are_shown_and_what_to_do(stage: Stage):
    await stage.running(web="v1")
    stage.slack.fail_next("files.getUploadURLExternal", "missing_scope")
    answer = await stage.command("logs web -l 1", user=BOB)
    assert answer.startswith("Note: I may not upload files: the Slack app lacks the scope files:write")
    assert " service/web/web-" in answer


async def test_timers_and_resources_are_told_as_the_cluster_has_them(stage: Stage):
    parts = """
timers:
  nightly: {schedule: "0 3 * * *", command: bin/report, service: web}
"""
    assert "myapp has no timers" in await stage.command("timers")
    assert "myapp has no resources" in await stage.command("resources")
    release = await stage.build(manifest=WEB + parts, web="v1")
    assert rows(await stage.command("timers"))[1][-4:] == ["in", "the", "cluster", "bin/report"]
    await stage.promoted(release)
    (row,) = rows(await stage.command("timers"))[1:]
    assert row == ["nightly", "web", "0", "3", "*", "*", "*", "waiting", "bin/report"]
