"""The address of a service inside of the cluster, for every service that has a port; and its load balancers."""

import json
from collections.abc import Iterator

from core.cluster.documents import Document, name_of, spec_of, status_of
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource
from core.cluster.labels import match_labels, own_labels, resource_labels, resource_match_labels
from core.cluster.ownership import Path
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.workload import port_name
from core.manifest.route import Balancer
from core.manifest.routing import OBJECT_PREFIX
from core.manifest.service import Service
from core.records.bundle import Bundle, Ref
from core.records.route_state import RouteState
from core.records.traits import Traits

# Convox's, for the load balancers of AWS; other clouds pay no heed. The manifest's own annotations win.
BALANCER_ANNOTATIONS = {
    "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout": "3600",
    "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
}
# What a Gateway speaks with a port, where that is not http (KEP-3726).
APP_PROTOCOLS = {"grpc": "kubernetes.io/h2c", "https": "https"}


def render(given: RenderInput) -> Iterator[Json]:
    """Yield the ClusterIP of each service and resource, and load balancers; no release is in them: a promotion leaves them alone."""
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
    if service.port or service.ports:
        yield _cluster_ip(service, given)
    for balancer in sorted(service.balancers, key=lambda each: each.name):
        yield _load_balancer(service, balancer, given)


def _cluster_ip(service: Service, given: RenderInput) -> Json:
    main: list[Json] = []
    if service.port:
        main = [{"name": "main", "port": service.port.number, "targetPort": "main"}]
        if given.router.kind == "gateway" and service.port.scheme in APP_PROTOCOLS:
            main[0]["appProtocol"] = APP_PROTOCOLS[service.port.scheme]
    extra = [
        {"name": port_name(p.number, p.protocol), "port": p.number, "targetPort": p.number}
        | {"protocol": p.protocol.upper()}
        for p in service.ports
    ]
    return {
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


def _load_balancer(service: Service, balancer: Balancer, given: RenderInput) -> Json:
    spec: Json = {
        "type": "LoadBalancer",
        # Whoever asks is seen by their own address, which a list of ranges needs; as in Convox.
        "externalTrafficPolicy": "Local",
        "selector": match_labels(given.rack, given.app, service),
        "ports": [
            {
                "name": port_name(port.source, port.protocol.lower()),
                "port": port.source,
                "protocol": port.protocol,
                "targetPort": port.target,
            }
            for port in balancer.ports
        ],
    }
    if balancer.whitelist:
        spec["loadBalancerSourceRanges"] = list(balancer.whitelist)
    return {
        "apiVersion": "v1",
        "kind": SERVICE.name,
        "metadata": {
            "name": f"{OBJECT_PREFIX}{balancer.name}",
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service, type_="balancer"),
            "annotations": {**BALANCER_ANNOTATIONS, **dict(balancer.annotations)},
        },
        "spec": spec,
    }


def route(wanted: Document, live: Document) -> RouteState | None:
    """Return how a load balancer stands: the cloud writes down its address; a ClusterIP leads nowhere."""
    if wanted["spec"]["type"] != "LoadBalancer":
        return None
    ref = Ref(SERVICE.name, name_of(wanted))
    found = (status_of(live).get("loadBalancer") or {}).get("ingress") or ()
    hosts = [str(each.get("hostname") or each.get("ip")) for each in found]
    ports = [port["port"] for port in wanted["spec"]["ports"]]
    sentence = "" if hosts else f"no load balancer has been made for {ref}: does this cluster make any?"
    return RouteState(
        ref=ref, addresses=tuple(f"{host}:{port}" for host in hosts for port in ports), sentence=sentence
    )


def changed(wanted: Document, live: Document) -> tuple[Path, ...]:
    """Return what leads elsewhere than it was applied.

    A port that others add leads nobody astray. A label that they add to the selector does: pods must have every one of them.
    """
    asked, found = wanted["spec"], spec_of(live)
    targets = {_port_key(port): port.get("targetPort") for port in found.get("ports") or ()}
    same: dict[Path, bool] = {
        ("f:spec", "f:type"): asked["type"] == found.get("type"),
        ("f:spec", "f:selector"): asked["selector"] == found.get("selector"),
        **{
            ("f:spec", "f:ports", _port_key(port), "f:targetPort"): targets.get(_port_key(port))
            == port["targetPort"]
            for port in asked["ports"]
        },
    }
    return tuple(path for path, as_applied in same.items() if not as_applied)


def _port_key(port: Document) -> str:
    """Return a port as managed fields name it."""
    keys = {"port": port["port"], "protocol": port.get("protocol", "TCP")}
    return f"k:{json.dumps(keys, separators=(',', ':'))}"


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return its ports."""
    ports = ", ".join(f"{port['port']}/{port['protocol'].lower()}" for port in wanted["spec"]["ports"])
    return f" ({ports})"


SERVICE = ManagedKind(
    name="Service",
    resource=Resource("", "v1", "services"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=render,
    route=route,
    changed=changed,
    brief=brief,
)
