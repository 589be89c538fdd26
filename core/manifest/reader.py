"""A tree of convox.yml → services: Convox's forms of each key, its defaults and its texts of what is wrong."""

import re
import shlex
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from core.manifest.images import image_problem
from core.manifest.keys import (
    RESERVED_LABELS,
    SERVICE_ACCOUNT_ANNOTATIONS,
    SERVICE_IGNORED,
    SERVICE_SUPPORTED,
    SERVICE_UNSUPPORTED,
    TOP_IGNORED,
    TOP_SUPPORTED,
    TOP_UNSUPPORTED,
    is_switched_off,
    refusal,
)
from core.manifest.ports import read_port, read_ports
from core.manifest.probes import read_health, read_liveness, read_startup
from core.manifest.scale import read_deployment, read_scale
from core.manifest.service import EnvironmentDeclaration, Health, Port, RollingUpdate, Scale, Service
from core.records.environment import KEY
from core.yaml.fields import FieldReader, node_kind
from core.yaml.problems import Problems
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

# Kubernetes' qualified names: an optional DNS prefix, and a name of up to 63 characters.
QUALIFIED = re.compile(
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")

NAME = re.compile(r"[a-z][a-z0-9-]*")
NAME_RULE = "must contain only lowercase alphanumeric and dashes"

# Each is at least a Deployment and a Secret with a copy of the environment; Convox's own largest examples have a dozen.
MAX_SERVICES = 200

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]


def read_manifest(
    root: Node | None, problems: Problems
) -> tuple[tuple[EnvironmentDeclaration, ...], tuple[Service, ...]]:
    """Return the top's environment and the services; what is wrong is written into `problems`."""
    read = FieldReader(problems)
    if root is None or (isinstance(root, MappingNode) and not root.entries):
        problems.fail(None, "it is empty; it needs at least one service")
    if not isinstance(root, MappingNode):
        problems.fail(root.line, f"it must begin with keys such as services:, not with {node_kind(root)}")
    known = _without_extensions(root)
    entries = read.entries_of(known, "convox.yml", (*TOP_SUPPORTED, *TOP_IGNORED, *TOP_UNSUPPORTED))
    _refuse(read, entries, TOP_UNSUPPORTED, "convox.yml")
    environment: tuple[EnvironmentDeclaration, ...] = ()
    labels: Pairs = ()
    if "environment" in entries:
        environment = read_environment(read, entries["environment"].value, "environment of convox.yml")
    if "labels" in entries:
        labels = read_labels(read, entries["labels"].value, "labels of convox.yml")
    listed = read.mapping(entries["services"].value, "services") if "services" in entries else ()
    if not listed:
        problems.add(root.line, "it has no services; name at least one under services:")
    if len(listed) > MAX_SERVICES:
        problems.fail(
            listed[MAX_SERVICES].line, f"it has {len(listed):,} services; {MAX_SERVICES} are the limit"
        )
    return environment, tuple(_service(read, entry, environment, labels) for entry in listed)


def _without_extensions(root: MappingNode) -> MappingNode:
    """Leave out top-level `x-…` keys: the place for anchors, as in Compose files."""
    return MappingNode(tuple(e for e in root.entries if not e.key.text.startswith("x-")), root.line)


def _refuse(read: FieldReader, entries: dict[str, MappingEntry], refused: dict[str, str], what: str) -> None:
    for name, entry in entries.items():
        if name in refused and not is_switched_off(entry.value):
            read.problems.add(entry.line, refusal(entry, what, refused[name]))


class _Keys:
    """The keys of one service; each is read by a function of (reader, node, name of the place)."""

    def __init__(self, read: FieldReader, node: Node, what: str) -> None:
        self.entries = read.entries_of(
            node, what, (*SERVICE_SUPPORTED, *SERVICE_IGNORED, *SERVICE_UNSUPPORTED)
        )
        self._read = read
        self._what = what

    def get(self, key: str, reader: Callable[[FieldReader, Node, str], T], default: T) -> T:
        """Return what a key says, or the default where it is not given."""
        if key not in self.entries:
            return default
        return reader(self._read, self.entries[key].value, f"{key} of {self._what}")


def _service(
    read: FieldReader, entry: MappingEntry, environment: tuple[EnvironmentDeclaration, ...], labels: Pairs
) -> Service:
    what = f"service {entry.key.shown[1:-1]}"
    if entry.key.shown != cut(entry.key.text) and not NAME.fullmatch(entry.key.text):
        read.problems.add(entry.line, f"{what}: a service's name {NAME_RULE}")
    keys = _Keys(read, entry.value, what)
    _refuse(read, keys.entries, SERVICE_UNSUPPORTED, what)
    port = keys.get("port", read_port, None)
    liveness = keys.get("liveness", read_liveness, None)
    if port is None or port.scheme == "grpc":
        _needs_a_port(read, keys.entries, what, port)
    image, build = keys.get("image", _image, None), keys.get("build", _build, ".")
    declared: tuple[EnvironmentDeclaration, ...] = keys.get("environment", read_environment, ())
    own: Pairs = keys.get("labels", read_labels, ())
    return Service(
        name=entry.key.text,
        image=image,
        build=None if image else build,
        command=keys.get("command", _command, None),
        environment=environment + declared,
        port=port,
        ports=keys.get("ports", partial(read_ports, main=port), ()),
        health=keys.get("health", read_health, Health()),
        liveness=liveness,
        startup=keys.get("startupProbe", partial(read_startup, liveness=liveness), None),
        deployment=keys.get("deployment", read_deployment, RollingUpdate()),
        scale=keys.get("scale", read_scale, Scale()),
        grace=keys.get("termination", _grace, 30),
        internal=keys.get("internal", FieldReader.boolean, False),
        init=keys.get("init", FieldReader.boolean, True),
        labels=tuple((dict(labels) | dict(own)).items()),
        annotations=keys.get("annotations", _annotations, ()),
    )


