"""Where the pods of a service run, what they run beside their command, and how they look names up."""

import shlex

from core.manifest.metadata import Pairs, is_label
from core.manifest.service import Lifecycle, NodePreference
from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import MappingNode, Node

# The highest ndots that the resolver of glibc takes (resolv.conf(5)).
MOST_DOTS = 15
# What Convox gives a preference without a weight; Kubernetes takes 1 to 100.
DEFAULT_WEIGHT, MOST_WEIGHT = 1, 100


def read_words(read: FieldReader, node: Node, what: str) -> tuple[str, ...]:
    """Split a command into words, as a shell would."""
    try:
        return tuple(shlex.split(read.text(node, what)))
    except ValueError as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        read.problems.add(node.line, f"{what} cannot be split into words: {reason}")
        return ()


def read_lifecycle(read: FieldReader, node: Node, what: str) -> Lifecycle:
    """Read `{preStop: COMMAND, postStart: COMMAND}`."""
    entries = read.entries_of(node, what, ("postStart", "preStop"))
    words = {key: read_words(read, entries[key].value, f"{key} of {what}") for key in entries}
    return Lifecycle(post_start=words.get("postStart", ()), pre_stop=words.get("preStop", ()))


def read_node_selector(read: FieldReader, node: Node, what: str) -> Pairs:
    """Read a mapping of labels, each of which a node must have."""
    found: list[tuple[str, str]] = []
    for entry in read.mapping(node, what):
        key, value = entry.key.text, read.text(entry.value, f"label {entry.key.shown}")
        if is_label(key, value):
            found.append((key, value))
        else:
            said = (
                f"label {entry.key.shown}: {node_kind(entry.value)} is not what Kubernetes takes as a label"
            )
            read.problems.add(entry.line, said)
    return tuple(found)


def read_node_preferences(read: FieldReader, node: Node, what: str) -> tuple[NodePreference, ...]:
    """Read a list of `{label: …, value: …, weight: 1-100}`, or a mapping of labels with the least weight."""
    if isinstance(node, MappingNode):
        pairs = read_node_selector(read, node, what)
        return tuple(NodePreference(label=k, value=v, weight=DEFAULT_WEIGHT) for k, v in pairs)
    found = [_preference(read, item, what) for item in read.items(node, what)]
    return tuple(each for each in found if each is not None)


def _preference(read: FieldReader, node: Node, what: str) -> NodePreference | None:
    entries = read.entries_of(node, what, ("label", "value", "weight"))
    label, value = (
        read.text(entries[key].value, f"{key} of {what}") if key in entries else ""
        for key in ("label", "value")
    )
    weight = DEFAULT_WEIGHT
    if "weight" in entries:
        place = f"weight of {what}"
        weight = read.integer(entries["weight"].value, place, low=1, high=MOST_WEIGHT, default=DEFAULT_WEIGHT)
    if is_label(label, value):
        return NodePreference(label=label, value=value, weight=weight)
    read.problems.add(
        node.line, f"{what} needs a label and a value that Kubernetes takes, and may have a weight"
    )
    return None


def read_ndots(read: FieldReader, node: Node, what: str) -> int | None:
    """Read `{ndots: 5}`."""
    entries = read.entries_of(node, what, ("ndots",))
    if "ndots" not in entries:
        return None
    return read.integer(entries["ndots"].value, f"ndots of {what}", low=0, high=MOST_DOTS)
