"""Which names lead to a service from outside, and of which keys of a route nothing comes with the rack's router."""

import re
from collections.abc import Iterator

from core.cluster.rendering.controllers import controller_of
from core.errors import Invalid
from core.manifest.convox_yml import Manifest
from core.manifest.service import Service
from core.records.router import Router

# What Kubernetes takes as the name of a Secret; a certificate of AWS is named by its ARN.
SECRET_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
ARN = "arn:"
_KINDS_WITHOUT = {
    "certificate": "the listeners of the Gateway hold its certificates",
    "ingressAnnotations": "the rack's router is a Gateway, which has no Ingress",
    "sticky": "no HTTPRoute can ask for it",
    "tls": "the listeners of the Gateway say what becomes of http",
}


def hosts(router: Router, service: Service, app: str) -> tuple[str, ...]:
    """Return the names by which a service is found from outside, the rack's own first; none where nothing leads to it."""
    if router.kind == "none" or not service.published:
        return ()
    return tuple(dict.fromkeys((router.host(service.name, app), *service.route.domains)))


def has_own_certificate(service: Service, router: Router) -> bool:
    """Tell whether the certificate that a service names can be used by an ingress controller."""
    name = service.route.certificate
    if controller_of(router.name).certificate is not None:
        return name.startswith(ARN)
    return bool(SECRET_NAME.fullmatch(name))


def is_issued(service: Service, router: Router) -> bool:
    """Tell whether a certificate is issued for an Ingress: there is an issuer, and its controller reads Secrets."""
    own = has_own_certificate(service, router)
    return bool(router.issuer) and not own and controller_of(router.name).certificate is None


def route_notes(manifest: Manifest, router: Router) -> tuple[str, ...]:
    """Say of which keys nothing comes with this router, and whom nobody outside can reach.

    Raises:
        Invalid: a key that keeps people out, and that the router cannot be told.
    """
    if open_to_all := [s.name for s in manifest.services if _whitelist_is_lost(s, router)]:
        raise Invalid(
            "\n".join(
                f"whitelist of service {name}: nothing is known of how {router} is told it, and everybody could reach the service"
                for name in open_to_all
            ),
            hint="take it out, or make the service internal",
        )
    return (*_unreached(manifest, router), *(note for s in manifest.services for note in _of(s, router)))


def _whitelist_is_lost(service: Service, router: Router) -> bool:
    if not (service.published and service.route.whitelist) or router.kind == "none":
        return False
    return router.kind == "gateway" or controller_of(router.name).whitelist is None


def _unreached(manifest: Manifest, router: Router) -> Iterator[str]:
    if router.kind == "none" and (
        names := [s.name for s in manifest.services if s.published and not s.balancers]
    ):
        yield f"nobody outside of the cluster reaches {', '.join(names)}: this rack has no router"


def _of(service: Service, router: Router) -> Iterator[str]:
    for key in service.route.given:
        if why := _why_not(key, service, router):
            yield f"{key} of {service.name} is without effect: {why}"


def _why_not(key: str, service: Service, router: Router) -> str:
    """Return why nothing comes of a key that a service has, or "" where something does."""
    if router.kind == "none":
        return "this rack has no router"
    if service.port is None:
        return "the service has no port"
    if service.internal:
        return "the service is internal"
    if service.route.internal_router:
        return (
            f"this rack has no internal router; inside of the cluster the service is found as {service.name}"
        )
    if key == "whitelist":
        return ""  # otherwise it is refused
    return _KINDS_WITHOUT.get(key, "") if router.kind == "gateway" else _why_not_told(key, service, router)


def _why_not_told(key: str, service: Service, router: Router) -> str:
    controller, route = controller_of(router.name), service.route
    told = {"timeout": controller.timeout, "sticky": controller.sticky, "tls": controller.redirect}
    if key in told and told[key] is None:
        return f"nothing is known of how {router} is told it"
    if key != "certificate" or has_own_certificate(service, router):
        return ""
    if route.certificate:
        return "its id is no ARN" if controller.certificate else "its id is no name of a Secret"
    return "" if is_issued(service, router) else "nobody issues certificates here: CONVOX_ISSUER is not set"
