"""What is wrong with the new pods of a service, worst first: without it a failed rollout is just a deadline.

Only pods of the aimed release are asked, and never one that is being deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.cluster.diagnosis import crashes, creation, images, probes, scheduling, starts, surroundings
from core.cluster.diagnosis.view import NO_RESTARTS, ContainerView, PodView, events_of, once, pod_view
from core.cluster.documents import (
    Document,
    containers_of,
    controller_of,
    is_terminating,
    release_of,
    spec_of,
    uid_of,
)
from core.cluster.kinds import POD_OWNERS, WORKLOADS
from core.cluster.kinds.pod import POD
from core.cluster.snapshot import Snapshot, is_alive
from core.records.bundle import BundleService
from core.records.observation import Diagnosis, DiagnosisKind

RANK = {kind: place for place, kind in enumerate(DiagnosisKind)}


def diagnoses(
    snapshot: Snapshot,
    service: BundleService,
    release: str,
    *,
    new: Sequence[Document] | None = None,
    before: Mapping[str, int] = NO_RESTARTS,
) -> tuple[Diagnosis, ...]:
    """Return what is wrong with a service's new pods, worst first; of one kind the worst pod stands for all.

    Args:
        snapshot: the namespace.
        service: what the bundle says of it.
        release: pods of this release are the new ones.
        new: those of them that are judged; None for all.
        before: pod uid → restarts from before the promotion.
    """
    kind = WORKLOADS[service.workload.kind]
    workload = snapshot.named(kind.name, service.workload.name)
    if workload is None:
        return ()
    named = containers_of(workload)
    new = snapshot.new_pods(kind, workload, release) if new is None else new
    views = [pod_view(snapshot, p, named=named, before=before) for p in new]
    alive = [v for v in views if is_alive(v.document)]
    old = _old_pods(snapshot, workload, release) if kind.released else []
    found = [_of_pod(service.name, v, snapshot, old=old, named=named, before=before) for v in alive]
    revisions = [m for m in snapshot.revisions(kind, workload) if release_of(m) == release]
    owners = frozenset(str((controller_of(v.document, POD_OWNERS) or {}).get("uid")) for v in alive)
    every = [p for p in snapshot.pods(workload) if is_alive(p) and not is_terminating(p)]
    around = [
        creation.find(service.name, revisions, owners, going=_going(snapshot)),
        creation.find_told(
            service.name,
            events_of(snapshot, uid_of(workload)) if kind.owns_pods else (),
            lacking=len(alive) < kind.desired_replicas(workload),
        ),
        surroundings.find_node(service.name, every),
        surroundings.find_evicted(service.name, views),
        surroundings.find_stuck(service.name, snapshot.pods(workload)),
        surroundings.find_pre_stop(service.name, snapshot.pods(workload), snapshot),
    ]
    return tuple(sorted([*_grouped(alive, found), *(t for t in around if t is not None)], key=_severity))


def _of_pod(
    service: str,
    pod: PodView,
    snapshot: Snapshot,
    *,
    old: Sequence[Document],
    named: frozenset[str],
    before: Mapping[str, int],
) -> Diagnosis | None:
    """Return the worst that is wrong with one pod; once it has a node, nobody else has a say in that, so it is found once."""
    if not pod.spec.get("nodeName"):
        return _worst_of(service, pod, snapshot, old=old)
    question = ("trouble", service, named, before.get(uid_of(pod.document), 0))
    return once(snapshot, pod.document, question, lambda: _worst_of(service, pod, snapshot, old=old))


def _worst_of(service: str, pod: PodView, snapshot: Snapshot, *, old: Sequence[Document]) -> Diagnosis | None:
    found = [
        scheduling.find(service, pod, old=old),
        surroundings.find_volume(service, pod, snapshot),
        surroundings.find_sandbox(service, pod),
        *(_of_container(service, pod, c) for c in pod.containers),
    ]
    return min((t for t in found if t is not None), key=_severity, default=None)


def _of_container(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Ask in the order in which one cause hides behind another."""
    who = container.subject(service)
    found = (
        images.find(who, pod, container)
        or starts.find(who, pod, container)
        or probes.find_kill(who, pod, container)
        or probes.find_recovered(who, pod, container)
        or crashes.find(who, pod, container)
        or probes.find(who, pod, container)
    )
    return _not_ours(found, who) if found and container.injected else found


def _not_ours(found: Diagnosis, who: str) -> Diagnosis:
    """Say of whom a trouble is told that no line of convox.yml has caused."""
    whose = "" if who in found.fact else f"{who}: "
    return replace(
        found, kind=DiagnosisKind.SIDECAR, fact=whose + found.fact, sentence=whose + found.sentence
    )


def _grouped(pods: Sequence[PodView], found: Sequence[Diagnosis | None]) -> list[Diagnosis]:
    """Let the worst pod of each kind speak; `everywhere` where every pod that got so far shows that kind."""
    grouped = []
    for kind in {t.kind for t in found if t is not None}:
        group = [t for t in found if t is not None and t.kind == kind]
        others = [p for p, t in zip(pods, found, strict=True) if t is None or t.kind != kind]
        beyond = any(c.running or c.ended for p in others for c in p.containers)
        grouped.append(replace(min(group, key=_severity), everywhere=not beyond))
    return grouped


def _old_pods(snapshot: Snapshot, workload: Document, release: str) -> list[Document]:
    """Return what the old pods that still hold their places ask for; those that go already make room by themselves."""
    pods = snapshot.pods(workload)
    return [spec_of(p) for p in pods if release_of(p) != release and is_alive(p) and not is_terminating(p)]


def _going(snapshot: Snapshot) -> int:
    """Return how many pods of the namespace are on their way out: what they hold of a quota will be free."""
    return sum(is_terminating(pod) for pod in snapshot.all(POD.name))


def _severity(diagnosis: Diagnosis) -> tuple[bool, int, bool, int, str]:
    return (
        not diagnosis.permanent,
        RANK[diagnosis.kind],
        not diagnosis.down,
        -diagnosis.restarts,
        diagnosis.pod,
    )
