"""How a service is to be reached: `domain`, `certificate`, `tls` and the like, and `balancers`, in Convox's forms."""

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_network

from core.manifest.metadata import Pairs, read_annotations
from core.manifest.names import NAME, NAME_RULE
from core.manifest.route import DEFAULT_TIMEOUT, Balancer, BalancerPort, Route
from core.yaml.fields import INTEGER, FieldReader, node_kind
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

# A day: whoever needs longer requests does not wait for them.
LONGEST_TIMEOUT = 86400
LARGEST_PORT = 65535
BALANCER_PROTOCOLS = ("TCP", "UDP")
# Convox's name of the Service of a load balancer; a Service's name ends at 63 characters.
OBJECT_PREFIX = "balancer-"
LONGEST_NAME = 63 - len(OBJECT_PREFIX)
# The keys of a service that only a router can give an effect.
ROUTE_KEYS = (
    *("certificate", "domain", "ingressAnnotations", "internalRouter"),
    *("sticky", "timeout", "tls", "whitelist"),
)
# A host as Ingress and HTTPRoute take it: RFC 1123, with one `*.` in front if need be.
HOST = re.compile(
    r"(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*", re.ASCII
)
LONGEST_HOST = 253
HOURS = re.compile(
    r"([0-9]{1,6})h(0m0s|0m)?", re.ASCII
)  # of Go's durations: no certificate is counted in less


def read_route(read: FieldReader, entries: Mapping[str, MappingEntry], what: str) -> Route:
    """Read the keys of one service that a router needs; `entries` may have others as well."""
    given = {key: entry for key, entry in entries.items() if key in ROUTE_KEYS}

    def place(key: str) -> tuple[Node, str]:
        return given[key].value, f"{key} of {what}"

    certificate, hours = _certificate(read, *place("certificate")) if "certificate" in given else ("", None)
    return Route(
        domains=_domains(read, *place("domain")) if "domain" in given else (),
        timeout=_timeout(read, *place("timeout")) if "timeout" in given else DEFAULT_TIMEOUT,
        sticky="sticky" in given and read.boolean(*place("sticky")),
        redirect=_redirect(read, *place("tls")) if "tls" in given else True,
        whitelist=_whitelist(read, *place("whitelist")) if "whitelist" in given else (),
        certificate=certificate,
        certificate_hours=hours,
        annotations=read_annotations(read, *place("ingressAnnotations"))
        if "ingressAnnotations" in given
        else (),
        internal_router="internalRouter" in given and read.boolean(*place("internalRouter")),
        given=tuple(key for key, entry in given.items() if asks_for_something(entry.value)),
    )


def asks_for_something(node: Node) -> bool:
    """Tell whether a key asks for anything: `sticky: false`, `domain: ""` and `whitelist: []` do not."""
    match node:
        case ScalarNode():
            return bool(node.text.strip()) and not (
                node.plain and node.text.lower() in {"false", "no", "off"}
            )
        case SequenceNode():
            return bool(node.items)
        case MappingNode():
            return bool(node.entries)


def _domains(read: FieldReader, node: Node, what: str) -> tuple[str, ...]:
    """Read a list, or a text with commas, as Convox does; empty ones are left out, each counts once."""
    found: dict[str, None] = {}
    for item, word in _words(read, node, what, "unknown type for service domain"):
        host = word.lower()
        if HOST.fullmatch(host) and len(host) <= LONGEST_HOST:
            found[host] = None
        else:
            read.problems.add(item.line, f"{what} is no host name such as www.example.com: {node_kind(item)}")
    return tuple(found)


def _words(read: FieldReader, node: Node, what: str, wrong: str) -> Iterable[tuple[Node, str]]:
    items = node.items if isinstance(node, SequenceNode) else (node,)
    for item in items:
        if not isinstance(item, ScalarNode):
            read.problems.add(
                item.line, f"{wrong}: {what} may have text or a list of it, not {node_kind(item)}"
            )
            continue
        yield from ((item, word.strip()) for word in item.text.split(",") if word.strip())


def _timeout(read: FieldReader, node: Node, what: str) -> int:
    return read.integer(node, what, low=1, high=LONGEST_TIMEOUT, default=DEFAULT_TIMEOUT)


def _redirect(read: FieldReader, node: Node, what: str) -> bool:
    entries = read.entries_of(node, what, ("redirect",))
    if "redirect" not in entries:
        return True
    return read.boolean(entries["redirect"].value, f"redirect of {what}", default=True)


def _certificate(read: FieldReader, node: Node, what: str) -> tuple[str, int | None]:
    """Read `{id: SECRET, duration: 2160h}`, or the id alone."""
    if isinstance(node, ScalarNode):
        return read.text(node, what), None
    entries = read.entries_of(node, what, ("duration", "id"))
    name = read.text(entries["id"].value, f"id of {what}") if "id" in entries else ""
    hours = None
    if "duration" in entries:
        duration = entries["duration"]
        found = HOURS.fullmatch(read.text(duration.value, f"duration of {what}"))
        hours = int(found[1]) if found else 0
        if hours < 1:
            said = node_kind(duration.value)
            read.problems.add(duration.line, f"duration of {what} must be hours such as 2160h, not {said}")
    return name, hours