def _needs_a_port(read: FieldReader, entries: dict[str, MappingEntry], what: str, port: Port | None) -> None:
    """Convox leaves a check that has no port to ask out in silence; nobody who wrote one means that."""
    if port is None and "port" in entries:
        return  # it is wrong, and has been said to be
    why = "cannot ask a grpc port by HTTP" if port else "has no port to ask; give the service a port"
    for key in ("health", "liveness", "startupProbe"):
        entry = entries.get(key)
        if entry is not None and not _asks_its_own_port(entry.value):
            read.problems.add(entry.line, f"{key} of {what} {why}")


def _asks_its_own_port(node: Node) -> bool:
    keys = {e.key.text: e.value for e in node.entries} if isinstance(node, MappingNode) else {}
    return (
        "tcpSocketPort" in keys
        or "port" in keys
        or ("disable" in keys and not is_switched_off(keys["disable"]))
    )


def _image(read: FieldReader, node: Node, what: str) -> str | None:
    image = read.text(node, what)
    if image and (why := image_problem(image)):
        read.problems.add(node.line, f"{what} is no image reference ({why}): {node_kind(node)}")
    return image or None


def _build(read: FieldReader, node: Node, what: str) -> str:
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        read.problems.add(node.line, f"unknown type for service build: {what} may be a path or a mapping")
        return "."
    entries = read.entries_of(node, what, ("args", "manifest", "path"))
    return read.text(entries["path"].value, f"path of {what}") if "path" in entries else "."


def _command(read: FieldReader, node: Node, what: str) -> tuple[str, ...] | None:
    try:
        return tuple(shlex.split(read.text(node, what))) or None
    except ValueError as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        read.problems.add(node.line, f"{what} cannot be split into words: {reason}")
        return None


def _grace(read: FieldReader, node: Node, what: str) -> int:
    entries = read.entries_of(node, what, ("grace",))
    if "grace" not in entries:
        return 30
    return read.integer(entries["grace"].value, f"grace of {what}", low=0, high=3600, default=30)


def read_environment(read: FieldReader, node: Node, what: str) -> tuple[EnvironmentDeclaration, ...]:
    """Read a list of `KEY`, `KEY=default` and `*`; lists in the list are flattened, `*` asks for nothing."""
    if not isinstance(node, SequenceNode):
        read.problems.add(
            node.line,
            f"unknown type for service environment: write a list of KEY or KEY=default, not {node_kind(node)}",
        )
        return ()
    found: list[EnvironmentDeclaration] = []
    for item in node.items:
        if isinstance(item, SequenceNode):
            found += read_environment(read, item, what)
        elif isinstance(item, MappingNode):
            read.problems.add(item.line, f"{what} takes KEY=value, not KEY: value")
        elif item.text != "*":
            found += _declaration(read, item)
    return tuple(found)


def _declaration(read: FieldReader, item: ScalarNode) -> tuple[EnvironmentDeclaration, ...]:
    key, equals, default = item.text.partition("=")
    shown = item.shown[1:-1].partition("=")[0]
    if "${" in shown:  # it would be named in `required env: …`, and it may be a secret
        read.problems.add(item.line, f"{cut(shown)}: a variable's name cannot come out of the environment")
    elif KEY.fullmatch(key):
        return (EnvironmentDeclaration(key, default if equals else None),)
    else:
        read.problems.add(item.line, f"{cut(shown)} is no name of a variable")
    return ()


def read_labels(read: FieldReader, node: Node, what: str) -> Pairs:
    found: list[tuple[str, str]] = []
    for entry in read.mapping(node, what):
        key, value = entry.key.text, read.text(entry.value, f"label {entry.key.shown}")
        if key in RESERVED_LABELS:
            read.problems.add(entry.line, f"reserved label key '{key}' is not allowed")
        elif not QUALIFIED.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            read.problems.add(
                entry.line,
                f"label {entry.key.shown}: {node_kind(entry.value)} is not what Kubernetes takes as a label",
            )
        else:
            found.append((key, value))
    return tuple(found)


def _annotations(read: FieldReader, node: Node, what: str) -> Pairs:
    """Read a list of `key=value` or `{key: value}`, or one mapping."""
    found: list[tuple[str, str]] = []
    parts = (node,) if isinstance(node, MappingNode) else read.items(node, what)
    for part in parts:
        if isinstance(part, MappingNode):
            pairs = [(e.key.text, read.text(e.value, f"annotation {e.key.shown}")) for e in part.entries]
        else:
            key, equals, value = read.text(part, what).partition("=")
            pairs = [(key, value)] if equals else []
            if not equals:
                read.problems.add(part.line, f"invalid annotation format: {node_kind(part)}, write key=value")
        for key, value in pairs:
            found += _annotation(read, part, key, value)
    return tuple(dict(found).items())


def _annotation(read: FieldReader, node: Node, key: str, value: str) -> Pairs:
    if key in SERVICE_ACCOUNT_ANNOTATIONS:
        read.problems.add(
            node.line,
            f"annotation {key} belongs on a service account, and this version makes none for a service",
        )
    elif not QUALIFIED.fullmatch(key):
        read.problems.add(node.line, "that is not what Kubernetes takes as the key of an annotation")
    else:
        return ((key, value),)
    return ()
