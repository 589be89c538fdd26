"""Agents: services of which one process runs on every node."""

from collections.abc import Iterator, Sequence
from functools import partial

from core.cluster.documents import Document, is_condition_true, status_of
from core.cluster.kinds.controller_revision import CONTROLLER_REVISION, made_from, owns_pod
from core.cluster.kinds.kind import LOOK, MANAGE, Follow, Json, Resource, WorkloadKind, each_service
from core.cluster.kinds.phrases import asked_of, number_of
from core.cluster.labels import RELEASE_LABEL, match_labels, own_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.workload import pod_template
from core.lifecycle.patience import min_ready
from core.manifest.service import Service
from core.records.bundle import Bundle
from core.records.traits import Traits

REVISION_HISTORY = 5


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the DaemonSet."""
    yield {
        "apiVersion": "apps/v1",
        "kind": DAEMON_SET.name,
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
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(service)},
            "minReadySeconds": min_ready(service, given.rules),
            "revisionHistoryLimit": REVISION_HISTORY,
            "template": pod_template(service, given),
        },
    }


def _rolling(service: Service) -> Json:
    """Return the strategy (engine rule 29): a port of the node cannot be had twice, so there the old pod goes first."""
    if service.host_ports:
        return {"maxSurge": 0, "maxUnavailable": 1}
    return {"maxSurge": 1, "maxUnavailable": 0}


def unready(live: Document, pods: Sequence[Document], spared: int) -> str:
    """Compare the counters with what is wanted, but for the nodes that may lack a pod."""
    status = status_of(live)
    wanted = desired_pods(live) - spared
    updated, available = (int(status.get(key) or 0) for key in ("updatedNumberScheduled", "numberAvailable"))
    ready = sum(1 for pod in pods if is_condition_true(pod, "Ready"))
    if ready < wanted or updated < wanted:
        return (
            f"{min(ready, updated)} of {number_of(wanted, 'new pod')} {'is' if wanted == 1 else 'are'} ready"
        )
    if available < wanted:
        return f"{available} of {number_of(wanted, 'new pod')} ready for long enough"
    return ""


def desired_pods(live: Document) -> int:
    """Return how many nodes there are for it."""
    return int(status_of(live).get("desiredNumberScheduled") or 0)


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return what its pod on each node has for itself."""
    return f" (one a node, {asked_of(wanted)})"


DAEMON_SET = WorkloadKind(
    name="DaemonSet",
    resource=Resource("apps", "v1", "daemonsets"),
    rights={"": MANAGE | LOOK},
    follow=Follow(judged=True, fresh=True, selected=False),
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=each_service(render),
    runs=lambda service: service.agent,
    released=True,
    unready=unready,
    desired_replicas=desired_pods,
    per_node=True,
    revision=CONTROLLER_REVISION,
    owns_pods=True,
    made_from=made_from,
    owns_pod=partial(owns_pod, "DaemonSet"),
    diagnosis=lambda _service, _live: None,
    brief=brief,
)
