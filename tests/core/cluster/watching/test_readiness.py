"""When a service is ready, and everything that looks like it and is not."""

from dataclasses import replace
from typing import Any

import pytest

from core.cluster.snapshot import Delta, Snapshot
from core.cluster.templates import template_digest
from core.cluster.watching.readiness import absent_state, service_state
from core.records.bundle import Ref
from core.records.intent import Applied
from core.records.observation import DiagnosisKind, PodMilestone, Readiness
from tests.core.cluster.things import MINE, NOW, WEB, deployment, event, pod, replica_set, snapshot


def judged(known: Snapshot, applied: Applied | None = MINE):
    return service_state(known, WEB, applied, "R2")


def whole(**changes: Any) -> Snapshot:
    return snapshot(Deployment=[deployment(**changes)], ReplicaSet=[replica_set()], Pod=[pod("a"), pod("b")])


def test_a_finished_deployment_with_all_its_pods_is_ready():
    state = judged(whole())
    assert state.readiness is Readiness.READY
    assert (state.sentence, state.desired, len(state.pods), state.ready) == (
        "2 of 2 new pods are ready",
        2,
        2,
        2,
    )


def test_ready_pods_of_what_ran_before_are_counted_until_they_go():
    pods = [
        pod("a"),
        pod("b", release="R1"),
        pod("c", release="R1", ready=False),
        pod("d", release="R1", metadata={"deletionTimestamp": NOW}),
        pod("e", release="R1", status={"phase": "Failed"}),
    ]
    state = judged(snapshot(Deployment=[deployment()], ReplicaSet=[replica_set()], Pod=pods))
    assert (state.ready, state.other_ready) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"metadata": {"generation": 1}}, "waiting until our change can be seen"),
        ({"status": {"observedGeneration": 1}}, "waiting until Kubernetes takes up the change"),
        ({"release": "R1"}, "its pods are made for R1, not for R2"),
        ({"status": {"updatedReplicas": 1, "replicas": 3}}, "1 of 2 new pods are ready"),
        ({"status": {"replicas": 3}}, "1 old pod still has to go"),
        ({"status": {"availableReplicas": 1}}, "1 of 2 new pods ready for long enough"),
        ({"status": {"updatedReplicas": None}}, "0 of 2 new pods are ready"),
    ],
)
def test_what_looks_finished_and_is_not_is_still_in_progress(changes: dict[str, Any], sentence: str):
    state = judged(whole(**changes))
    assert (state.readiness, state.sentence) == (Readiness.PROGRESSING, sentence)


@pytest.mark.parametrize(
    "second",
    [
        pod("b", ready=False),
        pod("b", release="R1"),
        pod("b", metadata={"deletionTimestamp": NOW}),
        pod("b", status={"phase": "Failed", "reason": "Evicted"}),
    ],
)
def test_counters_alone_are_not_believed(second: dict[str, Any]):
    """Controllers may stand still, or their watch may lag: the pods themselves must be there."""
    metadata = pod("b")["metadata"] | second["metadata"]
    known = snapshot(Deployment=[deployment()], Pod=[pod("a"), second | {"metadata": metadata}])
    assert judged(known).readiness is Readiness.PROGRESSING


def test_a_pod_without_a_replica_set_is_nobodys():
    bare = pod("b", metadata={**pod("b")["metadata"], "ownerReferences": []})
    assert len(judged(snapshot(Deployment=[deployment()], Pod=[pod("a"), bare])).pods) == 1


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            {"replicas": 2, "updatedReplicas": 0},
            "down until 2 old pods have stopped and the new ones are ready",
        ),
        (
            {"replicas": 0, "updatedReplicas": 0, "terminatingReplicas": 1},
            "down until 1 old pod has stopped and the new ones are ready",
        ),
        ({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 0}, "1 of 2 new pods are ready"),
    ],
)
def test_what_must_not_run_twice_is_down_until_its_old_pods_have_stopped(
    status: dict[str, Any], sentence: str
):
    state = judged(whole(spec={"strategy": {"type": "Recreate"}}, status=status))
    assert (state.readiness, state.sentence) == (Readiness.PROGRESSING, sentence)


