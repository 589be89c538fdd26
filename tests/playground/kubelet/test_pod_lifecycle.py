"""The lifecycle of a pod, held against what a kubelet 1.37 was recorded to say."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from bot.playground.kubelet.pod_lifecycle import (
    PodContext,
    PodStep,
    behaviour_of,
    pod_lifecycle,
    pod_termination,
)

BEGAN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PROBE = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 2}


def pod(tag: str, *, probes: dict | None = None, **container: object) -> dict:
    main = {
        "name": "main",
        "image": f"registry.example/shop/web:{tag}",
        "ports": [{"name": "http", "containerPort": 8080}],
        **({"readinessProbe": PROBE} if probes is None else probes),
        **container,
    }
    meta = {"name": "web-1", "namespace": "shop", "uid": "u-1", "generation": 1}
    return {"metadata": meta, "spec": {"nodeName": "node-1", "containers": [main]}}


def context(*, present: bool = False, secrets: set[str] | None = None) -> PodContext:
    return PodContext(
        began=BEGAN, present=lambda _: present, exists=lambda _kind, name: name in (secrets or set())
    )


def steps_within(steps: Iterator[PodStep], seconds: float) -> list[tuple[float, PodStep]]:
    """Return the steps of the first so many seconds with their times."""
    found, at = [], 0.0
    for step in islice(steps, 500):
        at += step.after
        if at > seconds:
            break
        found.append((round(at, 2), step))
    return found


def sayings(steps: list[tuple[float, PodStep]]) -> list[str]:
    return [event.reason for _, step in steps for event in step.events]


def states(steps: list[tuple[float, PodStep]]) -> list[tuple[str, bool, int]]:
    """Return state, readiness and restarts of the one container at every status."""
    found = []
    for _, step in steps:
        if step.status is not None:
            entry = step.status["containerStatuses"][0]
            ((kind, inner),) = entry["state"].items()
            found.append((inner.get("reason", kind), entry["ready"], entry["restartCount"]))
    return found


@pytest.mark.parametrize(
    ("image", "word"),
    [
        ("registry.example/shop/web:v1", None),
        ("registry.example/shop/web:crash", "crash"),
        ("registry.example/shop/crash-late:v2", "crash-late"),
        ("web:crash-twice", "crash-twice"),
        ("shop/web:crash2", "crash"),
        ("shop/oomph:v1", None),
        ("slow.example/shop/web:v1", None),
        ("shop/web:web.BCRASHOOMX", None),
    ],
)
def test_a_word_in_the_image_chooses_the_behaviour(image: str, word: str | None):
    expected = behaviour_of(f"x:{word}") if word else behaviour_of("x:good")

    assert behaviour_of(image) == expected


def test_a_good_pod_is_pulled_created_started_and_ready_within_a_second():
    steps = steps_within(pod_lifecycle(pod("v1"), context()), 30)

    assert sayings(steps) == ["Pulling", "Pulled", "Created", "Started"]
    assert states(steps) == [
        ("ContainerCreating", False, 0),
        ("ContainerCreating", False, 0),
        ("running", False, 0),
        ("running", True, 0),
    ]
    assert steps[-1][0] < 1.0
    conditions = {each["type"]: each["status"] for each in steps[-1][1].status["conditions"]}
    assert set(conditions.values()) == {"True"}
    assert steps[2][1].pulled == "registry.example/shop/web:v1"


def test_an_image_on_the_node_is_not_pulled_again_unless_always():
    kept = steps_within(pod_lifecycle(pod("v1"), context(present=True)), 30)
    always = steps_within(pod_lifecycle(pod("v1", imagePullPolicy="Always"), context(present=True)), 30)

    assert sayings(kept) == ["Pulled", "Created", "Started"]
    assert kept[1][1].events[0].message == (
        'Container image "registry.example/shop/web:v1" already present on machine and can be accessed by the pod'
    )
    assert sayings(always)[:2] == ["Pulling", "Pulled"]


def test_without_a_readiness_probe_a_container_is_ready_in_the_instant_it_runs():
    steps = steps_within(pod_lifecycle(pod("crash", probes={}), context()), 1.0)

    assert ("running", True, 0) in states(steps)


def test_a_missing_image_is_said_by_events_first_and_alternates_in_the_status():
    steps = steps_within(pod_lifecycle(pod("notfound"), context()), 95)

    first = next(at for at, step in steps if any(event.reason == "Failed" for event in step.events))
    status = next(at for at, step in steps if step.status and "ErrImagePull" in str(step.status))
    assert first < status
    waits = [state for state, _, _ in states(steps) if state != "ContainerCreating"]
    assert waits == ["ErrImagePull", "ImagePullBackOff"] * 3
    tries = [at for at, step in steps if any(event.reason == "Pulling" for event in step.events)]
    assert [12 <= tries[1] <= 16, 39 <= tries[2] <= 45, 90 <= tries[3] <= 95] == [True, True, True]


def test_a_refused_pull_says_what_containerd_says():
    steps = steps_within(pod_lifecycle(pod("unauthorised"), context()), 2)

    text = next(event.message for _, step in steps for event in step.events if event.reason == "Failed")
    assert text.endswith("authorization failed: no basic auth credentials")


def test_a_crash_restarts_at_once_and_then_backs_off_longer_each_time():
    steps = steps_within(pod_lifecycle(pod("crash"), context(present=True)), 100)

    assert states(steps)[2:9] == [
        ("running", False, 0),
        ("Error", False, 0),
        ("running", False, 1),
        ("Error", False, 1),
        ("CrashLoopBackOff", False, 1),
        ("running", False, 2),
        ("Error", False, 2),
    ]
    started = [
        at for at, step in steps if any(event.reason == "Started" for event in step.events)
    ]  # recorded: 0.6, 1.2, 14.6, 39.6, 95.6
    assert [round(at) for at in started] == [1, 1, 14, 39, 94]
    messages = [
        each["state"]["waiting"]["message"].split(" restarting")[0]
        for _, step in steps
        if step.status and "waiting" in (each := step.status["containerStatuses"][0])["state"]
        and "message" in each["state"]["waiting"]
    ]  # fmt: skip
    assert messages == ["back-off 10s", "back-off 20s", "back-off 40s", "back-off 1m20s"]


def test_the_back_off_event_comes_a_second_before_the_status_says_it():
    steps = steps_within(pod_lifecycle(pod("crash"), context(present=True)), 5)

    event = next(at for at, step in steps if any(each.reason == "BackOff" for each in step.events))
    status = next(at for at, step in steps if step.status and "CrashLoopBackOff" in str(step.status))
    assert round(status - event, 1) == 1.0


def test_the_log_of_a_crash_ends_with_its_cause_and_falls_into_the_message_if_asked():
    plain = steps_within(pod_lifecycle(pod("crash"), context()), 2)
    asked = steps_within(
        pod_lifecycle(pod("crash", terminationMessagePolicy="FallbackToLogsOnError"), context()), 2
    )

    def message(steps: list[tuple[float, PodStep]]) -> str | None:
        for _, step in steps:
            if step.status and "terminated" in step.status["containerStatuses"][0]["state"]:
                return step.status["containerStatuses"][0]["state"]["terminated"].get("message")
        raise AssertionError("no end")

    assert message(plain) is None
    assert message(asked).endswith("No such file or directory: '/etc/app/settings.toml'\n")
    log = ""
    for _, step in plain:
        log = step.log if step.restarted else log + step.log
    assert "Traceback" in log


@pytest.mark.parametrize(
    ("tag", "code", "why", "ready_first", "lives"),
    [
        ("oom", 137, "OOMKilled", True, 4.0),
        ("crash-late", 1, "Error", True, 15.0),
        ("exit-zero", 0, "Completed", False, 0.9),
    ],
)
def test_other_ends_have_their_own_code_reason_and_time(tag, code, why, ready_first, lives):
    steps = steps_within(pod_lifecycle(pod(tag), context(present=True)), 20)

    started = next(at for at, step in steps if step.status and "running" in str(step.status))
    ended, end = next(
        (at, step.status["containerStatuses"][0]["state"]["terminated"])
        for at, step in steps
        if step.status and "terminated" in step.status["containerStatuses"][0]["state"]
    )
    assert (end["exitCode"], end["reason"]) == (code, why)
    assert round(ended - started, 1) == lives
    assert any(ready for _, ready, _ in states(steps)) == ready_first


def test_the_third_run_of_crash_twice_stays():
    steps = steps_within(pod_lifecycle(pod("crash-twice"), context()), 300)

    assert states(steps)[-1] == ("running", True, 2)


def test_a_slow_container_fails_its_probe_until_it_listens():
    steps = steps_within(pod_lifecycle(pod("slow"), context()), 60)

    ready = next(
        at for at, step in steps if step.status and '"ready": True' in str(step.status).replace("'", '"')
    )
    assert 20 <= ready <= 23
    failures = [event.message for _, step in steps for event in step.events if event.reason == "Unhealthy"]
    assert len(failures) == 10
    assert failures[0] == (
        'Readiness probe failed: Get "http://10.244.0.5:8080/healthz": dial tcp 10.244.0.5:8080: '
        "connect: connection refused"
    )


def test_a_never_ready_container_is_said_to_fail_25_times_and_no_more():
    steps = steps_within(pod_lifecycle(pod("neverready"), context()), 200)

    failures = [event.message for _, step in steps for event in step.events if event.reason == "Unhealthy"]
    assert set(failures) == {"Readiness probe failed: HTTP probe failed with statuscode: 503"}
    assert len(failures) == 25
    assert states(steps)[-1] == ("running", False, 0)


def test_a_failing_liveness_probe_kills_cleanly_and_backs_off_only_later():
    probes = {
        "readinessProbe": PROBE,
        "livenessProbe": {
            "httpGet": {"path": "/", "port": 8080},
            "initialDelaySeconds": 14,
            "periodSeconds": 3,
            "failureThreshold": 2,
        },
    }
    steps = steps_within(pod_lifecycle(pod("liveness", probes=probes), context(present=True)), 110)

    kills = [at for at, step in steps if any(event.reason == "Killing" for event in step.events)]
    assert [round(at) for at in kills[:4]] == [18, 35, 52, 69]
    last = [
        step.status for _, step in steps if step.status and step.status["containerStatuses"][0]["lastState"]
    ]
    assert last[0]["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "Completed"
    loops = [at for at, step in steps if step.status and "CrashLoopBackOff" in str(step.status)]
    assert round(loops[0]) == 70
    assert "back-off 20s" in str(steps[[at for at, _ in steps].index(loops[0])][1].status)


def test_a_startup_probe_holds_the_others_back():
    probes = {"startupProbe": {**PROBE, "failureThreshold": 30}, "readinessProbe": PROBE}
    steps = steps_within(pod_lifecycle(pod("slow", probes=probes), context()), 60)

    failed = {
        event.message.split(" probe")[0]
        for _, step in steps
        for event in step.events
        if event.reason == "Unhealthy"
    }
    assert failed == {"Startup"}
    assert states(steps)[-1] == ("running", True, 0)


def test_a_missing_secret_waits_and_starts_by_itself_once_it_is_there():
    secrets: set[str] = set()
    body = pod("v1", envFrom=[{"secretRef": {"name": "env"}}])
    steps = pod_lifecycle(body, context(secrets=secrets))
    waiting: list[tuple[float, PodStep]] = steps_within(steps, 10)
    secrets.add("env")
    after = steps_within(steps, 60)

    assert ("CreateContainerConfigError", False, 0) in states(waiting)
    assert 'Error: secret "env" not found' in {event.message for _, step in waiting for event in step.events}
    assert states(after)[-1] == ("running", True, 0)


def test_an_optional_secret_is_not_waited_for():
    body = pod("v1", envFrom=[{"secretRef": {"name": "env", "optional": True}}])

    assert states(steps_within(pod_lifecycle(body, context()), 10))[-1] == ("running", True, 0)


def test_a_pod_of_two_containers_is_ready_when_both_are():
    body = pod("v1")
    body["spec"]["containers"].append(
        {"name": "side", "image": "registry.example/slow", "readinessProbe": PROBE}
    )
    steps = steps_within(pod_lifecycle(body, context()), 40)

    ready = [
        (at, {each["type"]: each for each in step.status["conditions"]}["Ready"])
        for at, step in steps
        if step.status
    ]
    before = [condition for at, condition in ready if 1 < at < 20] or [ready[-2][1]]
    assert before[-1]["message"] == "containers with unready status: [side]"
    assert ready[-1][1]["status"] == "True"
    assert ready[-1][0] > 20


def pod_after(tag: str, seconds: float, **container: Any) -> dict:
    body = pod(tag, **container)
    for _, step in steps_within(pod_lifecycle(body, context(present=True)), seconds):
        if step.status is not None:
            body["status"] = {**body.get("status", {}), **step.status}
    return body


def test_a_kubelet_that_starts_again_leaves_a_ready_pod_alone():
    body = pod_after("v1", 10)
    steps = steps_within(pod_lifecycle(body, context()), 60)

    assert sayings(steps) == []
    assert all(state == ("running", True, 0) for state in states(steps))


def test_a_kubelet_that_starts_again_goes_on_with_a_crash_loop():
    body = pod_after("crash", 5)
    steps = steps_within(pod_lifecycle(body, context()), 30)

    assert states(steps)[0][2] >= 1
    assert max(restarts for _, _, restarts in states(steps)) > 2


def test_a_running_pod_goes_within_a_second_and_completes():
    body = pod_after("v1", 10)
    body["metadata"] |= {"deletionGracePeriodSeconds": 30, "generation": 2}
    steps = steps_within(pod_termination(body, context()), 60)

    assert sayings(steps) == ["Killing"]
    assert steps[0][1].events[0].message == "Stopping container main"
    assert steps[0][1].status["observedGeneration"] == 2
    assert steps[1][1].status["phase"] == "Succeeded"
    reasons = {each["type"]: each.get("reason") for each in steps[1][1].status["conditions"]}
    assert reasons["Ready"] == "PodCompleted"
    assert steps[-1][1].gone
    assert steps[-1][0] < 1.0


def test_a_pod_that_never_started_ends_as_unknown():
    body = pod_after("notfound", 5)
    steps = steps_within(pod_termination(body, context()), 60)

    end = steps[1][1].status
    assert sayings(steps) == []
    assert end["phase"] == "Failed"
    assert end["containerStatuses"][0]["state"]["terminated"] == {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
    }


def test_a_deaf_container_is_killed_when_its_grace_period_is_over():
    body = pod_after("deaf", 10)
    body["metadata"]["deletionGracePeriodSeconds"] = 30
    steps = steps_within(pod_termination(body, context()), 60)

    assert 30 < steps[1][0] < 31
    end = steps[1][1].status["containerStatuses"][0]["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "Error")


def messages(steps: list[tuple[float, PodStep]]) -> list[str]:
    return [event.message for _, step in steps for event in step.events]


def test_a_program_for_another_processor_exits_255_and_only_its_log_says_why():
    """kubelet 1.37 with runc 1.5: no StartError, and a message only where the last words are asked for."""
    for policy, message in (
        ("File", None),
        ("FallbackToLogsOnError", "exec /app/arm64: exec format error\n"),
    ):
        steps = steps_within(pod_lifecycle(pod("arm64", terminationMessagePolicy=policy), context()), 5)
        ended = [
            entry["state"]["terminated"]
            for _, step in steps
            if step.status
            for entry in step.status["containerStatuses"]
            if "terminated" in entry["state"]
        ]
        assert (ended[0]["exitCode"], ended[0]["reason"], ended[0].get("message")) == (255, "Error", message)
        assert {step.log for _, step in steps if step.log} == {"exec /app/arm64: exec format error\n"}


START_HOOK: dict[str, Any] = {"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "bin/warm"]}}}}


def test_a_post_start_hook_that_fails_is_told_by_the_status_until_the_back_off_hides_it():
    steps = steps_within(pod_lifecycle(pod("poststart", **START_HOOK), context()), 10)

    assert states(steps) == [
        ("ContainerCreating", False, 0),
        ("ContainerCreating", False, 0),
        ("PostStartHookError", False, 0),
        ("PostStartHookError", False, 1),
        ("CrashLoopBackOff", False, 1),
    ]
    waiting = [step.status["containerStatuses"][0] for _, step in steps if step.status][2]
    assert waiting["state"]["waiting"]["message"] == (
        'Exec lifecycle hook ([sh -c bin/warm]) for Container "main" in Pod "web-1_shop(u-1)" failed - error: command '
        "'sh -c bin/warm' exited with 3: no table to warm\n, message: \"no table to warm\\n\""
    )
    ended = waiting["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert sayings(steps)[2:6] == ["Created", "Started", "FailedPostStartHook", "Killing"]
    assert messages(steps)[4:6] == ["PostStartHook failed", "FailedPostStartHook"]


def test_a_hook_that_the_pod_does_not_have_cannot_fail():
    assert sayings(steps_within(pod_lifecycle(pod("poststart"), context()), 60)) == sayings(
        steps_within(pod_lifecycle(pod("good"), context()), 60)
    )


def test_a_task_whose_post_start_hook_fails_is_not_started_again():
    task = pod("poststart", **START_HOOK)
    task["spec"]["restartPolicy"] = "Never"
    steps = steps_within(pod_lifecycle(task, context()), 60)
    assert states(steps)[-1] == ("Completed", False, 0)


def test_a_pre_stop_hook_that_fails_is_one_event_that_says_no_more():
    body = pod_after("prestop", 10, lifecycle={"preStop": {"exec": {"command": ["bin/drain"]}}})
    body["metadata"]["deletionGracePeriodSeconds"] = 5
    steps = steps_within(pod_termination(body, context()), 60)

    assert messages(steps) == ["Stopping container main", "PreStopHook failed"]
    assert sayings(steps) == ["Killing", "FailedPreStopHook"]
    assert steps[2][0] == 5.02
    assert steps[-1][1].gone


def with_init(*tags: str, main: str = "v1", once: bool = True) -> dict:
    made = pod(main, probes={})
    made["spec"] |= {"restartPolicy": "Never"} if once else {}
    made["spec"]["initContainers"] = [
        {"name": f"init-{number}", "image": f"registry.example/shop/init:{tag}"}
        for number, tag in enumerate(tags, start=1)
    ]
    return made


def seen(status: dict) -> list[str]:
    """Return what each container is doing, init containers first."""
    entries = [*status["initContainerStatuses"], *status["containerStatuses"]]
    told = [(each["ready"], next(iter(each["state"].items()))) for each in entries]
    return [f"{inner.get('reason', kind)}{'+' if ready else ''}" for ready, (kind, inner) in told]


def distinct(steps: list[tuple[float, PodStep]]) -> list[list[str]]:
    found = [seen(step.status) for _, step in steps if step.status is not None]
    return [each for number, each in enumerate(found) if number == 0 or each != found[number - 1]]


def conditions_of(status: dict) -> dict:
    return {each["type"]: (each["status"], each.get("message", "")) for each in status["conditions"]}


def test_init_containers_run_one_after_the_other_before_the_rest():
    steps = steps_within(pod_lifecycle(with_init("v1", "v2"), context(present=True)), 30)

    waits = "PodInitializing"
    assert distinct(steps) == [
        [waits, waits, waits],
        ["running", waits, waits],
        ["Completed+", waits, waits],
        ["Completed+", "running", waits],
        ["Completed+", "Completed+", waits],
        ["Completed+", "Completed+", "running+"],
        ["Completed+", "Completed+", "Completed"],
    ]
    fields = [event.field_path for _, step in steps for event in step.events if event.reason == "Started"]
    assert fields == [
        "spec.initContainers{init-1}",
        "spec.initContainers{init-2}",
        "spec.containers{main}",
    ]
    statuses = [step.status for _, step in steps if step.status is not None]
    assert [each["phase"] for each in (statuses[0], statuses[-1])] == ["Pending", "Succeeded"]
    assert conditions_of(statuses[0])["Initialized"] == (
        "False",
        "containers with incomplete status: [init-1 init-2]",
    )
    assert conditions_of(statuses[-1])["Initialized"] == ("True", "")


def test_the_first_init_container_that_fails_ends_a_pod_that_is_never_started_again():
    steps = steps_within(pod_lifecycle(with_init("crash", "v2"), context(present=True)), 30)

    last = steps[-1][1].status
    assert last is not None
    assert (last["phase"], seen(last)) == ("Failed", ["Error", "PodInitializing", "PodInitializing"])
    assert conditions_of(last)["Initialized"][0] == "False"


def test_in_any_other_pod_an_init_container_is_started_again_until_it_ends_well():
    tags = ("crash-twice",)
    steps = steps_within(pod_lifecycle(with_init(*tags, once=False), context(present=True)), 60)

    last = steps[-1][1].status
    assert last is not None
    assert (seen(last), last["initContainerStatuses"][0]["restartCount"]) == (["Completed+", "running+"], 2)


def test_an_init_container_whose_image_is_missing_holds_up_the_rest():
    steps = steps_within(pod_lifecycle(with_init("notfound"), context()), 20)

    assert distinct(steps)[-2:] == [
        ["ErrImagePull", "PodInitializing"],
        ["ImagePullBackOff", "PodInitializing"],
    ]


def test_a_kubelet_that_starts_again_runs_no_init_container_a_second_time():
    made = with_init("v1")
    steps = steps_within(pod_lifecycle(made, context(present=True)), 2.58)
    made["status"] = [step.status for _, step in steps if step.status is not None][-1]
    assert seen(made["status"])[0] == "Completed+"

    again = steps_within(pod_lifecycle(made, context(present=True)), 30)
    assert [event.field_path for _, step in again for event in step.events] == ["spec.containers{main}"] * 3


def test_a_pod_that_goes_while_it_is_initialized_ends_what_runs_and_looks_for_nothing_else():
    made = with_init("v1", "v2")
    steps = steps_within(pod_lifecycle(made, context(present=True)), 1.0)
    made["status"] = [step.status for _, step in steps if step.status is not None][-1]
    made["metadata"] |= {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 30}

    steps = steps_within(pod_termination(made, context()), 60)
    assert [event.field_path for _, step in steps for event in step.events] == ["spec.initContainers{init-1}"]
    last = next(step.status for _, step in reversed(steps) if step.status is not None)
    assert (last["phase"], seen(last)) == (
        "Failed",
        ["Completed", "ContainerStatusUnknown", "PodInitializing"],
    )
