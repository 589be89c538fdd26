"""Who owns which field of an object: `metadata.managedFields`, read as the API server writes it.

Fields are paths of its elements: `f:name` for a field, `k:{…}` for an item of a list by its keys, `.` for the item itself.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.cluster.documents import Document
from core.cluster.labels import FIELD_MANAGER, SENT_ANNOTATIONS, SENT_LABELS

Path = tuple[str, ...]
Fields = frozenset[Path]

TEMPLATE: Path = ("f:spec", "f:template")
RESTARTED = "kubectl.kubernetes.io/restartedAt"
# What `kubectl rollout restart` sets is no other release: it may come and go.
_NOTES: Path = (*TEMPLATE, "f:metadata", "f:annotations")
_RESTARTED: Fields = frozenset({(*_NOTES, f"f:{RESTARTED}"), (*_NOTES, ".")})
# Labels and annotations by which an object only tells of its last promotion: nobody's work is lost by writing them anew.
SENT: Fields = frozenset(
    {("f:metadata", "f:labels", f"f:{key}") for key in SENT_LABELS}
    | {("f:metadata", "f:annotations", f"f:{key}") for key in SENT_ANNOTATIONS}
)
SOMEBODY = "somebody"
MOST_SHOWN = 3  # fields in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedFields:
    """What one field manager owns of an object.

    Attributes:
        ours: it is what the bot applies.
        at: when that changed last, as the cluster wrote it.
    """

    manager: str
    ours: bool
    at: str
    fields: Fields


def managed_fields(live: Document) -> list[ManagedFields]:
    """Return the owners of an object's own fields; a status and a count have owners of another kind."""
    return [
        ManagedFields(
            manager=str(entry.get("manager") or SOMEBODY),
            ours=entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply",
            at=str(entry.get("time") or ""),
            fields=frozenset(_paths(entry.get("fieldsV1") or {})),
        )
        for entry in live["metadata"].get("managedFields") or []
        if not entry.get("subresource")
    ]


def template_owners(live: Document) -> list[ManagedFields]:
    """Return who else owns fields of a pod template which the bot does not own as well; whoever wrote last comes first."""
    entries = managed_fields(live)
    ours = frozenset[Path]().union(*(e.fields for e in entries if e.ours))
    found = [
        ManagedFields(manager=e.manager, ours=False, at=e.at, fields=frozenset(_of_template(e.fields - ours)))
        for e in entries
        if not e.ours
    ]
    return sorted((e for e in found if e.fields), key=lambda e: e.at, reverse=True)


def owner_of(live: Document, path: Path) -> str:
    """Return who, other than the bot, owns a field or something in it; `somebody` where nobody says so."""
    owners = sorted(
        (
            e
            for e in managed_fields(live)
            if not e.ours and any(owned[: len(path)] == path for owned in e.fields)
        ),
        key=lambda e: e.at,
        reverse=True,
    )
    return owners[0].manager if owners else SOMEBODY


def is_ours(live: Document, path: Path) -> bool:
    """Tell whether the bot still owns a field: then it is as the API server answered the bot's own apply.

    Whatever a webhook of the cluster made of it there: whoever changes a field afterwards takes it from the bot.
    """
    return any(path in each.fields for each in managed_fields(live) if each.ours)


def shown(path: Path) -> str:
    """Return a path as the API server's messages write it: `.spec.template.spec.containers[name="main"].image`."""
    return "".join(_element(element) for element in path if element != ".")


def shown_fields(fields: Iterable[Path]) -> str:
    """Return a few fields for a sentence; of an item that is owned as a whole only the item."""
    whole = {path[:-1] for path in fields if path[-1] == "." and path[-2].startswith("k:")}
    heads = {next((head for head in _heads(path) if head in whole), path) for path in fields}
    # That there is a list at all is told by what is in it.
    names = sorted({shown(h) for h in heads if h[-1] != "." or len(heads) == 1})
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


def _heads(path: Path) -> Iterable[Path]:
    return (path[:length] for length in range(1, len(path) + 1))


def _of_template(fields: Fields) -> Iterable[Path]:
    return (path for path in fields if path[: len(TEMPLATE)] == TEMPLATE and path not in _RESTARTED)


def _paths(tree: Mapping[str, Any], way: Path = ()) -> Iterable[Path]:
    for element, inner in tree.items():
        if inner:
            yield from _paths(inner, (*way, element))
        else:
            yield (*way, element)


def _element(element: str) -> str:
    kind, _, value = element.partition(":")
    if kind == "f":
        return f".{value}"
    if kind == "k":
        pairs = json.loads(value).items()
        return "[" + ",".join(f"{key}={json.dumps(of)}" for key, of in pairs) + "]"
    return f"[{value}]"


def shared_fields(live: Document) -> Fields:
    """Return what others own together with the bot: its live value is ours, so nobody's work is lost by taking it (rule 46).

    What only tells of the last promotion is taken as well, whatever others have made it say: `kubectl annotate` must keep
    no release from going out.
    """
    entries = managed_fields(live)
    ours = SENT.union(*(e.fields for e in entries if e.ours))
    return ours & frozenset[Path]().union(*(e.fields for e in entries if not e.ours))


def claimed(live: Document, *, template: bool) -> list[Any] | None:
    """Return `managedFields` in which nobody else owns what the bot owns; None where that is so already.

    Args:
        live: an object that the bot has applied.
        template: let the bot own every field of the pod template, so that an apply without a field really removes it
            (engine rule 45): who applies a field and leaves it out takes it away, unless another owns it still.
    """
    shared = shared_fields(live)
    moved = frozenset[Path]().union(*(e.fields for e in template_owners(live))) if template else frozenset()
    if not shared and not moved:
        return None
    entries = live["metadata"].get("managedFields") or []
    return [kept for entry in entries if (kept := _claimed(entry, shared | moved, moved))]


def _claimed(entry: Document, taken: Fields, moved: Fields) -> dict[str, Any] | None:
    if entry.get("subresource"):
        return dict(entry)
    fields = frozenset(_paths(entry.get("fieldsV1") or {}))
    ours = entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
    left = fields | moved if ours else fields - taken
    return {**entry, "fieldsV1": _tree(left)} if left else None


def _tree(fields: Fields) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        branch = tree
        for element in path:
            branch = branch.setdefault(element, {})
    return tree
