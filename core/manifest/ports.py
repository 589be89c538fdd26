"""How a service is reached: `port` and `ports`."""

from core.manifest.service import ExtraPort, Port
from core.yaml.fields import INTEGER, FieldReader, node_kind
from core.yaml.tree import MappingNode, Node, ScalarNode

LARGEST_PORT = 65535
SCHEMES = ("http", "https", "grpc")
PROTOCOLS = ("tcp", "udp")


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
    if read.octal(node, what):
        return None
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
    if read.octal(node, what):
        return None
    if isinstance(node, MappingNode):
        entries = read.entries_of(node, what, ("port", "protocol"))
        if "port" in entries and read.octal(entries["port"].value, what):
            return None
        number = read.text(entries["port"].value, what) if "port" in entries else ""
        protocol = read.text(entries["protocol"].value, what) if "protocol" in entries else "tcp"
    elif isinstance(node, ScalarNode):
        number, _, protocol = node.text.partition("/")
    protocol = protocol.lower() or "tcp"
    if INTEGER.match(number) and 1 <= int(number) <= LARGEST_PORT and protocol in PROTOCOLS:
        return ExtraPort(int(number), protocol)
    read.problems.add(node.line, f"invalid port: {node_kind(node)} ({what} may have 2000 or 2000/udp)")
    return None