def _whitelist(read: FieldReader, node: Node, what: str) -> tuple[str, ...]:
    """Read address ranges in a text with commas, or in a list; an address alone is a range of one."""
    found: dict[str, None] = {}
    for item, word in _words(read, node, what, "unknown type for service whitelist"):
        try:
            found[str(ip_network(word, strict=False))] = None
        except ValueError:
            read.problems.add(item.line, f"{what} {node_kind(item)} is not a valid cidr range")
    return tuple(found)


def read_balancers(
    read: FieldReader, entry: MappingEntry | None, services: Collection[str]
) -> tuple[Balancer, ...]:
    """Read `balancers:`, each of which leads to one of these services."""
    listed = read.mapping(entry.value, "balancers") if entry else ()
    return tuple(_balancer(read, each, services) for each in listed)


def _balancer(read: FieldReader, entry: MappingEntry, services: Collection[str]) -> Balancer:
    name = entry.key.shown[1:-1]
    what = f"balancer {name}"
    if not NAME.fullmatch(entry.key.text) or len(entry.key.text) > LONGEST_NAME:
        rule = f"{NAME_RULE}, at most {LONGEST_NAME} of them"
        read.problems.add(entry.line, f"balancer name {name} invalid, {rule}")
    if f"{OBJECT_PREFIX}{entry.key.text}" in services:
        read.problems.add(
            entry.line,
            f"{what} and service {OBJECT_PREFIX}{name} would have one address inside of the cluster: rename either",
        )
    entries = read.entries_of(entry.value, what, ("annotations", "ports", "service", "whitelist"))
    annotations: Pairs = ()
    if "annotations" in entries:
        annotations = read_annotations(read, entries["annotations"].value, f"annotations of {what}")
    ports = read.mapping(entries["ports"].value, f"ports of {what}") if "ports" in entries else ()
    if not ports:
        read.problems.add(entry.line, f"{what} has no ports")
    return Balancer(
        name=entry.key.text,
        service=_service_of(read, entry, entries.get("service"), services),
        ports=tuple(_balancer_port(read, port, what) for port in ports),
        whitelist=_balancer_whitelist(read, entries["whitelist"].value, what)
        if "whitelist" in entries
        else (),
        annotations=annotations,
    )


def _service_of(
    read: FieldReader, balancer: MappingEntry, entry: MappingEntry | None, services: Collection[str]
) -> str:
    what = f"balancer {balancer.key.shown[1:-1]}"
    service = read.text(entry.value, f"service of {what}") if entry else ""
    if entry is None or not service:
        read.problems.add(balancer.line, f"{what} has blank service")
    elif service not in services:
        said = node_kind(entry.value).strip('"')
        read.problems.add(entry.line, f"{what} refers to unknown service {said}")
    return service


def _balancer_whitelist(read: FieldReader, node: Node, what: str) -> tuple[str, ...]:
    """Read address ranges, each with its length, as Convox demands here."""
    found: dict[str, None] = {}
    for item, word in _words(read, node, f"whitelist of {what}", "unknown type for balancer whitelist"):
        try:
            network = str(ip_network(word, strict=False)) if "/" in word else ""
        except ValueError:
            network = ""
        if network:
            found[network] = None
        else:
            said = node_kind(item).strip('"')
            read.problems.add(item.line, f"{what} whitelist {said} is not a valid cidr range")
    return tuple(found)


def _balancer_port(read: FieldReader, entry: MappingEntry, what: str) -> BalancerPort:
    """Read `5000: 3000`, or `5000: {port: 3000, protocol: UDP}`."""
    place = f"port {entry.key.shown[1:-1]} of {what}"
    if not INTEGER.match(entry.key.text) or not 1 <= int(entry.key.text) <= LARGEST_PORT:
        read.problems.add(entry.line, f"{place}: a port is a whole number from 1 to {LARGEST_PORT}")
        return BalancerPort(source=1, target=1)
    source, target, protocol = int(entry.key.text), entry.value, BALANCER_PROTOCOLS[0]
    if isinstance(entry.value, MappingNode):
        entries = read.entries_of(entry.value, place, ("port", "protocol"))
        if "protocol" in entries:
            protocol = _protocol(read, entries["protocol"].value, place)
        if "port" not in entries:
            read.problems.add(entry.line, f"{place} has no port of the service to lead to")
            return BalancerPort(source=source, target=source)
        target = entries["port"].value
    number = read.integer(target, place, low=1, high=LARGEST_PORT, default=source)
    return BalancerPort(source=source, target=number, protocol=protocol)


def _protocol(read: FieldReader, node: Node, place: str) -> str:
    word = read.text(node, f"protocol of {place}").upper()
    if word in BALANCER_PROTOCOLS:
        return word
    read.problems.add(node.line, f"protocol of {place} must be TCP or UDP, not {node_kind(node)}")
    return BALANCER_PROTOCOLS[0]
