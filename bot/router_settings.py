"""How the rack's services are reached from outside, out of three settings (contract 9.3)."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, field_validator

from core.records.router import NO_ROUTER, Router

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
DNS_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
# `<service>.<app>.<domain>` may have 253 characters: 63 of a service, 30 of an app, two dots.
LONGEST_DOMAIN = 253 - 63 - 30 - 2
INGRESS, GATEWAY, NONE = "ingress:", "gateway:", "none"
FORMS = "it is none, ingress:CLASS or gateway:NAMESPACE/NAME"


class RouterSettings(BaseModel):
    """The rack's router; by default there is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_router: str = NONE
    """`none`, `ingress:<class>` or `gateway:<namespace>/<name>`."""
    convox_domain: str | None = None
    """A published service is `<service>.<app>.<domain>`."""
    convox_issuer: str | None = None
    """A cert-manager ClusterIssuer."""

    @field_validator("convox_router")
    @classmethod
    def _router(cls, value: str) -> str:
        if router_of(value) is None:
            raise ValueError(f"names no router: {FORMS}")
        return value

    @field_validator("convox_domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        domain = value.lower().strip(".")
        if not DNS_SUBDOMAIN.fullmatch(domain) or len(domain) > LONGEST_DOMAIN:
            raise ValueError(
                f"is no domain such as apps.example.com of at most {LONGEST_DOMAIN} characters, without *."
            )
        return domain

    @field_validator("convox_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        if not DNS_SUBDOMAIN.fullmatch(value):
            raise ValueError("is no name of a ClusterIssuer: lower-case letters, digits, dashes and dots")
        return value

    @property
    def router(self) -> Router:
        """The router as the core knows it."""
        found = router_of(self.convox_router) or NO_ROUTER
        if found.kind == "none":
            return found
        return Router(
            kind=found.kind,
            name=found.name,
            namespace=found.namespace,
            domain=self.convox_domain or "",
            issuer=self.convox_issuer or "",
        )


def router_of(text: str) -> Router | None:
    """Return what `CONVOX_ROUTER` names, without its domain; None where it names nothing."""
    if text == NONE:
        return NO_ROUTER
    if text.startswith(INGRESS) and DNS_SUBDOMAIN.fullmatch(name := text.removeprefix(INGRESS)):
        return Router(kind="ingress", name=name)
    namespace, _, name = text.removeprefix(GATEWAY).partition("/")
    if text.startswith(GATEWAY) and DNS_SUBDOMAIN.fullmatch(namespace) and DNS_SUBDOMAIN.fullmatch(name):
        return Router(kind="gateway", name=name, namespace=namespace)
    return None


def router_contradictions(given: Mapping[str, str]) -> list[str]:
    """Return what is wrong between the settings of the router.

    Args:
        given: field → text, as it was found.
    """
    router = given.get("convox_router", NONE)
    if router != NONE and not given.get("convox_domain"):
        why = "name the domain under which services are found, as <service>.<app>.<domain>"
        return [f"CONVOX_ROUTER is set and CONVOX_DOMAIN is not: {why}"]
    return []
