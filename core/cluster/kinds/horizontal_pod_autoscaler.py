"""What changes the count of a service by its load; while there is one, nobody else sets that count (engine rule 20)."""

from collections.abc import Iterator

from core.cluster.documents import Document
from core.cluster.kinds.deployment import DEPLOYMENT
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import own_labels
from core.cluster.rendering.input import RenderInput
from core.manifest.service import Service
from core.records.bundle import Bundle
from core.records.traits import Traits


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the autoscaler of a service that has one, under the name of the service."""
    scaler = service.scale.autoscaler
    if scaler is None:
        return
    yield {
        "apiVersion": "autoscaling/v2",
        "kind": HORIZONTAL_POD_AUTOSCALER.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
        },
        "spec": {
            "scaleTargetRef": {
                "apiVersion": DEPLOYMENT.resource.api_version,
                "kind": DEPLOYMENT.name,
                "name": service.name,
            },
            "minReplicas": service.scale.count,
            "maxReplicas": scaler.most,
            "metrics": [
                _metric(name, percent)
                for name, percent in (("cpu", scaler.cpu), ("memory", scaler.memory))
                if percent is not None
            ],
        },
    }


def _metric(name: str, percent: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return between how many it scales, and by what."""
    spec = wanted["spec"]
    measures = (each["resource"] for each in spec["metrics"])
    loads = ", ".join(f"{m['name']} {m['target']['averageUtilization']} %" for m in measures)
    return f" ({spec['minReplicas']} to {spec['maxReplicas']}, {loads})"


HORIZONTAL_POD_AUTOSCALER = ManagedKind(
    name="HorizontalPodAutoscaler",
    resource=Resource("autoscaling", "v2", "horizontalpodautoscalers"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=True, scales=True),
    render=each_service(render),
    brief=brief,
)
