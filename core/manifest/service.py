"""One service of a manifest as values: what convox.yml asks for, with every default filled in."""

from dataclasses import dataclass, field

from core.manifest.configs import ConfigMount
from core.manifest.keys import SERVICE_ACCOUNT_PREFIXES
from core.manifest.registries import RegistryLogin
from core.manifest.resources import ResourceLink
from core.manifest.route import Balancer, Route
from core.manifest.security import SecurityContext
from core.manifest.volumes import Volume


@dataclass(frozen=True, slots=True)
class EnvironmentDeclaration:
    """One entry of `environment:`; without a default the release must set it."""

    key: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """The port that a service listens on.

    Attributes:
        scheme: `http`, `https` or `grpc`; says how its health is asked for.
    """

    number: int
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class ExtraPort:
    """One more port, for other services only."""

    number: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """When a process may get traffic; seconds. Convox's defaults: grace = interval, timeout = interval - 1.

    Attributes:
        port: where to ask, if not the service's own port.
        disable: ready as soon as it runs.
    """

    path: str = "/"
    port: Port | None = None
    interval: int = 5
    grace: int = 5
    timeout: int = 4
    disable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck:
    """A liveness or startup check; seconds. The defaults are Convox's for liveness.

    Attributes:
        path: what to ask for by HTTP; "" for a check by TCP or gRPC.
        port: where to ask by HTTP, if not the service's own port.
        tcp_port: the port that must accept a connection, where there is no path.
        grpc: asks the service's own port by gRPC's health protocol.
    """

    path: str = ""
    port: Port | None = None
    tcp_port: int | None = None
    grpc: bool = False
    grace: int = 10
    interval: int = 5
    timeout: int = 5
    successes: int = 1
    failures: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Commands that the kubelet runs in a container, in words: after it has started, and before it is stopped."""

    post_start: tuple[str, ...] = ()
    pre_stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InitContainer:
    """A container that must end well before the service's own is started.

    Attributes:
        image: "" for the service's own.
    """

    image: str = ""
    command: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    configs: tuple[ConfigMount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePreference:
    """A label that the nodes of a service should have, if any can; `weight` from 1 to 100."""

    label: str
    value: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingUpdate:
    """How a rollout may go, in percent of the count.

    The default minimum is 100 where Convox has 50: a bad release takes no capacity from the good one.
    """

    minimum: int = 100
    maximum: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """Up to how many processes a service may grow, and at which load.

    Attributes:
        most: processes; the least are the count of its scale.
        cpu: percent of what a process asks for that all of them should use on average; None where it is no measure.
        memory: the same of memory.
        enforced: it was asked for by `autoscale`, so Convox's rules for that hold.
    """

    most: int
    cpu: int | None = None
    memory: int | None = None
    enforced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many processes, and how much each may have: cpu in millicores, memory in MiB.

    Attributes:
        count: processes; with an autoscaler the least of them.
        gpus: graphics processors; `gpu_vendor` is whose, as nodes offer them: `nvidia.com`. A service with some has no
            default for cpu and memory, as in Convox: 0 asks for none.
    """

    count: int = 1
    autoscaler: Autoscaler | None = None
    cpu: int = 250
    memory: int = 512
    cpu_limit: int | None = None
    memory_limit: int | None = None
    gpus: int = 0
    gpu_vendor: str = "nvidia.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a manifest.

    Attributes:
        image: the image it names itself; None where CI builds one and registers it.
        build: the path that CI builds, for display.
        command: arguments of the image's entry point; None leaves the image's own.
        environment: declarations of the manifest's top, then the service's own.
        internal: not to be reached from outside.
        route: how the rack's router reaches it; `balancers`: load balancers that lead to it.
        init: a process above the service reaps orphans and takes signals (`shareProcessNamespace`).
        termination_grace: seconds between SIGTERM and SIGKILL.
        grpc_health: its port answers gRPC's health protocol, which asks it whether it is ready and alive.
        node_selector: labels that a node must have; `node_preferences`: those that it should have.
        singleton: never more processes than its count, not even while it is rolled out.
        agent: one process on every node.
        volumes: what is mounted into its pods.
        configs: files of the manifest that are mounted.
        pull_secrets: Secrets that somebody has put into the namespace, for the registries of its images; `registries` are
            logins that the manifest names.
        before: what runs in each pod before its process starts.
        privileged: its processes may do to their node what the node's own may; `security` says the rest.
        links: resources whose variables it gets.
        ndots: dots that a name must have to be looked up as it stands before the cluster's domains are tried.
    """

    name: str
    image: str | None = None
    build: str | None = None
    command: tuple[str, ...] | None = None
    environment: tuple[EnvironmentDeclaration, ...] = ()
    port: Port | None = None
    ports: tuple[ExtraPort, ...] = ()
    health: Health = field(default_factory=Health)
    liveness: ProbeCheck | None = None
    startup: ProbeCheck | None = None
    deployment: RollingUpdate = field(default_factory=RollingUpdate)
    scale: Scale = field(default_factory=Scale)
    termination_grace: int = 30
    internal: bool = False
    init: bool = True
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    grpc_health: bool = False
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    node_selector: tuple[tuple[str, str], ...] = ()
    node_preferences: tuple[NodePreference, ...] = ()
    ndots: int | None = None
    singleton: bool = False
    links: tuple[ResourceLink, ...] = ()
    agent: bool = False
    volumes: tuple[Volume, ...] = ()
    configs: tuple[ConfigMount, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    registries: tuple[RegistryLogin, ...] = ()
    before: InitContainer | None = None
    privileged: bool = False
    security: SecurityContext = field(default_factory=SecurityContext)
    route: Route = field(default_factory=Route)
    balancers: tuple[Balancer, ...] = ()

    @property
    def has_exclusive_volume(self) -> bool:
        """Whether a disk of it can be had by one node at a time: an old pod goes before the new one comes (engine rule 29)."""
        return any(volume.exclusive for volume in self.volumes)

    @property
    def host_paths(self) -> tuple[str, ...]:
        """The files and folders of its nodes that its processes see."""
        return tuple(sorted({volume.host for volume in self.volumes if volume.host}))

    @property
    def host_ports(self) -> bool:
        """Whether it takes ports of its nodes, as the further ports of an agent do; two pods of it fit on no node then."""
        return self.agent and bool(self.ports)

    @property
    def recreates(self) -> bool:
        """Whether its old pods must go before its new ones come, so that it is down meanwhile (engine rule 29)."""
        return not self.agent and (self.singleton or self.has_exclusive_volume)

    @property
    def published(self) -> bool:
        """Whether Convox would make it known to the outside: it has a port, and nothing says that it is internal."""
        return self.port is not None and not self.internal and not self.route.internal_router

    @property
    def account_annotations(self) -> tuple[tuple[str, str], ...]:
        """Annotations that give it an identity in a cloud, for which it has a service account of its own."""
        return tuple(pair for pair in self.annotations if pair[0].startswith(SERVICE_ACCOUNT_PREFIXES))

    @property
    def health_port(self) -> Port | None:
        """Where it is asked whether it is ready; None where it is not asked, and counts as ready as soon as it runs."""
        port = self.health.port or self.port
        if port is None or self.health.disable:
            return None
        return port if port.scheme != "grpc" or self.grpc_health else None
