"""A look costs what has changed: states and views are made anew only where a change may have touched them."""

from collections.abc import Callable
from typing import Any

import pytest

from core.cluster import diagnosis
from core.cluster import snapshot as snapshot_module
from core.cluster.diagnosis import view
from core.cluster.diagnosis.view import pod_view
from core.cluster.documents import name_of
from core.cluster.snapshot import Delta, Snapshot
from core.cluster.watching import pods, service_states
from core.cluster.watching.lines import lines
from core.cluster.watching.service_states import ServiceStates
from core.records.bundle import Bundle, BundleService, Ref
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from core.records.observation import Readiness
from tests.core.cluster.things import deployment, event, pod, replica_set
from tests.fakes import START

NAMES = tuple(f"s{number}" for number in range(10))
PODS = 10
EMPTY_SENTENCE = Intent(namespace_uid="ns", objects=())


def deployment_of(name: str) -> dict[str, Any]:
    labels = {"service": name}
    made = deployment(metadata={"name": name, "uid": f"d-{name}"}, status={"availableReplicas": 2})
    made["spec"] = made["spec"] | {"selector": {"matchLabels": labels}}
    return made


def set_of(name: str) -> dict[str, Any]:
    made = replica_set()
    owner = {"kind": "Deployment", "name": name, "uid": f"d-{name}", "controller": True}
    made["metadata"] |= {"name": f"{name}-abc", "uid": f"rs-{name}", "ownerReferences": [owner]}
    return made


def pod_of(name: str, number: int, **changes: Any) -> dict[str, Any]:
    made = pod(f"{name}-{number}", **changes)
    owner = {"kind": "ReplicaSet", "name": f"{name}-abc", "uid": f"rs-{name}", "controller": True}
    made["metadata"] = made["metadata"] | {
        "labels": {"service": name, "release": "R2"},
        "ownerReferences": [owner],
    }
    return made


def everything() -> list[Delta]:
    deltas = []
    for name in NAMES:
        deltas += [
            Delta("Deployment", "ADDED", deployment_of(name)),
            Delta("ReplicaSet", "ADDED", set_of(name)),
            *(Delta("Pod", "ADDED", pod_of(name, number)) for number in range(PODS)),
        ]
    return deltas


SERVICES = tuple(BundleService(name=n, workload=Ref("Deployment", n), count=2, settle=20) for n in NAMES)
BUNDLE = Bundle(release="R2", app="app", objects=(), services=SERVICES, digest="", render_version=1)
TARGET = DesiredState(release="R2", bundle=BUNDLE)


def counted(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, note: Callable[[tuple[Any, ...]], None]
) -> None:
    """Note the arguments of every call of a function."""
    real = getattr(module, name)

    def noted(*args: Any, **keywords: Any) -> Any:
        note(args)
        return real(*args, **keywords)

    monkeypatch.setattr(module, name, noted)


