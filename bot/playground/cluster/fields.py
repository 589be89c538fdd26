"""Which fields a document sets, as paths, and how they are written in `managedFields`."""

import json
from typing import Any

Document = dict[str, Any]
Path = tuple[str, ...]
"""Elements as in fieldsV1: `f:name` for a field, `k:{…}` for an item by key, `v:…` for a scalar in a set."""
Fields = frozenset[Path]

# Lists of items that are told apart by these keys; all other lists are replaced as a whole.
LIST_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
SETS = frozenset({"finalizers"})
ATOMIC = frozenset(
    {"selector", "nodeSelector", "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"}
)
# The server's own part of the metadata belongs to no manager.
_SYSTEM = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "selfLink",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    }
)


def list_keys(field: str, items: list[Any]) -> tuple[str, ...] | None:
    """Return the keys of a list of maps; `None` if the list is one value."""
    if field == "ports" and items and all(isinstance(item, dict) for item in items):
        return ("containerPort", "protocol") if "containerPort" in items[0] else ("port", "protocol")
    keys = LIST_KEYS.get(field)
    if keys and all(isinstance(item, dict) for item in items):
        return keys
    return None


def item_key(item: Document, keys: tuple[str, ...]) -> str:
    """Return the path element of a list item."""
    values = {key: item.get(key, "TCP" if key == "protocol" else "") for key in keys}
    return "k:" + json.dumps(values, sort_keys=True, separators=(",", ":"))


def fields_of(document: Document, *, only: frozenset[str] | None = None) -> Fields:
    """Return the paths of everything a document sets.

    Args:
        document: an object, without regard to its identity and the server's own metadata.
        only: top-level fields to look at; all but the identity if `None`.
    """
    found: set[Path] = set()
    for key, value in document.items():
        if key in {"apiVersion", "kind"} or (only is not None and key not in only):
            continue
        if key == "metadata":
            part = {name: inner for name, inner in value.items() if name not in _SYSTEM}
            if part:
                _walk(part, (f"f:{key}",), key, found)
        else:
            _walk(value, (f"f:{key}",), key, found)
    return frozenset(found)


def _walk(value: Any, path: Path, field: str, found: set[Path]) -> None:
    if isinstance(value, dict) and value and field not in ATOMIC:
        for key, inner in value.items():
            _walk(inner, (*path, f"f:{key}"), key, found)
    elif isinstance(value, list) and value and field in SETS:
        found.update((*path, "v:" + json.dumps(item)) for item in value)
    elif isinstance(value, list) and value and (keys := list_keys(field, value)):
        for item in value:
            here = (*path, item_key(item, keys))
            found.add((*here, "."))
            for key, inner in item.items():
                _walk(inner, (*here, f"f:{key}"), key, found)
    else:
        found.add(path)


def value_at(document: Any, path: Path) -> Any:
    """Return what stands at a path, `MISSING` if nothing does."""
    value, field = document, ""
    for element in path:
        if element == ".":
            return True
        if element.startswith("f:"):
            field = element[2:]
            if not isinstance(value, dict) or field not in value:
                return MISSING
            value = value[field]
        elif element.startswith("k:"):
            if not isinstance(value, list):
                return MISSING
            keys = list_keys(field, value) or ()
            matching = [item for item in value if item_key(item, keys) == element]
            if not matching:
                return MISSING
            value = matching[0]
        else:
            wanted = json.loads(element[2:])
            return wanted if isinstance(value, list) and wanted in value else MISSING
    return value


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


def encode(fields: Fields) -> Document:
    """Write paths as `fieldsV1`."""
    tree: Document = {}
    for path in sorted(fields):
        branch = tree
        for element in path:
            branch = branch.setdefault(element, {})
    return tree


def decode(tree: Document) -> Fields:
    """Read `fieldsV1` back into paths."""
    found: set[Path] = set()

    def descend(branch: Document, path: Path) -> None:
        for element, inner in branch.items():
            if inner:
                descend(inner, (*path, element))
            else:
                found.add((*path, element))

    descend(tree, ())
    return frozenset(found)


def display_path(path: Path) -> str:
    """Write a path as error messages do: `.spec.template.spec.containers[name="web"].image`."""
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        elif element.startswith("k:"):
            pairs = json.loads(element[2:]).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"
        elif element.startswith("v:"):
            text += f"[={element[2:]}]"
    return text
