"""What a service writes on its objects and pods: labels and annotations."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from core.manifest.keys import RESERVED_LABELS
from core.yaml.fields import FieldReader, node_kind
from core.yaml.source import cut
from core.yaml.tree import MappingNode, Node, ScalarNode, SequenceNode

Pairs = tuple[tuple[str, str], ...]

# Kubernetes' qualified names: an optional DNS prefix, and a name of up to 63 characters.
QUALIFIED = re.compile(
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")


def read_labels(read: FieldReader, node: Node, what: str) -> Pairs:
    """Read a mapping, or a list of `key=value`, as Convox does; the last of a key counts."""
    found: dict[str, str] = {}
    for label in _labels(read, node, what):
        if label.key in RESERVED_LABELS:
            read.problems.add(label.line, f"reserved label key '{label.key}' is not allowed")
        elif not is_label(label.key, label.value):
            read.problems.add(
                label.line, f"label {label.shown}: {label.said} is not what Kubernetes takes as a label"
            )
        else:
            found[label.key] = label.value
    return tuple(found.items())


class _Label(NamedTuple):
    """One label as it stands in the file; `shown` and `said` are its key and value for a sentence."""

    key: str
    value: str
    line: int
    shown: str
    said: str


def _labels(read: FieldReader, node: Node, what: str) -> Iterator[_Label]:
    if not isinstance(node, SequenceNode):
        for entry in read.mapping(node, what):
            value = read.text(entry.value, f"label {entry.key.shown}")
            yield _Label(entry.key.text, value, entry.line, entry.key.shown, node_kind(entry.value))
        return
    for item in node.items:
        key, equals, value = read.text(item, what).partition("=")
        if equals:
            shown = cut(item.shown[1:-1].partition("=")[0]) if isinstance(item, ScalarNode) else ""
            yield _Label(key, value, item.line, shown, "its value")
        else:
            read.problems.add(item.line, f"{what} takes key=value, not {node_kind(item)}")


def is_label(key: str, value: str) -> bool:
    """Tell whether Kubernetes takes this as a label."""
    return bool(QUALIFIED.fullmatch(key) and LABEL_VALUE.fullmatch(value))


def read_annotations(read: FieldReader, node: Node, what: str) -> Pairs:
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
    if QUALIFIED.fullmatch(key):
        return ((key, value),)
    read.problems.add(node.line, "that is not what Kubernetes takes as the key of an annotation")
    return ()
