"""When an agent and a resource are ready: what their own kinds say, told by their revisions."""

from typing import Any

import pytest

from core.cluster.snapshot import Snapshot
from core.cluster.templates import template_digest
from core.cluster.watching.readiness import absent_state, service_state
from core.records.bundle import BundleService, Ref
from core.records.intent import Applied
from core.records.observation import DiagnosisKind, Readiness, ServiceState
from tests.core.cluster.things import NOW, event, pod, snapshot

AGENT = BundleService(name="dd", workload=Ref("DaemonSet", "dd"), count=1, settle=20)
DATABASE = BundleService(
    name="resource-db", workload=Ref("StatefulSet", "resource-db"), count=1, settle=10, resource="db"
)


def template(image: str = "2", release: str = "R2") -> dict[str, Any]:
    return {
        "metadata": {"labels": {"service": "dd", "release": release}},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }


def workload(kind: str, image: str = "2", release: str = "R2", **status: Any) -> dict[str, Any]:
    name = "dd" if kind == "DaemonSet" else "resource-db"
    counts = (
        {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
        if kind == "DaemonSet"
        else {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    )
    return {
        "kind": kind,
        "metadata": {"name": name, "uid": "w1", "generation": 2, "creationTimestamp": NOW},
        "spec": {"selector": {"matchLabels": {"service": "dd"}}, "template": template(image, release)},
        "status": {"observedGeneration": 2, **counts, **status},
    }


def revision(kind: str, mark: str, image: str, release: str = "R2") -> dict[str, Any]:
    name = "dd" if kind == "DaemonSet" else "resource-db"
    owner = {"kind": kind, "name": name, "uid": "w1", "controller": True}
    return {
        "metadata": {"name": f"{name}-{mark}", "uid": f"cr-{mark}", "ownerReferences": [owner]},
        "data": {"spec": {"template": {**template(image, release), "$patch": "replace"}}},
    }


def made(
    kind: str, name: str, mark: str, node: str = "n1", release: str = "R2", **more: Any
) -> dict[str, Any]:
    owner = {
        "kind": kind,
        "name": "dd" if kind == "DaemonSet" else "resource-db",
        "uid": "w1",
        "controller": True,
    }
    labels = {"service": "dd", "controller-revision-hash": mark, "release": release}
    metadata = {**pod(name)["metadata"], "ownerReferences": [owner], "labels": labels}
    return pod(name, metadata=metadata, spec={"nodeName": node, "containers": [{"name": "main"}]}, **more)


def applied(service: BundleService, live: dict[str, Any]) -> Applied:
    return Applied(ref=service.workload, uid="w1", generation=2, template=template_digest(live))


def agent(
    live: dict[str, Any] | None = None, *pods: dict[str, Any], lacking: tuple[str, ...] = ()
) -> ServiceState:
    live = live or workload("DaemonSet")
    both = pods or (made("DaemonSet", "a", "new"), made("DaemonSet", "b", "new", "n2"))
    known = snapshot(
        DaemonSet=[live],
        ControllerRevision=[revision("DaemonSet", "old", "1", "R1"), revision("DaemonSet", "new", "2")],
        Pod=list(both),
    )
    return service_state(known, AGENT, applied(AGENT, live), "R2", lacking=lacking)


def test_an_agent_is_complete_with_a_ready_pod_of_the_new_revision_on_every_node():
    state = agent()
    assert (state.readiness, state.sentence, state.desired) == (
        Readiness.READY,
        "2 of 2 new pods are ready",
        2,
    )


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ({"updatedNumberScheduled": 1}, "1 of 2 new pods are ready"),
        ({"numberAvailable": 1}, "1 of 2 new pods ready for long enough"),
        ({"numberAvailable": None}, "0 of 2 new pods ready for long enough"),
    ],
)
def test_its_counters_must_say_so_too(status, sentence):
    assert agent(workload("DaemonSet", **status)).sentence == sentence


def test_a_pod_of_another_revision_is_none_of_ours_whatever_its_label_says():
    state = agent(None, made("DaemonSet", "a", "new"), made("DaemonSet", "b", "old", "n2"))
    assert (state.readiness, len(state.pods)) == (Readiness.PROGRESSING, 1)


def test_a_node_without_a_ready_pod_before_is_left_out_by_name():
    live = workload("DaemonSet", updatedNumberScheduled=1, numberAvailable=1)
    broken = made("DaemonSet", "b", "new", "n2", ready=False)
    state = agent(live, made("DaemonSet", "a", "new"), broken, lacking=("n2",))
    assert (state.readiness, state.desired, state.ready) == (Readiness.READY, 1, 1)
    assert state.sentence == "1 of 1 new pod is ready; left out: n2, where no pod of it was ready before"
    assert agent(live, made("DaemonSet", "a", "new"), broken).readiness is Readiness.PROGRESSING


