"""How many pods of a service a drain may take at once: one, whatever its count, so that a drain always gets on (engine rule 22)."""

from collections.abc import Iterator

from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import match_labels, own_labels
from core.cluster.rendering.input import RenderInput
from core.manifest.service import Service
from core.records.traits import Traits


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the budget; a drain spares agents anyway. Pods that are not ready may always go: a broken release must keep no node from being drained."""
    if service.agent:
        return
    yield {
        "apiVersion": "policy/v1",
        "kind": POD_DISRUPTION_BUDGET.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
        },
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": match_labels(given.rack, given.app, service)},
        },
    }


POD_DISRUPTION_BUDGET = ManagedKind(
    name="PodDisruptionBudget",
    resource=Resource("policy", "v1", "poddisruptionbudgets"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=each_service(render),
)