def test_scaled_to_nothing_is_ready_and_says_so():
    status = {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}
    state = judged(snapshot(Deployment=[deployment(spec={"replicas": 0}, status=status)]))
    assert (state.readiness, len(state.pods), state.sentence) == (
        Readiness.READY,
        0,
        "scaled to 0: nothing is running",
    )


def test_a_deployment_that_has_not_been_seen_yet_may_just_be_late():
    assert judged(Snapshot()).readiness is Readiness.PROGRESSING


def test_a_deployment_that_was_seen_to_vanish_is_lost():
    gone = whole().after(Delta("Deployment", "DELETED", deployment()))
    state = judged(gone)
    assert (state.readiness, state.sentence) == (Readiness.FAILED, "its Deployment was deleted by somebody")


def test_a_deployment_under_another_uid_is_lost():
    state = judged(whole(metadata={"uid": "d2"}))
    assert (state.readiness, state.sentence) == (
        Readiness.FAILED,
        "its Deployment was deleted and made anew by somebody",
    )


def test_a_deployment_that_is_going_is_lost_before_it_is_gone():
    state = judged(whole(metadata={"deletionTimestamp": NOW}))
    assert state.sentence == "its Deployment is being deleted by somebody"


def test_a_generation_above_ours_is_no_obstacle():
    """A /scale of ours raises it too; what counts is that the controller has seen the newest."""
    state = judged(whole(metadata={"generation": 5}, status={"observedGeneration": 5}))
    assert state.readiness is Readiness.READY


def test_no_time_of_the_cluster_is_in_a_state():
    """Engine rule 51: clocks of nodes decide nothing, so a pod that seems to be from tomorrow is a pod as any other."""
    now, tomorrow = pod("a"), pod("a", since="2026-11-25T10:00:00Z")
    assert judged(snapshot(Deployment=[deployment()], Pod=[now])) == judged(
        snapshot(Deployment=[deployment()], Pod=[tomorrow])
    )


def step_of(*, events: tuple[str, ...] = (), spec: dict | None = None, **status: object) -> PodMilestone:
    made = pod("a", ready=False, spec=spec or {})
    made["status"] |= status
    told = [
        event(made, reason, "x", uid=f"e{n}", lastTimestamp=f"2026-11-24T10:00:0{n}Z")
        for n, reason in enumerate(events)
    ]
    (state,) = judged(snapshot(Deployment=[deployment()], Pod=[made], Event=told)).pods
    return state.milestone


def waiting(reason: str = "ContainerCreating", **more: object) -> list[dict]:
    return [{"name": "main", "restartCount": 0, "state": {"waiting": {"reason": reason}}, **more}]


def sandbox(there: str) -> list[dict]:
    return [{"type": "PodReadyToStartContainers", "status": there}, {"type": "Ready", "status": "False"}]


def test_a_pod_takes_its_steps_one_after_the_other():
    assert step_of(spec={"nodeName": ""}, containerStatuses=[]) is PodMilestone.CREATED
    assert step_of(containerStatuses=[]) is PodMilestone.SCHEDULED
    assert step_of(containerStatuses=waiting()) is PodMilestone.PULLING
    assert step_of() is PodMilestone.STARTED
    (ready,) = judged(snapshot(Deployment=[deployment()], Pod=[pod("a")])).pods
    assert ready.milestone is PodMilestone.READY


def test_a_pull_is_what_a_container_waits_for_once_its_sandbox_is_there():
    assert step_of(containerStatuses=waiting(), conditions=sandbox("False")) is PodMilestone.SCHEDULED
    assert step_of(containerStatuses=waiting(), conditions=sandbox("True")) is PodMilestone.PULLING
    assert step_of(containerStatuses=waiting(), events=("Pulling",)) is PodMilestone.PULLING
    assert step_of(containerStatuses=waiting(), events=("Pulling", "Pulled")) is PodMilestone.SCHEDULED


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"])
def test_a_pull_that_failed_is_no_pull_in_progress(reason: str):
    assert step_of(containerStatuses=waiting(reason), events=("Pulling",)) is PodMilestone.SCHEDULED


