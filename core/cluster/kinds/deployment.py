"""Services that may run in any number anywhere; its fields decide whether a rollout can hurt anybody."""

from collections.abc import Iterator, Sequence

from core.cluster.documents import (
    Document,
    condition,
    controller_of,
    is_condition_true,
    name_of,
    replicas_of,
    spec_of,
    status_of,
    uid_of,
)
from core.cluster.kinds.kind import LOOK, MANAGE, Follow, Json, Resource, WorkloadKind, each_service
from core.cluster.kinds.phrases import asked_of, number_of
from core.cluster.kinds.replica_set import REPLICA_SET
from core.cluster.labels import RELEASE_LABEL, match_labels, own_labels
from core.cluster.ownership import owner_of
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.probes import progress_deadline
from core.cluster.rendering.workload import pod_template
from core.lifecycle.patience import min_ready
from core.manifest.service import RollingUpdate, Service
from core.records.bundle import Bundle
from core.records.observation import Diagnosis, DiagnosisKind
from core.records.traits import Traits

# Old replica sets are what an automatic rollback scales up again; five reach back over some bad releases in a row.
REVISION_HISTORY = 5
PAUSED = ("f:spec", "f:paused")


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the Deployment. `spec.replicas` is in none: counts belong to the scale manager (engine rule 20)."""
    yield {
        "apiVersion": "apps/v1",
        "kind": DEPLOYMENT.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": {
                **dict(service.labels),
                **own_labels(given.rack, given.app, service),
                RELEASE_LABEL: given.release.id,
            },
        },
        "spec": {
            "selector": {"matchLabels": match_labels(given.rack, given.app, service)},
            "strategy": {"type": "Recreate"} if service.recreates else strategy(service.deployment),
            "minReadySeconds": min_ready(service, given.rules),
            "progressDeadlineSeconds": progress_deadline(service, given.rules),
            "revisionHistoryLimit": REVISION_HISTORY,
            "template": pod_template(service, given),
        },
    }


def strategy(asked: RollingUpdate) -> Json:
    """Return the whole strategy (engine rule 21); 100/100 asks for the impossible and gets one pod more."""
    surge, unavailable = asked.maximum - 100, 100 - asked.minimum
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": 1 if surge == unavailable == 0 else f"{surge}%",
            "maxUnavailable": 0 if surge == unavailable == 0 else f"{unavailable}%",
        },
    }


def unready(live: Document, pods: Sequence[Document], _spared: int) -> str:
    """Compare the counters, and the pods that were counted without them, with what is wanted."""
    unfinished = _unfinished(live, sum(1 for pod in pods if is_condition_true(pod, "Ready")))
    return unfinished and unfinished + _hint(live)


def _unfinished(live: Document, ready: int) -> str:
    status, wanted = status_of(live), replicas_of(live)
    updated, available = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    old = int(status.get("replicas") or 0) - updated
    if updated == wanted == available and old == 0 and ready >= wanted:
        return ""
    if is_recreated(live) and (going := old + int(status.get("terminatingReplicas") or 0)):
        return (
            f"down until {number_of(going, 'old pod')} {'has' if going == 1 else 'have'} stopped and the new"
            f" {'one is' if wanted == 1 else 'ones are'} ready"
        )
    if ready < wanted or updated < wanted:
        return (
            f"{min(ready, updated)} of {number_of(wanted, 'new pod')} {'is' if wanted == 1 else 'are'} ready"
        )
    if old > 0:
        return f"{number_of(old, 'old pod')} still {'has' if old == 1 else 'have'} to go"
    return f"{available} of {number_of(wanted, 'new pod')} ready for long enough"


def is_recreated(live: Document) -> bool:
    """Tell whether its old pods go before its new ones come."""
    return bool((spec_of(live).get("strategy") or {}).get("type") == "Recreate")


def _hint(live: Document) -> str:
    """Say that Kubernetes sees no progress; never a verdict.

    `ProgressDeadlineExceeded` outlives a rollback by tens of milliseconds and is inherited by the next release
    (seen on real clusters); the rollout has own timers.
    """
    if condition(live, "Progressing").get("reason") != "ProgressDeadlineExceeded":
        return ""
    return f" (Kubernetes has seen no progress for {spec_of(live).get('progressDeadlineSeconds', 600)} s)"


def _made_from(pod: Document, replica_set: Document) -> bool:
    return (controller_of(pod, {REPLICA_SET.name}) or {}).get("uid") == uid_of(replica_set)


def _owns_pod(name: str, pod: Document) -> bool:
    """Tell by the replica set, which is named `<name>-<hash>` and may be gone too."""
    owner = controller_of(pod, {REPLICA_SET.name})
    return owner is not None and str(owner["name"]).rpartition("-")[0] == name


def _paused(service: str, live: Document) -> Diagnosis | None:
    if not spec_of(live).get("paused"):
        return None
    who, name, ns = owner_of(live, PAUSED), name_of(live), live["metadata"].get("namespace", "")
    fact = (
        f"{who} has paused the rollout of {service}:"
        f" `kubectl rollout resume deployment/{name} -n {ns}` lets it go on"
    )
    return Diagnosis(kind=DiagnosisKind.PAUSED, sentence=fact, fact=fact)


def brief(wanted: Document, bundle: Bundle) -> str:
    """Return how many pods there are, what each has for itself, and whether one ends before the next begins."""
    count = next(service.count for service in bundle.services if service.name == name_of(wanted))
    down = ", down while it is replaced" * (spec_of(wanted)["strategy"]["type"] == "Recreate")
    return f" ({count} × {asked_of(wanted)}{down})"


DEPLOYMENT = WorkloadKind(
    name="Deployment",
    resource=Resource("apps", "v1", "deployments"),
    rights={"": MANAGE | LOOK, "scale": frozenset({"patch"})},
    # By its labels it is not selected: when somebody takes those away, it stays in sight, for that is no deletion.
    follow=Follow(judged=True, fresh=True, selected=False),
    traits=Traits(counted=True, pruned=True, removed=True, after_verdict=False),
    render=each_service(render),
    runs=lambda service: not service.agent,
    released=True,
    unready=unready,
    desired_replicas=replicas_of,
    per_node=False,
    revision=REPLICA_SET,
    owns_pods=False,
    made_from=_made_from,
    owns_pod=_owns_pod,
    diagnosis=_paused,
    brief=brief,
)
