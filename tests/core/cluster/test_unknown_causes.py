"""What is told where Kubernetes gives a cause that nobody has seen yet, or none: as much as is known, and no guess."""

from datetime import datetime
from typing import Any

import pytest

from core.cluster.diagnosis import diagnoses
from core.cluster.snapshot import Delta
from core.cluster.watching.lines import lines
from core.cluster.watching.readiness import service_state
from core.records.intent import Intent
from core.records.observation import Readiness
from tests.core.cluster.things import NOW, WEB, deployment, event, pod, replica_set, snapshot

LONG = "runc create failed: " + "a layer of wrapping: " * 20


def told(known_pod: dict[str, Any], *events: dict[str, Any]) -> list[str]:
    known = snapshot(Deployment=[deployment()], ReplicaSet=[replica_set()], Pod=[known_pod], Event=events)
    return [diagnosis.sentence for diagnosis in diagnoses(known, WEB, "R2")]


def waiting(reason: str, message: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod("a", ready=False, container={"ready": False, "state": state})


def ended(reason: str, message: str) -> dict[str, Any]:
    state = {"terminated": {"reason": reason, "message": message, "exitCode": 128}}
    return pod("a", ready=False, container={"ready": False, "state": state})


def unscheduled(reason: str, message: str = "", **spec: Any) -> dict[str, Any]:
    scheduled = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return pod("a", spec={"nodeName": None} | spec, status={"conditions": [scheduled], "phase": "Pending"})


def test_where_there_is_no_deployment_nothing_is_wrong_with_its_pods():
    assert diagnoses(snapshot(Pod=[waiting("CrashLoopBackOff", "")]), WEB, "R2") == ()


def test_a_deployment_that_was_not_applied_yet_is_judged_by_what_it_shows():
    known = snapshot(Deployment=[deployment()], ReplicaSet=[replica_set()], Pod=[pod("a"), pod("b")])
    assert service_state(known, WEB, None, "R2").readiness is not Readiness.FAILED


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("no such device", "web cannot be started: no such device"),
        ("", "web cannot be started: CreateContainerError"),
    ],
)
def test_a_container_that_cannot_be_made_is_told_in_the_runtimes_words(message: str, says: str):
    assert told(waiting("CreateContainerError", message)) == [says]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("cgroups: no space left: unknown", "web cannot start: cgroups: no space left"),
        (f"{LONG}no space left: unknown", f"web cannot start: …{(LONG + 'no space left')[-199:].strip()}"),
        ("", "web cannot start: the container runtime gives no reason"),
    ],
)
def test_of_a_start_that_failed_the_end_of_the_runtimes_text_is_told_where_the_cause_stands(
    message: str, says: str
):
    assert told(ended("StartError", message)) == [says]


def test_a_check_of_a_tcp_port_that_fails_is_told_with_its_port():
    spec = {"name": "main", "readinessProbe": {"tcpSocket": {"port": 5432}}}
    slow = pod("a", ready=False, container={"ready": False}, spec={"containers": [spec]})
    failed = event(slow, "Unhealthy", "Readiness probe failed: dial tcp 10.0.0.1:5432: i/o timeout", count=3)
    (said,) = told(slow, failed)
    assert "health check on port 5432" in said


def test_a_pod_behind_a_scheduling_gate_is_held_back_and_lacks_no_room():
    assert told(unscheduled("SchedulingGated")) == ["web waits: its pods are held back by a scheduling gate"]


def test_a_scheduler_that_gives_another_reason_has_not_refused_a_place():
    assert told(unscheduled("SchedulerError", "the cache is out of date")) == []


CLAIMS = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
DATA = {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}, {"emptyDir": {}}]}


def of_claim(reason: str, message: str) -> dict[str, Any]:
    said = event({"metadata": {"uid": "claim"}}, reason, message)
    return said | {"involvedObject": {"kind": "PersistentVolumeClaim", "name": "data"}}


@pytest.mark.parametrize("events", [[], [of_claim("WaitForFirstConsumer", "waiting for a first consumer")]])
def test_a_claim_that_nothing_is_said_of_is_pending_without_a_reason(events: list[dict[str, Any]]):
    assert told(unscheduled("Unschedulable", CLAIMS, **DATA), *events) == [
        'the volume claim "data" of web is pending: no volume was made for it yet'
    ]


def test_a_claim_whose_volume_could_not_be_made_is_told_in_the_provisioners_words():
    failed = of_claim("ProvisioningFailed", "quota of disks exceeded")
    assert told(unscheduled("Unschedulable", CLAIMS, **DATA), failed) == [
        'the volume claim "data" of web is pending: quota of disks exceeded'
    ]


def test_a_volume_that_cannot_be_mounted_is_told_in_the_last_words_of_the_node():
    held = waiting("ContainerCreating", "")
    failed = event(held, "FailedMount", 'MountVolume.SetUp failed for volume "data" : no such host')
    assert told(held, failed) == ['the volume "data" of web cannot be mounted: no such host']


def test_an_event_of_a_pull_in_other_words_is_no_line():
    known = snapshot(Deployment=[deployment()], ReplicaSet=[replica_set()])
    fresh = pod("a", container={"state": {"waiting": {}}})
    deltas = [Delta("Pod", "ADDED", fresh), Delta("Event", "ADDED", event(fresh, "Pulled", "it is here now"))]
    _, said = lines(known, deltas, Intent(namespace_uid="", objects=()), datetime.fromisoformat(NOW))
    assert [line.text for line in said] == [
        "Created pod: a",
        "Successfully assigned convox-app/a to n1",
    ]
