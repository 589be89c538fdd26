"""The way from outside to a service through a Gateway, where the cluster has the Gateway API."""

from collections.abc import Iterator

from core.cluster.documents import Document, generation_of, name_of, status_of
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import own_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.routes import hosts
from core.manifest.service import Service
from core.records.bundle import Bundle, Ref
from core.records.route_state import RouteState
from core.records.traits import Traits

# Conditions by which a Gateway says that requests go through a route.
TAKEN = frozenset({"Accepted", "ResolvedRefs"})


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the HTTPRoute of a published service; it has no release in it, so that a promotion leaves it alone."""
    router = given.router
    names = hosts(router, service, given.app.name) if router.kind == "gateway" else ()
    if not names or service.port is None:
        return
    yield {
        "apiVersion": HTTP_ROUTE.resource.api_version,
        "kind": HTTP_ROUTE.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
        },
        "spec": {
            "parentRefs": [
                {
                    "group": HTTP_ROUTE.resource.group,
                    "kind": "Gateway",
                    "name": router.name,
                    "namespace": router.namespace,
                }
            ],
            "hostnames": list(names),
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [
                        {
                            "group": "",
                            "kind": "Service",
                            "name": service.name,
                            "port": service.port.number,
                            "weight": 1,
                        }
                    ],
                    "timeouts": {"request": f"{service.route.timeout}s"},
                }
            ],
        },
    }


def route(wanted: Document, live: Document) -> RouteState:
    """Return how an HTTPRoute stands: a Gateway says of each route whether it takes it, and why not."""
    (parent,) = wanted["spec"]["parentRefs"]
    ref, gateway = Ref(HTTP_ROUTE.name, name_of(wanted)), f"Gateway {parent['namespace']}/{parent['name']}"
    names = tuple(wanted["spec"]["hostnames"])
    said = [
        condition
        for each in status_of(live).get("parents") or ()
        if (each["parentRef"].get("namespace"), each["parentRef"]["name"])
        == (parent["namespace"], parent["name"])
        for condition in each.get("conditions") or ()
        if condition.get("observedGeneration", generation_of(live)) == generation_of(live)
    ]
    sentence = ""
    refused = next((c for c in said if c["type"] in TAKEN and c["status"] != "True"), None)
    if refused is not None:
        why = refused.get("message") or refused.get("reason") or "it does not say why"
        sentence = f"{gateway} does not take {ref}: {why}"
    elif not {c["type"] for c in said} & TAKEN:
        sentence = (
            f"no controller has picked up {ref} yet: is there a {gateway}, and may this namespace use it?"
        )
    return RouteState(ref=ref, addresses=names, sentence=sentence)


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return the names by which it is found from outside."""
    return f" → {', '.join(wanted['spec']['hostnames'])}"


HTTP_ROUTE = ManagedKind(
    name="HTTPRoute",
    resource=Resource("gateway.networking.k8s.io", "v1", "httproutes"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=True),
    optional="install the Gateway API, or let CONVOX_ROUTER name an ingress class",
    render=each_service(render),
    route=route,
    brief=brief,
)