def test_a_container_that_waits_to_run_again_was_started_and_does_not_run():
    ended = {"terminated": {"exitCode": 1, "finishedAt": "2026-11-24T10:00:00Z"}}
    made = pod(
        "a",
        ready=False,
        container={"restartCount": 1, "state": waiting("CrashLoopBackOff")[0]["state"], "lastState": ended},
    )
    (state,) = judged(snapshot(Deployment=[deployment()], Pod=[made])).pods
    assert (state.milestone, state.running, state.restarts) == (PodMilestone.STARTED, False, 1)


def test_restarts_of_what_a_webhook_put_in_are_not_counted():
    statuses = [
        {"name": "main", "restartCount": 1, "state": {}},
        {"name": "istio-proxy", "restartCount": 7, "state": {}},
    ]
    known = pod(
        "a",
        spec={"containers": [{"name": "main"}, {"name": "istio-proxy"}]},
        status={"containerStatuses": statuses, "phase": "Running"},
    )
    assert judged(snapshot(Deployment=[deployment()], Pod=[known])).restarts == {"uid-a": 1}


def test_a_kill_and_the_restart_that_follows_are_one():
    restarted = pod("a", container={"restartCount": 1})
    killed = event(restarted, "Killing", "Container main failed liveness probe, will be restarted")
    known = snapshot(Deployment=[deployment()], Pod=[restarted], Event=[killed])
    assert judged(known).restarts == {"uid-a": 1}


def test_old_pods_that_still_stop_are_told_and_do_not_hold_it_up():
    going = pod("old", release="R1")
    going["metadata"]["deletionTimestamp"] = NOW
    state = judged(snapshot(Deployment=[deployment()], Pod=[pod("a"), pod("b"), going]))
    assert state.readiness is Readiness.READY
    assert state.sentence == "2 of 2 new pods are ready; 1 old pod is still stopping"


def test_a_removal_names_what_is_still_there_until_its_pods_are_gone():
    refs = [Ref("Deployment", "web"), Ref("Secret", "env-web-r1")]
    known = snapshot(Deployment=[deployment()], Secret=[{"metadata": {"name": "env-web-r1", "uid": "s"}}])
    assert [s.name for s in absent_state(known, refs)] == ["Deployment/web", "Secret/env-web-r1"]
    known = known.after(Delta("Deployment", "DELETED", deployment()))
    known = known.after(Delta("Secret", "DELETED", {"metadata": {"name": "env-web-r1", "uid": "s"}}))
    assert absent_state(known, refs) == ()
    stopping = absent_state(known.after(Delta("Pod", "ADDED", pod("a"))), refs)
    assert [(s.name, s.sentence) for s in stopping] == [("Deployment/web", "1 pod is still stopping")]


def test_a_snapshot_never_holds_what_a_secret_says():
    secret = {
        "metadata": {"name": "env", "uid": "s", "annotations": {"a": "hunter2"}},
        "data": {"K": "aHVudGVyMg=="},
    }
    assert "hunter2" not in str(snapshot(Secret=[secret])).replace("aHVudGVyMg==", "hunter2")


# What somebody else rolls out (engine rules 44 and 53).


def ours(**changes: Any) -> dict[str, Any]:
    """A Deployment of ours; `image` is in its template, `books` is what managedFields says beside our own."""
    made = deployment(**{k: v for k, v in changes.items() if k not in {"image", "books", "notes"}})
    made["spec"]["template"]["spec"] = {
        "containers": [{"name": "main", "image": changes.get("image", "web:2")}]
    }
    if "notes" in changes:
        made["spec"]["template"]["metadata"]["annotations"] = changes["notes"]
    made["metadata"]["managedFields"] = changes.get("books", [])
    return made


def book(manager: str, spec: dict[str, Any], at: str = NOW) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": at, "fieldsV1": {"f:spec": spec}}


def image_by(manager: str, at: str = NOW) -> dict[str, Any]:
    of_main: dict[str, Any] = {'k:{"name":"main"}': {"f:image": {}}}
    return book(manager, {"f:template": {"f:spec": {"f:containers": of_main}}}, at)


def made_by(name: str, uid: str, template: dict[str, Any]) -> dict[str, Any]:
    found = replica_set()
    labels = {**template["metadata"]["labels"], "pod-template-hash": name}
    found["metadata"] |= {"name": name, "uid": uid}
    found["spec"]["template"] = {**template, "metadata": {**template["metadata"], "labels": labels}}
    return found


