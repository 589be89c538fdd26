"""What one service's objects say of a release: ready, progressing or failed, and the sentence to show.

Questions are asked in a fixed order, as kubectl and kstatus do: lost? going? our change visible? observed?
paused? updated? ready? old ones gone? available? `ProgressDeadlineExceeded` never decides anything: it outlives a rollback
by tens of milliseconds and is inherited by the next release (seen on real clusters); the rollout has own timers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.cluster.diagnosis import diagnoses
from core.cluster.diagnosis.view import NOTHING, kills, pod_view
from core.cluster.documents import (
    Document,
    condition,
    containers_of,
    controller_of,
    generation_of,
    holds,
    is_terminating,
    moment,
    release_of,
    spec_of,
    status_of,
    uid_of,
)
from core.cluster.watching.snapshot import Snapshot, is_alive
from core.records.bundle import BundleService, Ref
from core.records.intent import Applied
from core.records.observation import Readiness, ServiceState


def service_state(
    snapshot: Snapshot,
    service: BundleService,
    applied: Applied | None,
    release: str,
    *,
    before: Mapping[str, int] = NOTHING,
) -> ServiceState:
    """Judge one service towards a release.

    Args:
        snapshot: the namespace, synced; a state older than our apply is noticed by its generation.
        service: what the bundle says of it.
        applied: what our apply of its Deployment answered; None where it was not applied yet.
        release: pods with this label are the new ones.
        before: pod uid → restarts that it had before the promotion; they are no trouble of this one.
    """
    deployment = snapshot.named("Deployment", service.name)
    lost = _lost(snapshot, deployment, applied)
    if lost:
        return ServiceState(name=service.name, readiness=Readiness.FAILED, sentence=lost)
    if deployment is None:
        return ServiceState(
            name=service.name, readiness=Readiness.PROGRESSING, sentence="its Deployment cannot be seen yet"
        )
    pods = [p for p in snapshot.new_pods(deployment, release) if is_alive(p)]
    ready = [p for p in pods if holds(p, "Ready")]
    wanted = _wanted(deployment)
    waiting = _waiting(deployment, applied, release, len(ready))
    return ServiceState(
        name=service.name,
        readiness=Readiness.PROGRESSING if waiting else Readiness.READY,
        sentence=waiting or _complete(wanted, snapshot, deployment),
        wanted=wanted,
        started=len(pods),
        ready=len(ready),
        ready_stamp=_ready_stamp(ready),
        restarts={uid_of(p): _restarts(snapshot, deployment, p) for p in pods},
        diagnosis=diagnoses(snapshot, service, release, before=before),
    )


def absent_state(snapshot: Snapshot, refs: Sequence[Ref]) -> tuple[ServiceState, ...]:
    """Return one state for each object that should be gone and is not, pods of a removed Deployment included."""
    return tuple(
        ServiceState(name=str(ref), readiness=Readiness.PROGRESSING, sentence=sentence)
        for ref in refs
        if (sentence := _presence(snapshot, ref))
    )


def _lost(snapshot: Snapshot, document: Document | None, applied: Applied | None) -> str:
    """Say why the object that we applied can never become right, or ""."""
    kind = applied.ref.kind if applied else "Deployment"
    if document is not None and is_terminating(document):
        return f"its {kind} is being deleted by somebody"
    if applied is None or not applied.uid:
        return ""
    if document is not None and uid_of(document) != applied.uid:
        return f"its {kind} was deleted and made anew by somebody"
    if document is None and applied.uid in snapshot.gone:
        return f"its {kind} was deleted by somebody"
    return ""


def _waiting(deployment: Document, applied: Applied | None, release: str, ready: int) -> str:
    """Say what is still missing, or "" where nothing is."""
    unseen = _unseen(deployment, applied, release)
    unfinished = "" if unseen else _unfinished(deployment, ready)
    return unseen or (unfinished and unfinished + _hint(deployment))


def _unseen(deployment: Document, applied: Applied | None, release: str) -> str:
    """Say why the counters do not speak of our change yet, or "" where they do."""
    if applied is not None and generation_of(deployment) < applied.generation:
        return "waiting until our change can be seen"
    if release_of(deployment) != release:
        return f"its pods are made for {release_of(deployment) or 'no release'}, not for {release}"
    if int(status_of(deployment).get("observedGeneration") or 0) < generation_of(deployment):
        return "waiting until Kubernetes takes up the change"
    return ""


def _unfinished(deployment: Document, ready: int) -> str:
    """Compare the Deployment's counters, and the pods that were counted without it, with what is wanted."""
    status, wanted = status_of(deployment), _wanted(deployment)
    updated, available = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    old = int(status.get("replicas") or 0) - updated
    if updated == wanted == available and old == 0 and ready >= wanted:
        return ""
    if spec_of(deployment).get("paused"):
        return "its rollout is paused"
    if ready < wanted or updated < wanted:
        return f"{min(ready, updated)} of {_count(wanted, 'new pod')} {'is' if wanted == 1 else 'are'} ready"
    if old > 0:
        return f"{_count(old, 'old pod')} still {'has' if old == 1 else 'have'} to go"
    return f"{available} of {_count(wanted, 'new pod')} ready for long enough"


def _hint(deployment: Document) -> str:
    if condition(deployment, "Progressing").get("reason") != "ProgressDeadlineExceeded":
        return ""
    return (
        f" (Kubernetes has seen no progress for {spec_of(deployment).get('progressDeadlineSeconds', 600)} s)"
    )


def _complete(wanted: int, snapshot: Snapshot, deployment: Document) -> str:
    if wanted == 0:
        return "scaled to 0: nothing is running"
    going = sum(1 for p in snapshot.pods(deployment) if is_terminating(p) and is_alive(p))
    stopping = f"; {_count(going, 'old pod')} {'is' if going == 1 else 'are'} still stopping" if going else ""
    return f"{wanted} of {_count(wanted, 'new pod')} {'is' if wanted == 1 else 'are'} ready{stopping}"


def _wanted(deployment: Document) -> int:
    count = spec_of(deployment).get("replicas")
    return 1 if count is None else int(count)


def _ready_stamp(ready: Sequence[Document]) -> datetime | None:
    stamps = (moment(condition(p, "Ready").get("lastTransitionTime")) for p in ready)
    return max((s for s in stamps if s), default=None)


def _restarts(snapshot: Snapshot, deployment: Document, pod: Document) -> int:
    """Count restarts of the containers that the Deployment names; what a webhook injected is not ours to judge.

    A liveness kill is counted as soon as its event tells, a moment before the status does (engine rule 33).
    """
    containers = pod_view(snapshot, pod, named=containers_of(deployment)).containers
    return sum(max(c.restarts, kills(c)) for c in containers if not c.injected)


def _presence(snapshot: Snapshot, ref: Ref) -> str:
    document = snapshot.named(ref.kind, ref.name)
    if document is not None:
        return "is being removed" if is_terminating(document) else "is still there"
    pods = _orphans(snapshot, ref.name) if ref.kind == "Deployment" else 0
    return f"{_count(pods, 'pod')} {'is' if pods == 1 else 'are'} still stopping" if pods else ""


def _orphans(snapshot: Snapshot, name: str) -> int:
    """Count pods of a Deployment that is gone: its replica sets, gone too perhaps, are named `<name>-<hash>`."""
    owners = (controller_of(p, "ReplicaSet") for p in snapshot.all("Pod"))
    return sum(1 for owner in owners if owner and str(owner["name"]).rpartition("-")[0] == name)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