class Counted:
    """A namespace that is looked at, and what each look has computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[str] = []
        self.views: list[str] = []
        self.asked: list[str] = []
        self.snapshot = Snapshot()
        self.known = ServiceStates({})
        counted(monkeypatch, service_states, "service_state", lambda args: self.states.append(args[1].name))
        counted(monkeypatch, view, "_made", lambda args: self.views.append(args[1]["metadata"]["name"]))
        counted(monkeypatch, diagnosis, "_worst_of", lambda args: self.asked.append(args[1].name))
        counted(monkeypatch, pods, "_state", lambda args: self.asked.append(name_of(args[1])))

    def look(self, *deltas: Delta):
        self.states.clear()
        self.views.clear()
        self.asked.clear()
        self.snapshot, _ = lines(self.snapshot, deltas, EMPTY_SENTENCE, START)
        self.known.take(deltas)
        return {state.name: state for state in self.known.of(self.snapshot, TARGET)}


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted(monkeypatch)
    made.look(*everything())
    assert sorted(made.states) == sorted(NAMES)
    return made


def test_a_look_at_which_nothing_has_changed_computes_nothing(namespace: Counted):
    before = namespace.look()
    assert (namespace.states, namespace.views) == ([], [])
    assert all(namespace.look()[name] is state for name, state in before.items())


def test_a_change_of_one_pod_of_a_hundred_makes_one_state_and_that_pods_view(namespace: Counted):
    states = namespace.look(Delta("Pod", "MODIFIED", pod_of("s3", 4, ready=False)))
    assert namespace.states == ["s3"]
    assert set(namespace.views) == {"s3-4"}
    assert len(namespace.views) <= 2, "one for its lines, one for its state and diagnosis"
    assert namespace.asked == ["s3-4", "s3-4"], "what it has come to, and what is wrong with it"
    assert states["s3"].ready == PODS - 1


def test_an_event_makes_the_state_of_its_pods_service_anew(namespace: Counted):
    late = event(pod_of("s5", 1), "Killing", "Container main failed liveness probe, will be restarted")
    states = namespace.look(Delta("Event", "ADDED", late))
    assert namespace.states == ["s5"]
    assert [p.restarts for p in states["s5"].pods].count(1) == 1


def test_an_event_that_comes_before_its_pod_is_told_with_it(namespace: Counted):
    new = pod_of("s5", PODS)
    killed = event(new, "Killing", "Container main failed liveness probe, will be restarted")
    namespace.look(Delta("Event", "ADDED", killed))
    assert namespace.states == []
    states = namespace.look(Delta("Pod", "ADDED", new))
    assert namespace.states == ["s5"]
    assert {p.uid: p.restarts for p in states["s5"].pods}["uid-s5-10"] == 1


def test_a_workload_and_its_replica_set_are_known_without_labels(namespace: Counted):
    states = namespace.look(Delta("Deployment", "DELETED", deployment_of("s1")))
    assert namespace.states == ["s1"]
    assert states["s1"].readiness is Readiness.PROGRESSING
    namespace.look(Delta("ReplicaSet", "MODIFIED", set_of("s2")))
    assert namespace.states == ["s2"]


def test_a_pod_whose_label_somebody_has_changed_touches_both(namespace: Counted):
    taken = pod_of("s1", 0)
    taken["metadata"]["labels"] = {"service": "s2", "release": "R2"}
    namespace.look(Delta("Pod", "MODIFIED", taken))
    assert sorted(namespace.states) == ["s1", "s2"]
    namespace.look(Delta("Pod", "DELETED", taken))
    assert namespace.states == ["s2"]


def test_what_may_concern_anybody_makes_every_state_anew(namespace: Counted):
    claim = {"metadata": {"name": "data", "uid": "claim"}}
    late = event(claim, "ProvisioningFailed", "no such class")
    late["involvedObject"] = {"kind": "PersistentVolumeClaim", "name": "data", "uid": "claim"}
    namespace.look(Delta("Event", "ADDED", late))
    assert sorted(namespace.states) == sorted(NAMES)
    stray = pod_of("s1", 77)
    stray["metadata"]["labels"] = {}
    namespace.look(Delta("Pod", "ADDED", stray))
    assert sorted(namespace.states) == sorted(NAMES)


def test_a_state_with_a_diagnosis_lasts_until_the_next_change_whatever_it_is(namespace: Counted):
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    pulling = {"ready": False, "state": waiting}
    states = namespace.look(Delta("Pod", "MODIFIED", pod_of("s3", 4, ready=False, container=pulling)))
    assert states["s3"].diagnoses
    namespace.look()
    assert namespace.states == []
    namespace.look(Delta("Pod", "MODIFIED", pod_of("s8", 4, ready=False)))
    assert sorted(namespace.states) == ["s3", "s8"]


def test_another_target_makes_every_state_anew(namespace: Counted):
    namespace.known.forget()
    namespace.look()
    assert sorted(namespace.states) == sorted(NAMES)


def test_a_view_is_made_once_for_each_question_and_not_kept_of_what_is_gone(namespace: Counted):
    document = namespace.snapshot.get("Pod", "uid-s1-1")
    assert document is not None
    namespace.views.clear()
    views = [pod_view(namespace.snapshot, document, named=frozenset({"main"})) for _ in range(3)]
    assert namespace.views == []
    assert views[0] is views[1]
    assert pod_view(namespace.snapshot, document, before={"uid-s1-1": 2}).containers[0].before == 2
    assert pod_view(namespace.snapshot, document).containers[0].before == 0
    old = dict(document)
    assert pod_view(namespace.snapshot, old).document is old, "another document has a view of its own"
    namespace.look(Delta("Pod", "DELETED", document))
    assert "uid-s1-1" not in namespace.snapshot.memo


def test_the_pods_of_a_workload_are_looked_for_once_a_change(
    namespace: Counted, monkeypatch: pytest.MonkeyPatch
):
    looked: list[str] = []
    counted(monkeypatch, snapshot_module, "controller_of", lambda args: looked.append(name_of(args[0])))
    states = namespace.look(Delta("Pod", "MODIFIED", pod_of("s3", 4, ready=False)))
    assert states["s3"].ready == PODS - 1
    pods = [name for name in looked if not name.endswith("-abc")]
    assert len(pods) == len(NAMES) * PODS, "once each, though readiness, milestones and diagnoses ask"
    before = namespace.snapshot
    gone = before.get("Pod", "uid-s3-4")
    assert gone is not None
    namespace.look(Delta("Pod", "DELETED", gone))
    assert len(before.pods(deployment_of("s3"))) == PODS, "a snapshot that was copied stays as it is"
    assert len(namespace.snapshot.pods(deployment_of("s3"))) == PODS - 1
