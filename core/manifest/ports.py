"""How a service is reached and asked for its health: `port`, `ports`, `health`, `liveness`, `startupProbe`."""

from core.manifest.service import ExtraPort, Health, Port, ProbeCheck
from core.yaml.fields import INTEGER, FieldReader, node_kind
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode

LARGEST_PORT = 65535
SCHEMES = ("http", "https", "grpc")
PROTOCOLS = ("tcp", "udp")
MAX_PROBE_SECONDS = 3600  # a check slower than an hour outlives every rollout


def read_port(read: FieldReader, node: Node, what: str) -> Port | None:
    """Read `3000`, `https:3000`, or `{port: 3000, scheme: https}`."""
    if isinstance(node, MappingNode):
        entries = read.entries_of(node, what, ("port", "scheme"))
        if "port" not in entries:
            read.problems.add(node.line, f"could not parse port: {what} has no port")
            return None
        port = read_port(read, entries["port"].value, what)
        if port is None or "scheme" not in entries:
            return port
        return _with_scheme(read, entries["scheme"].value, what, port.number)
    scheme, _, number = node.text.rpartition(":") if isinstance(node, ScalarNode) else ("", "", "")
    if not INTEGER.match(number) or not 1 <= int(number) <= LARGEST_PORT or (scheme or "http") not in SCHEMES:
        read.problems.add(
            node.line, f"invalid port: {node_kind(node)} ({what} may be 3000, https:3000 or grpc:3000)"
        )
        return None
    return Port(int(number), scheme or "http")


def _with_scheme(read: FieldReader, node: Node, what: str, number: int) -> Port | None:
    scheme = read.text(node, what).lower()
    if scheme in SCHEMES:
        return Port(number, scheme)
    read.problems.add(
        node.line, f"invalid port: scheme {node_kind(node)} of {what} is none of {', '.join(SCHEMES)}"
    )
    return None


def read_ports(read: FieldReader, node: Node, what: str, main: Port | None) -> tuple[ExtraPort, ...]:
    """Read a list of `2000`, `2000/udp` or `{port: 2000, protocol: udp}`; what repeats the main port is dropped."""
    found: dict[ExtraPort, None] = {}
    for item in read.items(node, what):
        port = _extra_port(read, item, what)
        if port is not None and not (main and port == ExtraPort(main.number)):
            found[port] = None
    return tuple(found)


def _extra_port(read: FieldReader, node: Node, what: str) -> ExtraPort | None:
    number, protocol = "", "tcp"
    if isinstance(node, MappingNode):
        entries = read.entries_of(node, what, ("port", "protocol"))
        number = read.text(entries["port"].value, what) if "port" in entries else ""
        protocol = read.text(entries["protocol"].value, what) if "protocol" in entries else "tcp"
    elif isinstance(node, ScalarNode):
        number, _, protocol = node.text.partition("/")
    protocol = protocol.lower() or "tcp"
    if INTEGER.match(number) and 1 <= int(number) <= LARGEST_PORT and protocol in PROTOCOLS:
        return ExtraPort(int(number), protocol)
    read.problems.add(node.line, f"invalid port: {node_kind(node)} ({what} may have 2000 or 2000/udp)")
    return None


def read_health(read: FieldReader, node: Node, what: str) -> Health:
    """Read a path, or a mapping; 0 means the default, as in Convox."""
    if isinstance(node, ScalarNode):
        return Health(path=read_path(read, node, what))
    known = ("disable", "grace", "interval", "path", "port", "timeout")
    entries = read.entries_of(node, what, known)
    interval = _seconds(read, entries.get("interval"), what) or 5
    return Health(
        path=read_path(read, entries["path"].value, f"path of {what}") if "path" in entries else "/",
        port=read_port(read, entries["port"].value, f"port of {what}") if "port" in entries else None,
        interval=interval,
        grace=_seconds(read, entries.get("grace"), what) or interval,
        timeout=_seconds(read, entries.get("timeout"), what) or max(1, interval - 1),
        disable="disable" in entries and read.boolean(entries["disable"].value, f"disable of {what}"),
    )


PROBE_KEYS = ("failureThreshold", "grace", "interval", "path", "successThreshold", "timeout")


def read_liveness(read: FieldReader, node: Node, what: str) -> ProbeCheck | None:
    entries = read.entries_of(node, what, PROBE_KEYS)
    if "path" not in entries:
        if entries:
            read.problems.add(node.line, f"{what} needs a path")
        return None
    return _check(
        read, entries, what, ProbeCheck(path=read_path(read, entries["path"].value, f"path of {what}"))
    )


def read_startup(read: FieldReader, node: Node, what: str, liveness: ProbeCheck | None) -> ProbeCheck | None:
    """Read a startup check; timings that it leaves out are those of liveness, or Kubernetes' own without one."""
    entries = read.entries_of(node, what, (*PROBE_KEYS, "tcpSocketPort"))
    if ("path" in entries) == ("tcpSocketPort" in entries):
        if entries:
            read.problems.add(node.line, f"{what} needs either a path or a tcpSocketPort")
        return None
    base = liveness or ProbeCheck(grace=0, interval=10, timeout=1)
    path, tcp_port = "", None
    if "path" in entries:
        path = read_path(read, entries["path"].value, f"path of {what}")
    else:
        node, place = entries["tcpSocketPort"].value, f"tcpSocketPort of {what}"
        tcp_port = read.integer(node, place, low=1, high=LARGEST_PORT, default=1)
    return _check(
        read,
        entries,
        what,
        ProbeCheck(
            path=path,
            tcp_port=tcp_port,
            grace=base.grace,
            interval=base.interval,
            timeout=base.timeout,
            failures=base.failures,
        ),
    )


def read_path(read: FieldReader, node: Node, what: str) -> str:
    path = read.text(node, what) or "/"
    if not path.startswith("/"):
        read.problems.add(node.line, f"{what} must begin with a slash, not {node_kind(node)}")
    return path


def _check(read: FieldReader, entries: dict[str, MappingEntry], what: str, base: ProbeCheck) -> ProbeCheck:
    failures = successes = 0
    if "failureThreshold" in entries:
        failures = read.integer(
            entries["failureThreshold"].value, f"failureThreshold of {what}", low=0, high=1000
        )
    if "successThreshold" in entries:  # Kubernetes takes no other number for these two checks
        successes = read.integer(
            entries["successThreshold"].value, f"successThreshold of {what}", low=0, high=1
        )
    return ProbeCheck(
        path=base.path,
        tcp_port=base.tcp_port,
        grace=_seconds(read, entries.get("grace"), what) or base.grace,
        interval=_seconds(read, entries.get("interval"), what) or base.interval,
        timeout=_seconds(read, entries.get("timeout"), what) or base.timeout,
        successes=successes or base.successes,
        failures=failures or base.failures,
    )


def _seconds(read: FieldReader, entry: MappingEntry | None, what: str) -> int:
    if entry is None:
        return 0
    return read.integer(entry.value, f"{entry.key.text} of {what}", low=0, high=MAX_PROBE_SECONDS)
