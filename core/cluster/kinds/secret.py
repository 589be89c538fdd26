"""The environment of a service: one immutable Secret a service and release, so that old pods never read new values."""

from collections.abc import Iterator

from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import RELEASE_LABEL, own_labels, secret_name
from core.cluster.rendering.environment import secret_data, variables
from core.cluster.rendering.input import RenderInput
from core.manifest.service import Service
from core.records.traits import Traits


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the Secret.

    Raises:
        Invalid: no process could be started with the environment.
    """
    values = variables(given.release, given.build, service, given.app, rack=given.rack)
    yield {
        "apiVersion": "v1",
        "kind": SECRET.name,
        "metadata": {
            "name": secret_name(service.name, given.release.id),
            "namespace": given.namespace,
            "labels": {
                **own_labels(given.rack, given.app, service, type_="env"),
                RELEASE_LABEL: given.release.id,
            },
        },
        "type": "Opaque",
        "immutable": True,
        "data": secret_data(values, service.name),
    }


SECRET = ManagedKind(
    name="Secret",
    resource=Resource("", "v1", "secrets"),
    rights={"": MANAGE},
    # Kept: an old replica set, even one at 0, may still refer to it.
    traits=Traits(counted=False, pruned=False, removed=True),
    render=each_service(render),
)
