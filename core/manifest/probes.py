"""How a service is asked for its health: `health`, `liveness`, `startupProbe`."""

from dataclasses import replace

from core.manifest.ports import LARGEST_PORT, read_port
from core.manifest.service import Health, ProbeCheck
from core.yaml.fields import FALSE, INTEGER, TRUE, FieldReader, node_kind
from core.yaml.tree import MappingEntry, Node, ScalarNode, SequenceNode

PROBE_KEYS = ("failureThreshold", "grace", "interval", "path", "successThreshold", "timeout")
# What Convox allows gRPC's health protocol to fail in a row.
GRPC_FAILURES = 5
MAX_PROBE_SECONDS = 3600  # a check slower than an hour outlives every rollout


def read_health(read: FieldReader, node: Node, what: str) -> Health:
    """Read a path, or a mapping; 0 means the default, as in Convox."""
    if isinstance(node, ScalarNode):
        return Health(path=_whole_path(read, node, what))
    if isinstance(node, SequenceNode):
        read.problems.add(node.line, f"unknown type for service health: {what} may be a path or a mapping")
        return Health()
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


def read_liveness(read: FieldReader, node: Node, what: str) -> ProbeCheck | None:
    """Read a check that restarts a container; without a path there is none, as in Convox."""
    entries = read.entries_of(node, what, (*PROBE_KEYS, "port"))
    if "path" not in entries:
        if entries:
            read.problems.add(node.line, f"{what} needs a path")
        return None
    base = ProbeCheck(
        path=read_path(read, entries["path"].value, f"path of {what}"),
        port=read_port(read, entries["port"].value, f"port of {what}") if "port" in entries else None,
    )
    return _check(read, entries, what, base)


def grpc_liveness(health: Health) -> ProbeCheck:
    """Return the liveness check that gRPC's health protocol makes, with the times of `health`."""
    return ProbeCheck(
        grpc=True,
        grace=health.grace,
        interval=health.interval,
        timeout=health.timeout,
        failures=GRPC_FAILURES,
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
    """Read a path; one without its slash is asked for with it, as kubelets do."""
    path = read.text(node, what) or "/"
    if "://" in path:
        read.problems.add(node.line, f"{what} must be a path such as /health, not {node_kind(node)}")
    return path if path.startswith("/") else f"/{path}"


def _whole_path(read: FieldReader, node: ScalarNode, what: str) -> str:
    """Read a path that stands in the place of the mapping, where `false` and `200` are asked for by nobody."""
    if not (node.plain and (node.text.lower() in TRUE | FALSE or INTEGER.match(node.text))):
        return read_path(read, node, what)
    said = f"unknown type for service health: {what} is a path such as /health, not {node_kind(node)}"
    if read.doubted(node.line, f"{said}; for no check at all write health: {{disable: true}}"):
        return "/"
    return read_path(read, node, what)


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
    return replace(
        base,
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
