"""Readiness and diagnosis over everything that a real kubelet was seen to do."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.cluster.documents import is_terminating, labels_of
from core.cluster.snapshot import Snapshot
from core.cluster.watching.readiness import service_state
from core.records.observation import DiagnosisKind, Readiness, ServiceState
from tests.recordings.load import Recording, Step, recordings

EXPECTED = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text())
TROUBLE: dict[str, dict[str, Any]] = EXPECTED["trouble"]
# The event of a cause precedes it by a tenth of a second, its status by up to one sync of the kubelet.
SOON = 15_000
ROLLED_BACK = [n for n, r in recordings().items() if any(a["phase"] == "rollback" for a in r.applies)]


def looks(recording: Recording) -> Iterator[tuple[Step, Snapshot, ServiceState]]:
    """Yield what we would say after each change, once something newer than v1 is (about to be) applied."""
    snapshot = Snapshot()
    for step in recording.steps:
        if step.delta is not None:
            snapshot = snapshot.after(step.delta)
            if step.phase not in {"setup", "v1"}:
                applied = recording.applied(step.phase)
                yield step, snapshot, service_state(snapshot, recording.service, applied, step.release)


@cache
def states(name: str) -> list[tuple[Step, Snapshot, ServiceState]]:
    return list(looks(recordings()[name]))


def forward(name: str) -> list[tuple[Step, Snapshot, ServiceState]]:
    return [look for look in states(name) if look[0].phase == "v2"]


@pytest.mark.parametrize("name", TROUBLE)
def test_the_worst_trouble_is_named_within_15_s_of_its_first_sign(name: str):
    expected, applied_at = TROUBLE[name], recordings()[name].applied_at("v2")
    times = [
        step.at - applied_at
        for step, _, state in forward(name)
        if state.diagnoses
        and state.diagnoses[0].kind == expected["kind"]
        and re.search(expected["says"], state.diagnoses[0].sentence)
    ]
    assert times, f"never told; last: {forward(name)[-1][2].diagnoses}"
    assert times[0] <= expected["first"] + SOON


@pytest.mark.parametrize("name", [n for n, e in TROUBLE.items() if e.get("lasts", True)])
def test_a_trouble_that_lasts_is_still_the_worst_at_the_end(name: str):
    step, _, state = forward(name)[-1]
    assert re.search(TROUBLE[name]["says"], state.diagnoses[0].sentence), step
    assert state.diagnoses[0].permanent is TROUBLE[name].get("permanent", False)


@pytest.mark.parametrize("name", [n for n, e in TROUBLE.items() if e.get("permanent")])
def test_what_cannot_mend_itself_is_seen_on_every_new_pod(name: str):
    diagnosis = forward(name)[-1][2].diagnoses[0]
    assert diagnosis.everywhere


@pytest.mark.parametrize("name", TROUBLE)
def test_one_fault_has_one_fact_however_often_it_is_looked_at(name: str):
    facts = {t.fact for _, _, s in forward(name) for t in s.diagnoses if t.kind == TROUBLE[name]["kind"]}
    assert len(facts) <= 2  # a second one where the first text does not tell the cause yet
    assert all("back-off" not in f and " restarted " not in f for f in facts)


@pytest.mark.parametrize("name", EXPECTED["good"])
def test_a_good_rollout_is_never_called_hopeless(name: str):
    recording = recordings()[name]
    for step, _, state in states(name):
        assert not any(t.permanent for t in state.diagnoses), step
    completed = recording.at("complete", "v2")
    assert completed is not None
    assert any(s.readiness is Readiness.READY for step, _, s in forward(name) if step.at <= completed + 50)


@pytest.mark.parametrize("name", recordings())
def test_nothing_recorded_is_ever_failed(name: str):
    """Deadlines that outlive a rollback or are inherited, crashes, evictions: only what somebody does by hand is beyond repair."""
    failed = [s for _, _, s in states(name) if s.readiness is Readiness.FAILED]
    assert all(s.diagnoses[0].kind is DiagnosisKind.PAUSED for s in failed)
    assert bool(failed) == (name == "paused")


@pytest.mark.parametrize("name", recordings())
def test_ready_means_that_every_new_pod_serves_and_no_old_one_is_counted(name: str):
    for step, snapshot, state in states(name):
        if state.readiness is not Readiness.READY:
            continue
        deployment = snapshot.named("Deployment", "web")
        assert deployment is not None
        serving = [
            p
            for p in snapshot.all("Pod")
            if labels_of(p)["release"] == step.release
            and not is_terminating(p)
            and {"Ready": "True"}.items()
            <= {c["type"]: c["status"] for c in p["status"]["conditions"]}.items()
        ]
        assert len(serving) >= deployment["spec"]["replicas"]
        assert deployment["metadata"]["generation"] == deployment["status"]["observedGeneration"]
        assert state.ready >= deployment["spec"]["replicas"]


@pytest.mark.parametrize("name", recordings())
def test_ready_comes_with_the_clusters_own_completion_and_not_before(name: str):
    recording = recordings()[name]
    for phase in {step.phase for step, _, _ in states(name)}:
        ready = [
            step.at for step, _, s in states(name) if step.phase == phase and s.readiness is Readiness.READY
        ]
        completed = recording.at("complete", phase)
        if ready and completed is not None:
            # Watches of different kinds may overtake each other by some 20 ms.
            assert ready[0] >= completed - 50


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_a_rollback_becomes_ready_and_the_pods_that_go_are_not_diagnosed(name: str):
    back = [look for look in states(name) if look[0].phase == "rollback"]
    if name == "missing-service-account-trap":  # the recorded rollback fails too, and must be seen to
        assert back[-1][2].diagnoses[0].kind == "serviceaccount"
        assert all(s.readiness is Readiness.PROGRESSING for _, _, s in back)
        return
    assert any(s.readiness is Readiness.READY for _, _, s in back)
    for step, snapshot, state in back:
        for diagnosis in state.diagnoses:
            pod = snapshot.get("Pod", diagnosis.pod_uid)
            assert diagnosis.kind == "terminating" or (pod and labels_of(pod)["release"] == "v1"), step
            assert not diagnosis.permanent


def test_the_first_refused_connection_of_a_good_rollout_is_no_trouble():
    assert all(not s.diagnoses for _, _, s in states("good-default-probe"))


@pytest.mark.parametrize("name", EXPECTED["good"])
def test_a_good_start_however_slow_leaves_no_suspicion_of_its_checks(name: str):
    suspected = [
        d.sentence for _, _, s in forward(name) for d in s.diagnoses if d.kind == "probe" and not d.early
    ]
    assert suspected == []


def test_a_crash_stands_before_the_check_that_it_makes_fail():
    kinds = [s.diagnoses[0].kind for _, _, s in forward("crash-quiet") if s.diagnoses]
    assert set(kinds) == {"crash"}


def test_scaled_to_nothing_is_ready_with_nothing_started():
    _, _, state = forward("scale-to-zero")[-1]
    assert (state.readiness, state.desired, len(state.pods)) == (Readiness.READY, 0, 0)


def test_a_kill_by_the_liveness_check_counts_as_a_restart_before_the_status_tells():
    killed = next(
        (step, snapshot, state)
        for step, snapshot, state in forward("liveness-failing")
        if step.delta and step.delta.kind == "Event" and step.delta.object["reason"] == "Killing"
        if "liveness" in step.delta.object["message"]
    )
    _, snapshot, state = killed
    assert all(p["status"]["containerStatuses"][0]["restartCount"] == 0 for p in snapshot.all("Pod"))
    assert sum(state.restarts.values()) == 1


def test_evicted_pods_stay_in_the_list_and_are_not_new_pods():
    _, snapshot, state = forward("evicted")[-1]
    assert len([p for p in snapshot.all("Pod") if p["status"]["phase"] == "Failed"]) == 4
    assert len(state.pods) == 2
    assert len(state.restarts) == 2


def test_the_deadline_that_kubernetes_reports_is_only_a_remark():
    states = [
        s for _, _, s in forward("never-ready") if "Kubernetes has seen no progress for 60 s" in s.sentence
    ]
    assert states
    assert all(s.readiness is Readiness.PROGRESSING for s in states)
