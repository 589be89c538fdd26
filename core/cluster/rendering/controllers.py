"""What ingress controllers take as annotations, since an Ingress itself can say neither how long, how often nor from where.

Each is known by the name of its usual class. Of a class that is not here nothing is known: what it would have to be told is
noted to be without effect, and where that would let in whoever should not come in, refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Annotations = Mapping[str, str]
# Convox's.
COOKIE = "CONVOXSESSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressController:
    """One controller's annotations; None for what it cannot be told on an Ingress.

    Attributes:
        always: what every Ingress of it needs.
        timeout: of seconds that a request may take; what it does to long connections (WebSockets) it does by the same.
        sticky: for a cookie that leads back to the same process.
        redirect: whether http is sent on to https.
        whitelist: of address ranges.
        https, grpc: for services that speak these themselves.
        certificate: of a certificate that is kept elsewhere than in a Secret, by its id; such a controller reads no Secrets.
    """

    always: Annotations | None = None
    timeout: Callable[[int], Annotations] | None = None
    sticky: Annotations | None = None
    redirect: Callable[[bool], Annotations] | None = None
    whitelist: Callable[[tuple[str, ...]], Annotations] | None = None
    https: Annotations | None = None
    grpc: Annotations | None = None
    certificate: Callable[[str], Annotations] | None = None


def _nginx(name: str) -> str:
    return f"nginx.ingress.kubernetes.io/{name}"


def _nginx_timeout(seconds: int) -> Annotations:
    # Convox also sets them by a server-snippet, which ingress-nginx refuses unless an administrator allows it.
    return {_nginx(f"proxy-{which}-timeout"): str(seconds) for which in ("connect", "read", "send")}


# https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
NGINX = IngressController(
    timeout=_nginx_timeout,
    sticky={_nginx("affinity"): "cookie", _nginx("session-cookie-name"): COOKIE},
    redirect=lambda on: {_nginx("ssl-redirect"): _word(on)},
    whitelist=lambda ranges: {_nginx("whitelist-source-range"): ",".join(ranges)},
    https={_nginx("backend-protocol"): "HTTPS"},
    grpc={_nginx("backend-protocol"): "GRPC"},
)

# https://www.haproxy.com/documentation/kubernetes-ingress/community/configuration-reference/ingress/
HAPROXY = IngressController(
    timeout=lambda seconds: {
        "haproxy.org/timeout-server": f"{seconds}s",
        "haproxy.org/timeout-tunnel": f"{seconds}s",
    },
    sticky={"haproxy.org/cookie-persistence": COOKIE},
    redirect=lambda on: {"haproxy.org/ssl-redirect": _word(on)},
    whitelist=lambda ranges: {"haproxy.org/allow-list": ", ".join(ranges)},
    https={"haproxy.org/server-ssl": "true"},
    grpc={"haproxy.org/server-proto": "h2"},
)

# https://projectcontour.io/docs/main/config/annotations/; WebSockets are off until they are asked for.
CONTOUR = IngressController(
    always={"projectcontour.io/websocket-routes": "/"},
    timeout=lambda seconds: {"projectcontour.io/response-timeout": f"{seconds}s"},
    redirect=lambda on: {"ingress.kubernetes.io/force-ssl-redirect": _word(on)},
)

# https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/; a ClusterIP Service is
# reached by the addresses of its pods only.
ALB = IngressController(
    always={
        "alb.ingress.kubernetes.io/scheme": "internet-facing",
        "alb.ingress.kubernetes.io/target-type": "ip",
    },
    timeout=lambda seconds: {
        "alb.ingress.kubernetes.io/load-balancer-attributes": f"idle_timeout.timeout_seconds={min(seconds, 4000)}"
    },
    sticky={"alb.ingress.kubernetes.io/target-group-attributes": "stickiness.enabled=true"},
    redirect=lambda on: {"alb.ingress.kubernetes.io/ssl-redirect": "443"} if on else {},
    whitelist=lambda ranges: {"alb.ingress.kubernetes.io/inbound-cidrs": ",".join(ranges)},
    https={"alb.ingress.kubernetes.io/backend-protocol": "HTTPS"},
    grpc={"alb.ingress.kubernetes.io/backend-protocol-version": "GRPC"},
    certificate=lambda arn: {
        "alb.ingress.kubernetes.io/certificate-arn": arn,
        "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
    },
)

CONTROLLERS: Mapping[str, IngressController] = MappingProxyType(
    {"alb": ALB, "contour": CONTOUR, "haproxy": HAPROXY, "nginx": NGINX}
)
UNKNOWN = IngressController()


def controller_of(ingress_class: str) -> IngressController:
    """Return what is known of the controller of a class."""
    return CONTROLLERS.get(ingress_class, UNKNOWN)


def _word(on: bool) -> str:
    return "true" if on else "false"
