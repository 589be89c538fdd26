"""A tree of convox.yml → services: Convox's forms of each key, its defaults and its texts of what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from core.manifest.agents import note_of_agent, read_agent
from core.manifest.configs import Config, read_config_mounts, read_configs
from core.manifest.images import image_problem
from core.manifest.init_container import read_init_container
from core.manifest.keys import (
    BUILD_IGNORED,
    SERVICE_IGNORED,
    SERVICE_SUPPORTED,
    SERVICE_UNSUPPORTED,
    TOP_IGNORED,
    TOP_SUPPORTED,
    TOP_UNSUPPORTED,
    is_switched_off,
    note,
    refusal,
)
from core.manifest.metadata import Pairs, read_annotations, read_labels
from core.manifest.names import NAME, NAME_RULE
from core.manifest.pods import (
    read_lifecycle,
    read_ndots,
    read_node_preferences,
    read_node_selector,
    read_words,
)
from core.manifest.ports import read_port, read_ports
from core.manifest.probes import grpc_liveness, read_health, read_liveness, read_startup
from core.manifest.registries import NO_PULL_SECRETS, read_pull_secrets
from core.manifest.resources import AppResource, read_links, read_resources
from core.manifest.route import Balancer
from core.manifest.routing import read_balancers, read_route
from core.manifest.scale import read_deployment, read_scale
from core.manifest.security import SecurityContext, read_security_context
from core.manifest.service import (
    EnvironmentDeclaration,
    Health,
    Lifecycle,
    Port,
    RollingUpdate,
    Scale,
    Service,
)
from core.manifest.timers import Timer, read_timers
from core.manifest.volumes import Volume, read_volume_options, read_volumes
from core.records.environment import Environment
from core.records.environment_text import KEY
from core.yaml.fields import FieldReader, node_kind
from core.yaml.problems import Problems
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

# Each is at least a Deployment and a Secret with a copy of the environment; Convox's own largest examples have a dozen.
MAX_SERVICES = 200

T = TypeVar("T")


class ManifestEntries(NamedTuple):
    """What a convox.yml says: declarations at its top, services, timers, resources, files, and notes on what nobody would expect."""

    environment: tuple[EnvironmentDeclaration, ...]
    services: tuple[Service, ...]
    timers: tuple[Timer, ...]
    resources: tuple[AppResource, ...]
    configs: tuple[Config, ...]
    notes: tuple[str, ...]


def read_manifest(
    root: Node | None, problems: Problems, given: Environment, *, stored: bool = False
) -> ManifestEntries:
    """Return what the file says; what is wrong is written into `problems`.

    Args:
        root: of its tree.
        problems: of the file.
        given: variables that the release sets: what they name is not made.
        stored: the file is of a build that was taken before.
    """
    read = FieldReader(problems, stored=stored)
    if root is None or (isinstance(root, MappingNode) and not root.entries):
        problems.fail(None, "it is empty; it needs at least one service")
    if not isinstance(root, MappingNode):
        problems.fail(root.line, f"it must begin with keys such as services:, not with {node_kind(root)}")
    known = _without_extensions(root)
    entries = read.entries_of(known, "convox.yml", (*TOP_SUPPORTED, *TOP_IGNORED, *TOP_UNSUPPORTED))
    _refuse(read, entries, TOP_UNSUPPORTED, "convox.yml")
    _note(read, entries, TOP_IGNORED, "convox.yml")
    environment: tuple[EnvironmentDeclaration, ...] = ()
    labels: Pairs = ()
    if "environment" in entries:
        environment = read_environment(read, entries["environment"].value, "environment of convox.yml")
    if "labels" in entries:
        labels = read_labels(read, entries["labels"].value, "labels of convox.yml")
    resources: tuple[AppResource, ...] = ()
    if "resources" in entries:
        resources = read_resources(read, entries["resources"].value, "resources", given)
    configs: tuple[Config, ...] = ()
    if "configs" in entries:
        configs = read_configs(read, entries["configs"].value, "configs")
    listed = read.mapping(entries["services"].value, "services") if "services" in entries else ()
    if not listed:
        problems.add(root.line, "it has no services; name at least one under services:")
    if len(listed) > MAX_SERVICES:
        problems.fail(
            listed[MAX_SERVICES].line, f"it has {len(listed):,} services; {MAX_SERVICES} are the limit"
        )
    balancers = read_balancers(read, entries.get("balancers"), {entry.key.text for entry in listed})
    services = tuple(_service(read, entry, environment, labels, balancers) for entry in listed)
    timers: tuple[Timer, ...] = ()
    if "timers" in entries:
        timers = read_timers(read, entries["timers"].value, {service.name for service in services})
    return ManifestEntries(environment, services, timers, resources, configs, tuple(read.notes))


def _without_extensions(root: MappingNode) -> MappingNode:
    """Leave out top-level `x-…` keys: the place for anchors, as in Compose files."""
    return MappingNode(tuple(e for e in root.entries if not e.key.text.startswith("x-")), root.line)


def _refuse(read: FieldReader, entries: dict[str, MappingEntry], refused: dict[str, str], what: str) -> None:
    for name, entry in entries.items():
        if name in refused and not is_switched_off(entry.value):
            read.problems.add(entry.line, refusal(entry, what, refused[name]))


def _note(read: FieldReader, entries: dict[str, MappingEntry], ignored: dict[str, str], what: str) -> None:
    for name, entry in entries.items():
        if name in ignored and not is_switched_off(entry.value):
            read.notes.append(note(entry, what, ignored[name]))


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
    read: FieldReader,
    entry: MappingEntry,
    environment: tuple[EnvironmentDeclaration, ...],
    labels: Pairs,
    balancers: tuple[Balancer, ...],
) -> Service:
    what = f"service {entry.key.shown[1:-1]}"
    if entry.key.shown != cut(entry.key.text) and not NAME.fullmatch(entry.key.text):
        read.problems.add(entry.line, f"{what}: a service's name {NAME_RULE}")
    keys = _Keys(read, entry.value, what)
    _refuse(read, keys.entries, SERVICE_UNSUPPORTED, what)
    _note(read, keys.entries, SERVICE_IGNORED, what)
    if agent := keys.get("agent", read_agent, False):
        note_of_agent(read, keys.entries, what)
    port = keys.get("port", read_port, None)
    liveness, health = keys.get("liveness", read_liveness, None), keys.get("health", read_health, Health())
    grpc_health = keys.get("grpcHealthEnabled", FieldReader.boolean, False)
    if grpc_health and (port is None or port.scheme != "grpc"):
        line = keys.entries["grpcHealthEnabled"].line
        read.problems.add(line, f"grpcHealthEnabled of {what} needs a grpc port: write port: grpc:50051")
    elif port is None or (port.scheme == "grpc" and not grpc_health):
        _needs_a_port(read, keys.entries, what, port)
    if grpc_health and liveness is None:
        liveness = grpc_liveness(health)
    pull_secrets, registries = keys.get("imagePullSecrets", read_pull_secrets, NO_PULL_SECRETS)
    image, build = keys.get("image", _image, None), keys.get("build", _build, ".")
    declared: tuple[EnvironmentDeclaration, ...] = keys.get("environment", read_environment, ())
    own: Pairs = keys.get("labels", read_labels, ())
    command: tuple[str, ...] = keys.get("command", read_words, ())
    scale = keys.get("scale", read_scale, Scale())
    return Service(
        name=entry.key.text,
        image=image,
        build=None if image else build,
        command=command or None,
        environment=environment + declared,
        port=port,
        ports=keys.get("ports", partial(read_ports, main=port), ()),
        health=health,
        liveness=liveness,
        startup=keys.get("startupProbe", partial(read_startup, liveness=liveness), None),
        deployment=keys.get("deployment", read_deployment, RollingUpdate()),
        # As many as there are nodes, whatever their load.
        scale=replace(scale, autoscaler=None) if agent else scale,
        termination_grace=keys.get("termination", _grace, 30),
        internal=keys.get("internal", FieldReader.boolean, False),
        init=keys.get("init", FieldReader.boolean, True),
        labels=tuple((dict(labels) | dict(own)).items()),
        annotations=keys.get("annotations", read_annotations, ()),
        grpc_health=grpc_health,
        lifecycle=keys.get("lifecycle", read_lifecycle, Lifecycle()),
        node_selector=keys.get("nodeSelectorLabels", read_node_selector, ()),
        node_preferences=keys.get("nodeAffinityLabels", read_node_preferences, ()),
        ndots=keys.get("dnsConfig", read_ndots, None),
        agent=agent,
        volumes=_volumes(keys, entry.key.text),
        configs=keys.get("configMounts", read_config_mounts, ()),
        pull_secrets=pull_secrets,
        registries=registries,
        before=keys.get("initContainer", partial(read_init_container, service=entry.key.text), None),
        privileged=keys.get("privileged", FieldReader.boolean, False),
        security=keys.get("securityContext", read_security_context, SecurityContext()),
        links=keys.get("resources", read_links, ()),
        singleton=_singleton(read, keys, what),
        route=read_route(read, keys.entries, what),
        balancers=tuple(each for each in balancers if each.service == entry.key.text),
    )


def _volumes(keys: _Keys, service: str) -> tuple[Volume, ...]:
    disks: tuple[Volume, ...] = keys.get("volumes", partial(read_volumes, service=service), ())
    options: tuple[Volume, ...] = keys.get("volumeOptions", partial(read_volume_options, service=service), ())
    return disks + options


def _singleton(read: FieldReader, keys: _Keys, what: str) -> bool:
    singleton = keys.get("singleton", FieldReader.boolean, False)
    if singleton and "deployment" in keys.entries:
        why = "a singleton's old processes stop before its new ones start"
        read.notes.append(note(keys.entries["deployment"], what, why))
    return singleton


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
    entries = read.entries_of(node, what, ("args", "manifest", "path", *BUILD_IGNORED))
    _note(read, entries, BUILD_IGNORED, what)
    return read.text(entries["path"].value, f"path of {what}") if "path" in entries else "."


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
    if item.brought_in(key):  # it would be named in `required env: …`, and it may be a secret
        read.problems.add(item.line, f"{cut(shown)}: a variable's name cannot come out of the environment")
    elif KEY.fullmatch(key):
        return (EnvironmentDeclaration(key, default if equals else None),)
    elif KEY.fullmatch(key.strip()):
        read.problems.add(item.line, f"{cut(shown)} has a space beside its name: write KEY=value without any")
    else:
        read.problems.add(item.line, f"{cut(shown)} is no name of a variable")
    return ()
