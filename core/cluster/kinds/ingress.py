"""The way from outside to a service, for an ingress controller to walk."""

from collections.abc import Iterator

from core.cluster.documents import Document, name_of, status_of
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource, each_service
from core.cluster.labels import own_labels
from core.cluster.rendering.controllers import controller_of
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.routes import has_own_certificate, hosts, is_issued
from core.manifest.service import Service
from core.records.bundle import Bundle, Ref
from core.records.route_state import RouteState
from core.records.router import Router
from core.records.traits import Traits

# cert-manager's; it makes the Secrets that the Ingress names.
ISSUER, DURATION = "cert-manager.io/cluster-issuer", "cert-manager.io/duration"


def render(service: Service, given: RenderInput) -> Iterator[Json]:
    """Yield the Ingress of a published service; it has no release in it, so that a promotion leaves it alone."""
    names = hosts(given.router, service, given.app.name) if given.router.kind == "ingress" else ()
    if not names or service.port is None:
        return
    backend = {"service": {"name": service.name, "port": {"number": service.port.number}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    spec: Json = {
        "ingressClassName": given.router.name,
        "rules": [{"host": name, "http": {"paths": paths}} for name in names],
    }
    if tls := list(_tls(service, given.router, names)):
        spec["tls"] = tls
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": INGRESS.name,
        "metadata": {
            "name": service.name,
            "namespace": given.namespace,
            "labels": own_labels(given.rack, given.app, service),
            "annotations": _annotations(service, given.router),
        },
        "spec": spec,
    }


def _tls(service: Service, router: Router, names: tuple[str, ...]) -> Iterator[Json]:
    """Yield which Secret holds the certificate of which names; the rack's own name has one of its own, as in Convox."""
    if has_own_certificate(service, router):
        if controller_of(router.name).certificate is None:
            yield {"hosts": list(names), "secretName": service.route.certificate}
    elif is_issued(service, router):
        own, *domains = names
        yield {"hosts": [own], "secretName": f"cert-{service.name}"}
        if domains:
            yield {"hosts": domains, "secretName": f"cert-{service.name}-domains"}


def _annotations(service: Service, router: Router) -> dict[str, str]:
    """Return what the controller is told; the manifest's own annotations can add to it, not change it."""
    controller, route = controller_of(router.name), service.route
    found = {**dict(route.annotations), **(controller.always or {})}
    if controller.timeout is not None:
        found |= controller.timeout(route.timeout)
    if route.sticky and controller.sticky is not None:
        found |= controller.sticky
    if route.whitelist and controller.whitelist is not None:
        found |= controller.whitelist(route.whitelist)
    scheme = service.port.scheme if service.port else ""
    found |= {"https": controller.https, "grpc": controller.grpc}.get(scheme) or {}
    own = has_own_certificate(service, router)
    if own and controller.certificate is not None:
        found |= controller.certificate(route.certificate)
    if is_issued(service, router):
        found[ISSUER] = router.issuer
        if route.certificate_hours is not None:
            found[DURATION] = f"{route.certificate_hours}h0m0s"
    if controller.redirect is not None and (own or is_issued(service, router)):
        found |= controller.redirect(route.redirect)
    return found


def route(wanted: Document, live: Document) -> RouteState:
    """Return how an Ingress stands: its controller writes down the address at which it listens."""
    spec = wanted["spec"]
    secure = {host for entry in spec.get("tls") or () for host in entry["hosts"]}
    names = [rule["host"] for rule in spec["rules"]]
    taken = bool((status_of(live).get("loadBalancer") or {}).get("ingress"))
    ref, name = Ref(INGRESS.name, name_of(wanted)), spec["ingressClassName"]
    waiting = f"no controller has picked up {ref} yet: is there one of ingress class {name}?"
    return RouteState(
        ref=ref,
        addresses=tuple(f"{'https' if each in secure else 'http'}://{each}" for each in names),
        sentence="" if taken else waiting,
    )


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return the names by which it is found from outside."""
    return f" → {', '.join(rule['host'] for rule in wanted['spec']['rules'])}"


INGRESS = ManagedKind(
    name="Ingress",
    resource=Resource("networking.k8s.io", "v1", "ingresses"),
    rights={"": MANAGE},
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=True),
    render=each_service(render),
    route=route,
    brief=brief,
)
