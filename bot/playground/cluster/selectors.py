"""Label and field selectors, as the parameters of lists and watches write them."""

import re
from collections.abc import Callable
from typing import Any

from bot.playground.cluster.errors import bad_request

Document = dict[str, Any]
Matches = Callable[[Document], bool]
_SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.uid",
    "reason",
    "type",
    "spec.nodeName",
    "status.phase",
)


def label_selector(text: str) -> Matches:
    """Read a label selector: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas."""
    tests = [_label_test(part) for part in _split(text)]
    return lambda document: all(test(document.get("metadata", {}).get("labels") or {}) for test in tests)


def field_selector(text: str) -> Matches:
    """Read a field selector: `path=value` and `path!=value`, joined by commas.

    Raises:
        ApiError: 400, for a field this server does not index.
    """
    tests = [_field_test(part) for part in _split(text)]
    return lambda document: all(test(document) for test in tests)


def _split(text: str) -> list[str]:
    """Split at commas that are not inside parentheses."""
    parts = re.split(r",(?![^(]*\))", text)
    return [part.strip() for part in parts if part.strip()]


def _label_test(part: str) -> Callable[[dict[str, str]], bool]:
    found = _SET.match(part)
    if found:
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    for operator in ("!=", "==", "="):
        if operator in part:
            key, value = (side.strip() for side in part.split(operator, 1))
            if operator == "!=":
                return lambda labels: labels.get(key) != value
            return lambda labels: labels.get(key) == value
    if part.startswith("!"):
        return lambda labels: part[1:].strip() not in labels
    return lambda labels: part in labels


def _field_test(part: str) -> Matches:
    operator = "!=" if "!=" in part else "=="
    path, value = (side.strip() for side in re.split(r"!=|==|=", part, maxsplit=1))
    if path not in FIELDS:
        raise bad_request(f"field label not supported: {path}")
    if operator == "!=":
        return lambda document: _field(document, path) != value
    return lambda document: _field(document, path) == value


def _field(document: Document, path: str) -> str:
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)
