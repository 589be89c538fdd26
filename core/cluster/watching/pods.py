"""What one new pod has come to, as the verdict needs it: steps and states, and not one of the cluster's times."""

from collections.abc import Iterable
from functools import partial

from core.cluster.diagnosis.view import ContainerView, PodView, once, pod_view, probe_kills
from core.cluster.documents import Document, condition, containers_of, is_condition_true, spec_of, uid_of
from core.cluster.snapshot import Snapshot
from core.records.observation import PodMilestone, PodObservation

SANDBOX = "PodReadyToStartContainers"
# What a container waits for while its image is pulled, and for no other reason once its sandbox is there.
ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing"})


def pod_states(
    snapshot: Snapshot, workload: Document, pods: Iterable[Document]
) -> tuple[PodObservation, ...]:
    """Return the states of a workload's new pods, in their order."""
    named = containers_of(workload)
    return tuple(once(snapshot, pod, ("state", named), partial(_state, snapshot, pod, named)) for pod in pods)


def _state(snapshot: Snapshot, document: Document, named: frozenset[str]) -> PodObservation:
    pod = pod_view(snapshot, document, named=named)
    ours = [c for c in pod.containers if not c.injected]
    ready = is_condition_true(pod.document, "Ready")
    return PodObservation(
        uid=uid_of(pod.document),
        milestone=_milestone(pod, ours, ready=ready),
        running=all(c.running for c in ours if not c.is_init),
        ready=ready,
        # A liveness kill counts as soon as its event tells, a moment before the status does (engine rule 33).
        restarts=sum(max(c.restarts, probe_kills(c)) for c in ours),
    )


def _milestone(pod: PodView, ours: list[ContainerView], *, ready: bool) -> PodMilestone:
    if ready:
        return PodMilestone.READY
    if any(c.running or c.ended for c in ours if not c.is_init):
        return PodMilestone.STARTED
    if _pulling(pod, ours):
        return PodMilestone.PULLING
    return PodMilestone.SCHEDULED if spec_of(pod.document).get("nodeName") else PodMilestone.CREATED


def _pulling(pod: PodView, ours: list[ContainerView]) -> bool:
    """Tell whether an image is on its way: no status says so, but nothing else is left that it could be waiting for.

    Events only take it back, where they tell that the image has come: without them the patience would be the same.
    """
    if condition(pod.document, SANDBOX).get("status") == "False":
        return False
    # Containers come one after the other; the first that never ran is the one that is being made.
    next_one = next((c for c in ours if not c.running and not c.ended), None)
    if next_one is None or next_one.waiting.get("reason") not in ON_THE_WAY:
        return False
    told = next_one.events_named("Pulling", "Pulled")
    return not told or told[-1].reason == "Pulling"
