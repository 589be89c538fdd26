"""Agents: services of which one process runs on every node."""

from core.manifest.keys import is_switched_off
from core.yaml.fields import FieldReader
from core.yaml.tree import MappingEntry, MappingNode, Node

ONE_A_NODE = "an agent runs once on every node"
COUNTS = frozenset({"autoscale", "count", "max", "min", "targets"})


def read_agent(read: FieldReader, node: Node, what: str) -> bool:
    """Read `true`, or `{enabled: true}`; ports stood here once, and Convox says where they went."""
    if not isinstance(node, MappingNode):
        return read.boolean(node, what)
    if "ports" in {entry.key.text for entry in node.entries}:
        read.problems.add(
            node.line,
            f"agent ports are now specified at the service level: move them from {what} to ports: of the service",
        )
        return True
    entries = read.entries_of(node, what, ("enabled",))
    return read.boolean(entries["enabled"].value, f"enabled of {what}") if "enabled" in entries else True


def note_of_agent(read: FieldReader, entries: dict[str, MappingEntry], what: str) -> None:
    """Say which keys of a service mean nothing to an agent."""
    if "deployment" in entries:
        read.notes.append(f"deployment of {what} is without effect: {ONE_A_NODE}, replaced one by one")
    scale = entries.get("scale")
    if scale is None or is_switched_off(scale.value):
        return
    if not isinstance(scale.value, MappingNode) or COUNTS & {e.key.text for e in scale.value.entries}:
        read.notes.append(f"the count of scale of {what} is without effect: {ONE_A_NODE}")
