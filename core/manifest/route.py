"""How a service is to be reached, as values: by a router of the rack, or by a load balancer of its own."""

from dataclasses import dataclass

# Seconds that a request may take; Convox's default.
DEFAULT_TIMEOUT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a service asks of the rack's router; without one nothing comes of it.

    Attributes:
        domains: names beside the one that the rack gives it.
        timeout: seconds that a request may take.
        sticky: whoever has been answered by a process is answered by the same one again, as far as it goes.
        redirect: what comes by http is sent on to https.
        whitelist: address ranges that may reach it; none means everybody.
        certificate: the Secret of the namespace that holds its certificate; "" lets one be issued.
        certificate_hours: how long an issued certificate is valid; None leaves that to the issuer.
        annotations: of the Ingress.
        internal_router: meant for a router that only the inside reaches.
        given: its keys that the file has, in the file's order, so that it can be said of which nothing comes.
    """

    domains: tuple[str, ...] = ()
    timeout: int = DEFAULT_TIMEOUT
    sticky: bool = False
    redirect: bool = True
    whitelist: tuple[str, ...] = ()
    certificate: str = ""
    certificate_hours: int | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    internal_router: bool = False
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerPort:
    """A port of a load balancer, and the port of the service that it leads to; `protocol` is `TCP` or `UDP`."""

    source: int
    target: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A load balancer that the cloud makes for one service.

    Attributes:
        whitelist: address ranges that may reach it; none means everybody.
    """

    name: str
    service: str
    ports: tuple[BalancerPort, ...]
    whitelist: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
