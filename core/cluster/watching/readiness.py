"""What one service's objects say of a release: ready, progressing or failed, and the sentence to show.

Questions are asked in a fixed order, as kubectl and kstatus do: lost? going? our change visible? observed?
what its kind asks? `ProgressDeadlineExceeded` never decides anything.
"""

from collections.abc import Collection, Mapping, Sequence

from core.cluster.diagnosis import diagnoses
from core.cluster.diagnosis.view import NO_RESTARTS
from core.cluster.documents import (
    Document,
    generation_of,
    is_condition_true,
    is_terminating,
    release_of,
    spec_of,
    status_of,
    uid_of,
)
from core.cluster.kinds import WORKLOADS
from core.cluster.kinds.kind import Kind, WorkloadKind
from core.cluster.kinds.phrases import number_of
from core.cluster.kinds.pod import POD
from core.cluster.snapshot import Snapshot, is_alive
from core.cluster.templates import overwritten, template_of
from core.cluster.watching.pods import pod_states
from core.records.bundle import BundleService, Ref
from core.records.intent import Applied
from core.records.observation import Readiness, ServiceState


def service_state(
    snapshot: Snapshot,
    service: BundleService,
    applied: Applied | None,
    release: str,
    *,
    before: Mapping[str, int] = NO_RESTARTS,
    lacking: Collection[str] = (),
) -> ServiceState:
    """Judge one service towards a release.

    Args:
        snapshot: the namespace, synced; a state older than our apply is noticed by its generation.
        service: what the bundle says of it.
        applied: what our apply of its workload answered; None where it was not applied yet.
        release: pods with this label are the new ones.
        before: pod uid → restarts that it had before the promotion; they are no trouble of this one.
        lacking: nodes on which the workload had no ready pod before the promotion; they may go on so (engine rule 29).
    """
    kind = WORKLOADS[service.workload.kind]
    live = snapshot.named(kind.name, service.workload.name)
    lost = _lost(snapshot, kind, live, applied)
    if lost:
        return ServiceState(name=service.name, readiness=Readiness.FAILED, sentence=lost, seen=False)
    if live is None:
        return ServiceState(
            name=service.name,
            readiness=Readiness.PROGRESSING,
            sentence=f"its {kind} cannot be seen yet",
            seen=False,
        )
    everywhere = kind.desired_replicas(live)
    taken = overwritten(live, applied, release) or kind.diagnosis(service.name, live)
    if taken is not None:
        return ServiceState(
            name=service.name,
            readiness=Readiness.FAILED,
            sentence=taken.sentence,
            desired=everywhere,
            diagnoses=(taken,),
        )
    new = _new_pods(snapshot, kind, live, applied, release)
    pods = [p for p in new if is_alive(p)]
    spared = _spared(pods, lacking)
    wanted = everywhere - len(spared)
    waiting = _unseen(kind, live, applied, release) or kind.unready(live, pods, len(spared))
    return ServiceState(
        name=service.name,
        readiness=Readiness.PROGRESSING if waiting else Readiness.READY,
        sentence=waiting or _complete(kind, wanted, snapshot, live) + _said_of(spared),
        desired=wanted,
        released=kind.released,
        pods=pod_states(snapshot, live, pods),
        other_ready=_other_ready(snapshot, live, new),
        diagnoses=diagnoses(snapshot, service, release, new=new, before=before),
    )


def _new_pods(
    snapshot: Snapshot, kind: WorkloadKind, live: Document, applied: Applied | None, release: str
) -> list[Document]:
    """Return the pods that are judged: of what makes pods of the very template that we have applied, not of a label.

    Of an apply whose answer is not known, the label of the release has to do.
    """
    pods = snapshot.new_pods(kind, live, release)
    if applied is None or not applied.template:
        return pods
    template = template_of(live)
    revisions = [each for each in snapshot.revisions(kind, live) if template_of(each) == template]
    return [p for p in pods if any(kind.made_from(p, each) for each in revisions)]


def _other_ready(snapshot: Snapshot, live: Document, new: Sequence[Document]) -> int:
    """Count the ready pods of a workload that are not new and that nobody is taking away."""
    known = {uid_of(pod) for pod in new}
    others = (pod for pod in snapshot.pods(live) if uid_of(pod) not in known and not is_terminating(pod))
    return sum(1 for pod in others if is_alive(pod) and is_condition_true(pod, "Ready"))


def _spared(pods: Sequence[Document], lacking: Collection[str]) -> list[str]:
    """Return the nodes that need no pod: there was no ready one before, and there is none now."""
    ready = {spec_of(pod).get("nodeName") for pod in pods if is_condition_true(pod, "Ready")}
    return sorted(set(lacking) - ready)


def _said_of(spared: Sequence[str]) -> str:
    if not spared:
        return ""
    return f"; left out: {', '.join(spared)}, where no pod of it was ready before"


def absent_state(snapshot: Snapshot, refs: Sequence[Ref]) -> tuple[ServiceState, ...]:
    """Return one state for each object that should be gone and is not, pods of a removed workload included."""
    return tuple(
        ServiceState(name=str(ref), readiness=Readiness.PROGRESSING, sentence=sentence, released=False)
        for ref in refs
        if (sentence := _presence(snapshot, ref))
    )


def _lost(snapshot: Snapshot, kind: Kind, document: Document | None, applied: Applied | None) -> str:
    """Say why the object that we applied can never become right, or ""."""
    if document is not None and is_terminating(document):
        return f"its {kind} is being deleted by somebody"
    if applied is None or not applied.uid:
        return ""
    if document is not None and uid_of(document) != applied.uid:
        return f"its {kind} was deleted and made anew by somebody"
    if document is None and applied.uid in snapshot.gone:
        return f"its {kind} was deleted by somebody"
    return ""


def _unseen(kind: WorkloadKind, workload: Document, applied: Applied | None, release: str) -> str:
    """Say why the counters do not speak of our change yet, or "" where they do."""
    if applied is not None and generation_of(workload) < applied.generation:
        return "waiting until our change can be seen"
    if kind.released and release_of(workload) != release:
        return f"its pods are made for {release_of(workload) or 'no release'}, not for {release}"
    if int(status_of(workload).get("observedGeneration") or 0) < generation_of(workload):
        return "waiting until Kubernetes takes up the change"
    return ""


def _complete(kind: WorkloadKind, wanted: int, snapshot: Snapshot, workload: Document) -> str:
    if wanted == 0:
        return f"{'no node takes it' if kind.per_node else 'scaled to 0'}: nothing is running"
    going = sum(1 for p in snapshot.pods(workload) if is_terminating(p) and is_alive(p))
    stopping = (
        f"; {number_of(going, 'old pod')} {'is' if going == 1 else 'are'} still stopping" if going else ""
    )
    new = "new pod" if kind.released else "pod"
    return f"{wanted} of {number_of(wanted, new)} {'is' if wanted == 1 else 'are'} ready{stopping}"


def _presence(snapshot: Snapshot, ref: Ref) -> str:
    document = snapshot.named(ref.kind, ref.name)
    if document is not None:
        return "is being removed" if is_terminating(document) else "is still there"
    kind = WORKLOADS.get(ref.kind)
    pods = sum(1 for pod in snapshot.all(POD.name) if kind.owns_pod(ref.name, pod)) if kind else 0
    return f"{number_of(pods, 'pod')} {'is' if pods == 1 else 'are'} still stopping" if pods else ""
