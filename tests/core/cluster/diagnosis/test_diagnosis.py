"""What a person is told for each text that Kubernetes and its runtimes may give, beyond what was recorded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.diagnosis import diagnoses
from core.cluster.diagnosis.images import registry_of
from core.cluster.diagnosis.scheduling import cut
from core.cluster.snapshot import Delta, Snapshot
from tests.core.cluster.things import NOW, WEB, deployment, event, pod, replica_set, snapshot

PULLING = {"state": {"waiting": {"reason": "ContainerCreating"}}, "ready": False}
IMAGE = "registry.test/web:2"


def told(known_pod: dict[str, Any], *events: dict[str, Any], **more: Any):
    return diagnoses(
        snapshot(
            Deployment=[deployment()], ReplicaSet=[replica_set()], Pod=[known_pod], Event=events, **more
        ),
        WEB,
        "R2",
    )


def pulled(text: str, image: str = IMAGE):
    """Diagnose a pod of which the event tells why the pull failed, while the status tells nothing yet."""
    waiting = pod(
        "a", container=PULLING, ready=False, spec={"containers": [{"name": "main", "image": image}]}
    )
    return told(waiting, event(waiting, "Failed", f'Failed to pull image "{image}": {text}'))[0]


@pytest.mark.parametrize(
    ("text", "kind", "says", "permanent"),
    [
        (f"failed to resolve image: {IMAGE}: not found", "image", "does not exist in the registry", True),
        ("manifest unknown: manifest unknown", "image", "does not exist in the registry", True),
        ("no match for platform in manifest: not found", "image", "no variant for the CPU", True),
        (
            "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            "pull",
            "credentials are missing or wrong",
            False,
        ),
        (
            "pulling from host registry.test failed with status code [manifests 2]: 403 Forbidden",
            "pull",
            "credentials are missing or wrong",
            False,
        ),
        ("toomanyrequests: You have reached your pull rate limit", "pull", "is rate limiting us", False),
        ("unexpected status: 502 Bad Gateway", "pull", "answers 502 Bad Gateway", False),
        ("x509: certificate signed by unknown authority", "pull", "does not trust", False),
        ("write /var/lib/x: no space left on device", "pull", "disk can hold", False),
        ("something new", "pull", "cannot pull image registry.test/web:2: something new", False),
    ],
)
def test_credentials_come_before_absence_and_the_ways_own_faults_are_not_final(
    text: str, kind: str, says: str, permanent: bool
):
    diagnosis = pulled(text)
    assert says in diagnosis.sentence
    assert (diagnosis.kind, diagnosis.permanent) == (kind, permanent)


@pytest.mark.parametrize(
    "image", ["registry.test/web:401", "registry.test/web:build-503", "registry.test/timeout:403"]
)
def test_the_digits_and_words_of_a_reference_are_not_the_registrys_answer(image: str):
    assert pulled(f"failed to resolve image: {image}: not found", image).kind == "image"
    url = f'Head "https://registry.test/v2/web/manifests/{image.rpartition(":")[2]}": dial tcp: connection refused'
    assert "refuses connections" in pulled(url, image).sentence


def test_a_container_that_has_started_has_its_image():
    running = pod("a")
    assert told(running, event(running, "Failed", f'Failed to pull image "{IMAGE}": not found')) == ()


def test_a_back_off_without_its_cause_waits_for_the_cause():
    """Before Kubernetes 1.32 the status of a back-off did not say why."""
    state = {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{IMAGE}"'}}
    assert told(pod("a", container={"state": state, "ready": False}, ready=False)) == ()


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx", "docker.io"),
        ("library/nginx", "docker.io"),
        ("localhost/a", "localhost"),
        ("r:5000/a/b", "r:5000"),
    ],
)
def test_the_registry_is_the_first_part_that_is_a_host(image: str, registry: str):
    assert registry_of(image) == registry


def test_a_pod_that_never_started_and_is_going_is_not_diagnosed():
    ended = {"terminated": {"reason": "ContainerStatusUnknown", "exitCode": 137}}
    going = pod("a", container={"state": ended}, ready=False)
    going["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:30Z"
    assert told(going) == ()


def ended(code: int, reason: str = "Error", seconds: int = 1, **more: Any) -> dict[str, Any]:
    run = {
        "exitCode": code,
        "reason": reason,
        "startedAt": "2026-11-24T10:00:00Z",
        "finishedAt": f"2026-11-24T10:{seconds // 60:02}:{seconds % 60:02}Z",
    }
    return pod("a", ready=False, container={"ready": False, "state": {"terminated": run | more}})


@pytest.mark.parametrize(
    ("code", "seconds", "sentence"),
    [
        (1, 2, "web exits with code 1 right after its start"),
        (137, 2, "web exits with code 137 (SIGKILL) right after its start"),
        (
            126,
            2,
            "web exits with code 126 (its command is not executable) right after its start: check command",
        ),
        (3, 31, "web exits with code 3 after about 30 s"),
        (3, 300, "web exits with code 3 after about 5 min"),
    ],
)
def test_a_crash_tells_its_code_and_when(code: int, seconds: int, sentence: str):
    diagnosis = told(ended(code, seconds=seconds))[0]
    assert (diagnosis.kind, diagnosis.sentence) == ("crash", sentence)
    assert diagnosis.down
    assert not diagnosis.previous


def test_137_alone_is_not_memory_and_memory_needs_no_137():
    assert told(ended(137))[0].kind == "crash"
    assert told(ended(1, "OOMKilled"))[0].kind == "memory"
    assert "more memory than the node has" in told(ended(137, "OOMKilled"))[0].sentence


def test_a_container_that_runs_again_keeps_the_cause_and_names_the_log_before():
    run = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "2026-11-24T09:59:58Z",
        "finishedAt": "2026-11-24T09:59:59Z",
    }
    again = pod("a", container={"restartCount": 1, "lastState": {"terminated": run}})
    diagnosis = told(again)[0]
    assert diagnosis.sentence == "web exits with code 1 right after its start, restarted once"
    assert diagnosis.fact == "web exits with code 1 right after its start"
    assert (diagnosis.down, diagnosis.previous, diagnosis.restarts) == (False, True, 1)


def test_a_check_that_fails_long_after_the_last_crash_is_the_trouble():
    run = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "2026-11-24T09:59:58Z",
        "finishedAt": "2026-11-24T09:59:59Z",
    }
    again = pod(
        "a", ready=False, container={"restartCount": 1, "ready": False, "lastState": {"terminated": run}}
    )
    failed = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    early = event(again, "Unhealthy", failed, lastTimestamp="2026-11-24T10:00:05Z")
    late = event(again, "Unhealthy", failed, lastTimestamp="2026-11-24T10:00:20Z")
    assert told(again, early)[0].kind == "crash"
    assert told(again, late)[0].kind == "probe"


def test_one_refused_connection_is_no_trouble_and_a_second_is():
    """The first check is sent at once, before most processes listen."""
    waiting = pod("a", ready=False, container={"ready": False})
    refused = "Readiness probe failed: dial tcp 10.0.0.1:3000: connect: connection refused"
    assert told(waiting, event(waiting, "Unhealthy", refused)) == ()
    assert told(waiting, event(waiting, "Unhealthy", refused, count=2))[0].kind == "probe"


def test_a_check_that_failed_in_an_earlier_run_says_nothing_of_this_one():
    waiting = pod("a", ready=False, container={"ready": False, "restartCount": 1})
    failed = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert told(waiting, event(waiting, "Unhealthy", failed, lastTimestamp="2026-11-24T09:59:59Z")) == ()


def test_what_a_checks_command_prints_is_not_repeated():
    waiting = pod("a", ready=False, container={"ready": False})
    failed = event(waiting, "Unhealthy", "Readiness probe failed: password hunter2 rejected", count=3)
    diagnosis = told(waiting, failed)[0]
    assert diagnosis.sentence == "web runs, but its health check fails: check health"


def test_a_named_port_is_told_by_its_number():
    spec = {
        "name": "main",
        "ports": [{"name": "http", "containerPort": 3000}],
        "readinessProbe": {"httpGet": {"path": "/up", "port": "http"}},
    }
    waiting = pod("a", ready=False, container={"ready": False}, spec={"containers": [spec]})
    failed = event(waiting, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
    assert "health check GET :3000/up answers 500" in told(waiting, failed)[0].sentence


@pytest.mark.parametrize(
    ("message", "kind", "says", "permanent"),
    [
        (
            'admission webhook "policy.example" denied the request: no latest tags',
            "admission",
            'webhook "policy.example" refuses the pods of web: no latest tags',
            True,
        ),
        (
            'Internal error occurred: failed calling webhook "w.example": connection refused',
            "webhook",
            'webhook "w.example" does not answer',
            False,
        ),
        ("Internal error occurred: disk on fire", "create", "cannot make the pods of web", False),
    ],
)
def test_a_refused_pod_is_told_by_its_replica_set(message: str, kind: str, says: str, permanent: bool):
    failure = {"type": "ReplicaFailure", "status": "True", "message": message}
    sets = [replica_set(status={"conditions": [failure]})]
    diagnosis = diagnoses(snapshot(Deployment=[deployment()], ReplicaSet=sets), WEB, "R2")[0]
    assert says in diagnosis.sentence
    assert (diagnosis.kind, diagnosis.permanent, diagnosis.everywhere) == (kind, permanent, True)


def test_the_refusals_of_an_old_replica_set_are_not_ours():
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    old = replica_set(release="R1", status={"conditions": [failure]})
    assert diagnoses(snapshot(Deployment=[deployment()], ReplicaSet=[old]), WEB, "R2") == ()


def test_a_replica_set_that_should_have_no_pods_is_not_refused_any():
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    stale = replica_set(status={"conditions": [failure]})
    stale["spec"]["replicas"] = 0
    assert diagnoses(snapshot(Deployment=[deployment()], ReplicaSet=[stale]), WEB, "R2") == ()


def test_a_quota_that_pods_on_their_way_out_still_hold_is_not_the_last_word():
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    sets = [replica_set(status={"conditions": [failure]})]
    going = pod("old", release="R1")
    going["metadata"]["deletionTimestamp"] = NOW
    known = snapshot(Deployment=[deployment()], ReplicaSet=sets, Pod=[going])
    diagnosis = diagnoses(known, WEB, "R2")[0]
    assert not diagnosis.permanent
    assert diagnosis.sentence.endswith("exceeded pods; pods that are going still hold a part of it")
    gone = known.after(Delta("Pod", "DELETED", going))
    assert diagnoses(gone, WEB, "R2")[0].permanent


def test_a_quota_that_lets_some_pods_through_is_not_everywhere():
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    known = snapshot(
        Deployment=[deployment()], ReplicaSet=[replica_set(status={"conditions": [failure]})], Pod=[pod("a")]
    )
    assert not diagnoses(known, WEB, "R2")[0].everywhere


def unscheduled(message: str, **spec: Any) -> dict[str, Any]:
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    containers = [{"name": "main", "resources": {"requests": {"cpu": "4", "memory": "1Gi"}}}]
    return pod(
        "a",
        spec={"nodeName": None, "containers": containers} | spec,
        status={"conditions": [scheduled], "phase": "Pending"},
    )


def test_the_schedulers_text_is_cut_where_it_stops_helping():
    text = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims."
    assert cut(text) == "0/1 nodes are available: 1 Insufficient cpu"
    assert cut('0/1 nodes are available: persistentvolumeclaim "data" not found. not found').endswith(
        '"data" not found'
    )


def asking(cpu: str, memory: str = "16Mi", *, port: int = 0) -> dict[str, Any]:
    ports = [{"containerPort": port, "hostPort": port}] if port else []
    return {"name": "main", "resources": {"requests": {"cpu": cpu, "memory": memory}}, "ports": ports}


def beside_an_old_pod(text: str, new: dict[str, Any], old: dict[str, Any], **more: Any) -> str:
    waiting = unscheduled(text, containers=[new])
    known = snapshot(
        Deployment=[deployment()],
        Pod=[waiting, pod("old", release="R1", spec={"nodeName": "n1", "containers": [old]}, **more)],
    )
    return diagnoses(known, WEB, "R2")[0].sentence


MINIMUM = "lower deployment.minimum so that an old pod goes first"
FULL = "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory."


def test_lack_of_room_is_told_with_what_would_make_some():
    assert told(unscheduled(FULL))[0].sentence == (
        "web asks for 4 CPU and 1Gi of memory, and no node has that much left "
        "(0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory): "
        "lower scale.cpu and scale.memory, or add a node"
    )


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        (FULL, asking("500m", "1Gi"), asking("0.5", "1024Mi")),
        ("0/1 nodes are available: 1 Too many pods.", asking("1"), asking("1m")),
        (
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node-role.kubernetes.io/x: }.",
            asking("1"),
            asking("1"),
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
            asking("1", port=80),
            asking("1", port=80),
        ),
    ],
    ids=["as much", "a place", "a control plane", "the same port"],
)
def test_an_old_pod_in_the_place_makes_the_minimum_a_remedy(text: str, new: Any, old: Any):
    assert MINIMUM in beside_an_old_pod(text, new, old)


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        ("0/1 nodes are available: 1 node(s) were unschedulable.", asking("1"), asking("1")),
        (
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.",
            asking("1"),
            asking("1"),
        ),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}.", asking("1"), asking("1")),
        ("0/1 nodes are available: 1 node(s) had untolerated taint(s).", asking("1"), asking("1")),
        (
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
            asking("1", port=80),
            asking("1"),
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            asking("1"),
            asking("1"),
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
            asking("1"),
            asking("1"),
        ),
        (FULL, asking("64", "1Gi"), asking("10m", "1Gi")),
        (FULL, asking("1", "1Gi"), asking("1", "1e9")),
        ("something new", asking("1"), asking("1")),
    ],
    ids=[
        "cordoned",
        "one cordoned",
        "taint",
        "taints",
        "port",
        "selector",
        "spread",
        "more",
        "unknown",
        "new words",
    ],
)
def test_no_pod_that_serves_goes_for_nothing(text: str, new: Any, old: Any):
    assert "deployment.minimum" not in beside_an_old_pod(text, new, old)


def test_an_old_pod_that_goes_already_needs_no_advice():
    going = {"metadata": {"deletionTimestamp": NOW, "name": "old", "uid": "uid-old"}}
    going["metadata"] = pod("old", release="R1")["metadata"] | going["metadata"]
    assert "deployment.minimum" not in beside_an_old_pod(FULL, asking("1"), asking("1"), **going)


def test_a_claim_that_does_not_exist_is_a_volume_and_no_lack_of_room():
    text = '0/1 nodes are available: persistentvolumeclaim "data" not found. not found'
    diagnosis = told(unscheduled(text))[0]
    assert (diagnosis.kind, diagnosis.sentence) == (
        "volume",
        'web needs the volume claim "data", which does not exist',
    )


def test_a_network_that_cannot_be_made_is_not_the_apps_fault():
    waiting = pod("a", container=PULLING, ready=False)
    failed = event(
        waiting, "FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=bridge failed"
    )
    diagnosis = told(waiting, failed)[0]
    assert diagnosis.kind == "sandbox"
    assert "not the app's" in diagnosis.sentence


SAID = 'no "database"'
POST_START = (
    'Exec lifecycle hook ([sh -c check]) for Container "main" in Pod "web-1" failed - error: command '
    f"'sh -c check' exited with 3: {SAID}\n, message: {json.dumps(SAID + chr(10))}"
)
HTTP_HOOK = 'HTTP lifecycle hook (/warm) for Container "main" in Pod "web-1" failed - error: dial tcp: connection refused'


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            POST_START,
            'the postStart hook of web fails with exit code 3 (no "database"), so its container is killed: check lifecycle.postStart',
        ),
        (
            HTTP_HOOK,
            "the postStart hook of web fails: dial tcp: connection refused, so its container is killed: check lifecycle.postStart",
        ),
        (
            "exited with 7",
            "the postStart hook of web fails with exit code 7, so its container is killed: check lifecycle.postStart",
        ),
        ("", "the postStart hook of web fails, so its container is killed: check lifecycle.postStart"),
    ],
)
def test_a_post_start_hook_is_told_with_its_exit_and_output_and_stays_so_when_the_status_forgets(
    message, says
):
    """The status tells it for a second; then it is a back-off with a clean exit."""
    fails = {"waiting": {"reason": "PostStartHookError", "message": message}}
    failing = pod("a", ready=False, container={"state": fails, "ready": False})
    failed = event(failing, "FailedPostStartHook", "PostStartHook failed")
    known = snapshot(Deployment=[deployment()], Pod=[failing], Event=[failed])
    assert [(d.kind, d.sentence) for d in diagnoses(known, WEB, "R2")] == [("start", says)]
    ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    later = pod(
        "a",
        ready=False,
        container={
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": ended,
            "ready": False,
            "restartCount": 1,
        },
    )
    known = known.after(Delta("Pod", "MODIFIED", later))
    assert diagnoses(known, WEB, "R2")[0].fact == says
    assert not known.after(Delta("Pod", "DELETED", later)).hooks


def test_a_pre_stop_hook_of_an_old_pod_is_told_and_keeps_nobody():
    old = pod("old", release="R1")
    old["metadata"]["deletionTimestamp"] = NOW
    failed = event(old, "FailedPreStopHook", POST_START.replace("[sh", "[/bin/sh"))
    known = snapshot(Deployment=[deployment()], Pod=[pod("a"), old], Event=[failed])
    diagnosis = diagnoses(known, WEB, "R2")[0]
    assert diagnosis.sentence.startswith("the preStop hook of web fails with exit code 3 (no ")
    assert not diagnosis.permanent


@pytest.mark.parametrize("code", [1, 255])
@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("exec /app/arm64: exec format error", "/app/arm64"),
        ("exec container process `/app/run`: Exec format error", "/app/run"),
    ],
)
def test_a_program_for_another_processor_is_named(code: int, words: str, what: str):
    diagnosis = told(ended(code, message=f"{words}\n"))[0]
    assert diagnosis.sentence == (
        f"web cannot start: {what} is not for the node's processor (exec format error): build the image for it, "
        "and give a script its first line, such as #!/bin/sh"
    )
    assert (diagnosis.kind, diagnosis.permanent, diagnosis.everywhere) == ("start", True, True)


def test_a_side_car_is_named_as_what_it_is():
    both = [{"name": "main"}, {"name": "proxy"}]
    crashed = ended(3)["status"]["containerStatuses"][0] | {"name": "proxy"}
    known = pod("a", spec={"containers": both})
    known["status"]["containerStatuses"].append(crashed)
    ours = deployment()
    ours["spec"]["template"]["spec"]["containers"] = both
    sentence = diagnoses(snapshot(Deployment=[ours], Pod=[known]), WEB, "R2")[0].sentence
    assert sentence.startswith("side-car proxy of web exits with code 3")


def test_a_slow_start_is_no_suspicion_for_half_a_minute():
    waiting = pod("a", ready=False, container={"ready": False})
    refused = "Readiness probe failed: dial tcp 10.0.0.1:3000: connect: connection refused"
    early = told(
        waiting, event(waiting, "Unhealthy", refused, count=5, lastTimestamp="2026-11-24T10:00:25Z")
    )[0]
    late = told(waiting, event(waiting, "Unhealthy", refused, count=6, lastTimestamp="2026-11-24T10:00:30Z"))[
        0
    ]
    capped = told(
        waiting, event(waiting, "Unhealthy", refused, count=25, lastTimestamp="2026-11-24T10:00:25Z")
    )[0]
    assert (early.early, late.early, capped.early) == (True, False, False)
    answers = event(
        waiting, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", count=2
    )
    assert not told(waiting, answers)[0].early


def test_a_side_car_that_ends_is_a_crash_and_an_init_step_that_ends_well_is_none():
    done = {"name": "setup", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    step = {"name": "setup"}
    known = pod("a", spec={"initContainers": [step], "containers": [{"name": "main"}]})
    known["status"]["initContainerStatuses"] = [done]
    ours = deployment()
    ours["spec"]["template"]["spec"]["initContainers"] = [step]
    assert diagnoses(snapshot(Deployment=[ours], Pod=[known]), WEB, "R2") == ()
    step["restartPolicy"] = "Always"
    assert diagnoses(snapshot(Deployment=[ours], Pod=[known]), WEB, "R2")[0].kind == "crash"


def injected(status: dict[str, Any], *, image: str = "istio/proxyv2:1") -> dict[str, Any]:
    """A pod whose own container is well, with a proxy that a webhook has put into it."""
    proxy = {
        "name": "proxy",
        "image": image,
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 15021}},
    }
    known = pod("a", ready=False, container={"ready": True})
    known["spec"]["containers"].append(proxy)
    known["status"]["containerStatuses"].append({"name": "proxy", "ready": False, "restartCount": 0} | status)
    return known


CRASHED = {"exitCode": 1, "reason": "Error", "startedAt": NOW, "finishedAt": NOW}


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            {
                "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": CRASHED},
            },
            "container proxy of web (not in convox.yml) exits with code 1 right after its start, restarted 4 times",
        ),
        (
            {
                "restartCount": 1,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": CRASHED | {"exitCode": 137, "reason": "OOMKilled"}},
            },
            (
                "container proxy of web (not in convox.yml) was killed for using more memory than the node has,"
                " restarted once"
            ),
        ),
        (
            {"state": {"waiting": {"reason": "ErrImageNeverPull"}}},
            (
                "container proxy of web (not in convox.yml): image istio/proxyv2:1 is not on the node and"
                " imagePullPolicy is Never"
            ),
        ),
    ],
    ids=["crash", "memory", "image"],
)
def test_what_a_webhook_has_put_into_the_pod_is_told_as_such_and_fails_nothing(
    status: dict[str, Any], says: str
):
    (diagnosis,) = told(injected(status))
    assert diagnosis.sentence == says
    assert (diagnosis.kind, diagnosis.permanent, diagnosis.restarts, diagnosis.down) == (
        "sidecar",
        False,
        0,
        False,
    )


def test_the_health_of_an_injected_container_gives_no_hint_on_convox_yml():
    known = injected({"state": {"running": {"startedAt": NOW}}})
    failing = event(
        known,
        "Unhealthy",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        container="proxy",
    )
    (diagnosis,) = told(known, failing)
    assert diagnosis.sentence == (
        "container proxy of web (not in convox.yml) runs, but its health check GET :15021/ready answers 503"
    )


def restarted(times: int, **state: Any) -> dict[str, Any]:
    return pod("a", container={"restartCount": times, "lastState": {"terminated": CRASHED}} | state)


def since(known_pod: dict[str, Any], before: int) -> Any:
    """Diagnose a pod that had been restarted so often before the promotion began."""
    known = snapshot(Deployment=[deployment()], Pod=[known_pod])
    return diagnoses(known, WEB, "R2", before={"uid-a": before})


def test_what_crashed_before_the_promotion_is_no_trouble_of_this_one():
    assert since(restarted(3), 0)[0].restarts == 3
    assert since(restarted(3), 3) == ()


def test_a_kill_from_before_the_promotion_is_no_trouble_of_this_one():
    killed = event(
        restarted(1),
        "Killing",
        "Container main failed liveness probe, will be restarted",
        lastTimestamp="2026-11-24T09:00:00Z",
    )
    known = snapshot(Deployment=[deployment()], Pod=[restarted(1)], Event=[killed])
    assert diagnoses(known, WEB, "R2", before={"uid-a": 1}) == ()


def test_only_crashes_since_the_promotion_began_are_counted():
    (diagnosis,) = since(restarted(4), 3)
    assert diagnosis.restarts == 1
    assert diagnosis.sentence.endswith("restarted once")


def test_a_container_that_is_down_is_told_of_though_it_had_crashed_before():
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "ready": False}
    (diagnosis,) = since(restarted(3, **waiting), 3)
    assert (diagnosis.kind, diagnosis.restarts, diagnosis.down) == ("crash", 0, True)


@pytest.mark.parametrize(
    ("reason", "message", "says"),
    [
        (
            "Evicted",
            "The node was low on resource: memory.",
            "are evicted from their node: The node was low on",
        ),
        (
            "OutOfcpu",
            "Pod was rejected: not enough cpu",
            "are not kept by their node (OutOfcpu): Pod was rejected",
        ),
        ("NodeShutdown", "", "pods of web are not kept by their node (NodeShutdown)"),
    ],
)
def test_pods_that_a_node_throws_out_or_does_not_let_in_are_explained(reason: str, message: str, says: str):
    thrown = pod("a", ready=False, status={"phase": "Failed", "reason": reason, "message": message})
    (diagnosis,) = told(thrown)
    assert diagnosis.kind == "evicted"
    assert says in diagnosis.sentence
    assert not diagnosis.sentence.endswith((":", "."))


def test_a_look_at_many_pods_costs_as_much_a_pod_as_a_look_at_few(monkeypatch: pytest.MonkeyPatch):
    asked = 0
    pods_of = Snapshot.pods

    def counted(self: Snapshot, of: Any) -> Any:
        nonlocal asked
        asked += 1
        return pods_of(self, of)

    monkeypatch.setattr(Snapshot, "pods", counted)
    costs = []
    for number in (2, 50):
        known = snapshot(Deployment=[deployment()], Pod=[pod(str(n)) for n in range(number)])
        asked = 0
        diagnoses(known, WEB, "R2")
        costs.append(asked)
    assert costs[0] == costs[1], "all pods are gone through a fixed number of times, not once for each pod"


def test_the_worst_comes_first_and_everywhere_means_every_pod_that_got_so_far():
    missing = pod("a", container=PULLING, ready=False)
    crashing = ended(1)
    crashing["metadata"] = pod("b")["metadata"]
    absent = event(missing, "Failed", f'Failed to pull image "{IMAGE}": {IMAGE}: not found')
    known = snapshot(Deployment=[deployment()], Pod=[crashing, missing], Event=[absent])
    found = diagnoses(known, WEB, "R2")
    assert [(t.kind, t.pod, t.everywhere) for t in found] == [("image", "a", False), ("crash", "b", True)]


@given(
    reason=st.text(max_size=30),
    message=st.text(max_size=200),
    state=st.sampled_from(["waiting", "terminated", "running"]),
    event_reason=st.sampled_from(
        ["Failed", "Unhealthy", "Killing", "FailedMount", "InspectFailed", "BackOff"]
    ),
)
def test_no_text_of_the_cluster_can_break_the_diagnosis(
    reason: str, message: str, state: str, event_reason: str
):
    known = pod(
        "a", ready=False, container={"ready": False, "state": {state: {"reason": reason, "message": message}}}
    )
    for diagnosis in told(known, event(known, event_reason, message)):
        assert diagnosis.sentence.startswith(diagnosis.fact[:20])
        assert len(diagnosis.sentence) < 600
