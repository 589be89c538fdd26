"""The address of a service inside of the cluster, for every service that has a port."""

from collections.abc import Iterator

from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource
from core.cluster.labels import match_labels, own_labels, resource_labels, resource_match_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.workload import port_name
from core.manifest.service import Service
from core.records.traits import Traits


def render(given: RenderInput) -> Iterator[Json]:
    """Yield the ClusterIP of each service and resource; it has no release in it, so that a promotion leaves it alone."""
    for service in given.services:
        yield from _of_service(service, given)
    for resource in given.manifest.made:
        yield {
            "apiVersion": "v1",
            "kind": SERVICE.name,
            "metadata": {
                "name": resource.object_name,
                "namespace": given.namespace,
                "labels": resource_labels(given.rack, given.app, resource),
            },
            "spec": {
                "type": "ClusterIP",
                "selector": resource_match_labels(given.rack, given.app, resource),
                "ports": [
                    {
                        "name": "main",
                        "port": resource.kind.port,
                        "targetPort": resource.kind.port,
                        "protocol": "TCP",
                    }
                ],
            },
        }


def _of_service(service: Service, given: RenderInput) -> Iterator[Json]:
    if not (service.port or service.ports):
        return
    main = [{"name": "main", "port": service.port.number, "targetPort": "main"}] if service.port else []
    extra = [
        {"name": port_name(p.number, p.protocol), "port": p.number, "targetPort": p.number}
        | {"protocol": p.protocol.upper()}
        for p in service.ports
    ]
    yield {
        "apiVersion": "v1",
        "kind": SERVICE.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
        },
        "spec": {
            "type": "ClusterIP",
            "selector": match_labels(given.rack, given.app, service),
            "ports": [{"protocol": "TCP", **port} for port in (*main, *extra)],
        },
    }


SERVICE = ManagedKind(
    name="Service",
    resource=Resource("", "v1", "services"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=render,
)
