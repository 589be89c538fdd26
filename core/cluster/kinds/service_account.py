"""Who the pods of a service are in a cloud, where its annotations give it an identity; all others are the namespace's `default`."""

from collections.abc import Iterator

from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import own_labels
from core.cluster.rendering.input import RenderInput
from core.manifest.service import Service
from core.records.traits import Traits


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the ServiceAccount of a service that has an identity; without a token for Kubernetes itself."""
    if not service.account_annotations:
        return
    yield {
        "apiVersion": "v1",
        "kind": SERVICE_ACCOUNT.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
            "annotations": dict(service.account_annotations),
        },
        "automountServiceAccountToken": False,
    }


SERVICE_ACCOUNT = ManagedKind(
    name="ServiceAccount",
    resource=Resource("", "v1", "serviceaccounts"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=each_service(render),
)