APPLIED = replace(MINE, template=template_digest(ours()))


def test_another_template_than_ours_is_somebody_elses_rollout_and_names_them():
    books = [image_by("argocd", "2026-11-24T09:00:00Z"), image_by("kubectl-set")]
    state = judged(
        snapshot(Deployment=[ours(image="web:hand", books=books)], Pod=[pod("a"), pod("b")]), APPLIED
    )
    assert state.readiness is Readiness.FAILED
    assert state.sentence == (
        'kubectl-set changed .spec.template.spec.containers[name="main"].image of web while it was rolled out'
    )
    assert [d.kind for d in state.diagnoses] == [DiagnosisKind.OVERWRITTEN]


def test_who_took_a_field_away_may_be_named_by_nobody():
    state = judged(snapshot(Deployment=[ours(image="")]), APPLIED)
    assert state.sentence == "somebody changed the pod template of web while it was rolled out"


@pytest.mark.parametrize(
    ("notes", "who"),
    [({"convox-bot/promotion": "PLATER00000"}, "promotion PLATER00000"), ({}, "another promotion")],
)
def test_a_release_that_this_database_does_not_know_of_is_no_stranger_s_change(notes, who):
    """As where a backup was restored of a rollout that another one came after."""
    live = ours(image="web:3", release="R3", metadata={"annotations": notes})
    state = judged(snapshot(Deployment=[live]), APPLIED)
    assert state.sentence == (
        f"{who} of convox-bot put R3 into web while it was rolled out: it was asked for after the backup that this database"
        " comes from, or by a second bot"
    )
    assert [d.kind for d in state.diagnoses] == [DiagnosisKind.OVERWRITTEN]


def test_a_template_from_before_our_apply_is_nobodys_change():
    before = ours(image="web:1", metadata={"generation": 1})
    assert judged(snapshot(Deployment=[before]), APPLIED).sentence == "waiting until our change can be seen"


def test_a_restart_by_kubectl_changes_no_release():
    notes = {"kubectl.kubernetes.io/restartedAt": "2026-11-24T10:00:01Z"}
    restarted = ours(notes=notes)
    first = made_by("web-1", "rs1", ours()["spec"]["template"])
    second = made_by("web-2", "rs2", restarted["spec"]["template"])
    again = pod("b")
    again["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "name": "web-2", "uid": "rs2", "controller": True}
    ]
    known = snapshot(Deployment=[restarted], ReplicaSet=[first, second], Pod=[pod("a"), again])
    assert [p.uid for p in judged(known, APPLIED).pods] == ["uid-b"], (
        "those of the template that is asked for now"
    )


def test_a_label_alone_makes_no_pod_one_of_ours():
    """Somebody changed the template and changed it back: pods of in between carry the release's label too."""
    other = made_by("web-2", "rs2", ours(image="web:hand")["spec"]["template"])
    mine = made_by("web-1", "rs1", ours()["spec"]["template"])
    between = pod("b")
    between["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "name": "web-2", "uid": "rs2", "controller": True}
    ]
    bare = pod("c", metadata={**pod("c")["metadata"], "ownerReferences": []})
    known = snapshot(Deployment=[ours()], ReplicaSet=[other, mine], Pod=[pod("a"), between, bare])
    state = judged(known, APPLIED)
    assert ([p.uid for p in state.pods], state.readiness) == (["uid-a"], Readiness.PROGRESSING)


def test_whoever_pauses_a_rollout_is_named_with_what_resumes_it():
    paused = ours(spec={"paused": True, "template": ours()["spec"]["template"]})
    paused["metadata"] |= {
        "managedFields": [book("kubectl-rollout", {"f:paused": {}})],
        "namespace": "convox-app",
    }
    state = judged(snapshot(Deployment=[paused]), APPLIED)
    assert (state.readiness, [d.kind for d in state.diagnoses]) == (Readiness.FAILED, [DiagnosisKind.PAUSED])
    assert state.sentence == (
        "kubectl-rollout has paused the rollout of web:"
        " `kubectl rollout resume deployment/web -n convox-app` lets it go on"
    )