def test_a_node_that_has_one_now_is_not_left_out():
    assert agent(lacking=("n2",)).sentence == "2 of 2 new pods are ready"


def test_no_node_at_all_is_said():
    nothing = workload("DaemonSet", desiredNumberScheduled=0, updatedNumberScheduled=0, numberAvailable=0)
    known = snapshot(DaemonSet=[nothing])
    state = service_state(known, AGENT, applied(AGENT, nothing), "R2")
    assert (state.readiness, state.sentence) == (Readiness.READY, "no node takes it: nothing is running")


def database(known: Snapshot, live: dict[str, Any]) -> ServiceState:
    return service_state(known, DATABASE, applied(DATABASE, live), "R2")


def test_a_resource_belongs_to_no_release_and_is_ready_when_it_is_available():
    live = workload("StatefulSet", release="")
    known = snapshot(
        StatefulSet=[live],
        ControllerRevision=[revision("StatefulSet", "new", "2", "")],
        Pod=[made("StatefulSet", "resource-db-0", "resource-db-new", release="")],
    )
    state = database(known, live)
    assert (state.readiness, state.sentence, state.released) == (
        Readiness.READY,
        "1 of 1 pod is ready",
        False,
    )
    assert len(state.pods) == 1


def test_a_resource_that_is_ready_and_not_available_yet_is_awaited():
    live = workload("StatefulSet", release="", availableReplicas=0)
    known = snapshot(
        StatefulSet=[live],
        ControllerRevision=[revision("StatefulSet", "new", "2", "")],
        Pod=[made("StatefulSet", "resource-db-0", "resource-db-new", release="")],
    )
    assert database(known, live).sentence == "0 of 1 pod is ready"


def test_a_database_that_somebody_has_scaled_to_0_is_left_so():
    live = workload("StatefulSet", release="", updatedReplicas=0, availableReplicas=0)
    live["spec"]["replicas"] = 0
    assert database(snapshot(StatefulSet=[live]), live).sentence == "scaled to 0: nothing is running"


def test_what_somebody_changed_in_its_template_is_theirs():
    live = workload("StatefulSet", release="")
    known = snapshot(StatefulSet=[workload("StatefulSet", image="3", release="")])
    assert database(known, live).diagnoses[0].kind is DiagnosisKind.OVERWRITTEN


@pytest.mark.parametrize(("kind", "name"), [("DaemonSet", "dd"), ("StatefulSet", "resource-db")])
def test_pods_of_one_that_was_removed_are_awaited(kind, name):
    known = snapshot(Pod=[made(kind, "a", "new")])
    (left,) = absent_state(known, [Ref(kind, name)])
    assert left.sentence == "1 pod is still stopping"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "DaemonSet",
            'Error creating: pods "dd-x2f4q" is forbidden: exceeded quota: small, requested: pods=1',
        ),
        (
            "StatefulSet",
            (
                'create Pod resource-db-0 in StatefulSet resource-db failed error: pods "resource-db-0" is forbidden:'
                " exceeded quota: small, requested: pods=1"
            ),
        ),
    ],
)
def test_what_keeps_its_pods_from_being_made_is_told_and_ends_nothing(kind: str, said: str):
    counter = "numberAvailable" if kind == "DaemonSet" else "availableReplicas"
    live = workload(kind, "2", "R2", **{counter: 0})
    service = AGENT if kind == "DaemonSet" else DATABASE
    told = event(live, "FailedCreate", said)
    told["involvedObject"] = {"kind": kind, "uid": "w1", "name": live["metadata"]["name"]}
    state = service_state(snapshot(**{kind: [live]}, Event=[told]), service, applied(service, live), "R2")
    (found,) = state.diagnoses
    assert (found.kind, found.permanent) == (DiagnosisKind.QUOTA, False)
    assert found.sentence.startswith(
        f"the namespace's quota allows no new pod of {service.name}: exceeded small"
    )


def test_once_its_pods_are_there_an_old_event_says_nothing():
    live = workload("DaemonSet")
    told = event(live, "FailedCreate", 'Error creating: pods "dd-x2f4q" is forbidden: exceeded quota: small')
    told["involvedObject"] = {"kind": "DaemonSet", "uid": "w1"}
    known = snapshot(
        DaemonSet=[live],
        ControllerRevision=[revision("DaemonSet", "new", "2")],
        Pod=[made("DaemonSet", "a", "new"), made("DaemonSet", "b", "new", "n2")],
        Event=[told],
    )
    assert service_state(known, AGENT, applied(AGENT, live), "R2").diagnoses == ()
