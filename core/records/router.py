"""The rack's router: how what runs is reached from outside, as the settings name it (contract 9.3)."""

from dataclasses import dataclass
from typing import Literal

RouterKind = Literal["none", "ingress", "gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """What takes requests from outside and hands them to services.

    Attributes:
        kind: an ingress controller, a Gateway, or none: then nobody outside reaches anything by a name.
        name: the ingress class, or the Gateway.
        namespace: of the Gateway.
        domain: what the name of every published service ends with: `<service>.<app>.<domain>`.
        issuer: the cert-manager ClusterIssuer of certificates; "" has none issued.
    """

    kind: RouterKind = "none"
    name: str = ""
    namespace: str = ""
    domain: str = ""
    issuer: str = ""

    def __str__(self) -> str:
        return (
            f"ingress class {self.name}"
            if self.kind == "ingress"
            else f"Gateway {self.namespace}/{self.name}"
        )

    def host(self, service: str, app: str) -> str:
        """Return the name that the rack gives a service, as in Convox."""
        return f"{service}.{app}.{self.domain}"


NO_ROUTER = Router()
