"""What is sent to change an object, and what its books say of it: bodies made from what is live, without a call."""

from typing import Any

from core.cluster.api.client import Json
from core.cluster.documents import Document, spec_of, uid_of
from core.cluster.fencing import AppNamespace
from core.cluster.labels import (
    FIELD_MANAGER,
    SENT_ANNOTATIONS,
    SENT_LABELS,
    SUSPENDED_ANNOTATION,
    TOKEN_ANNOTATION,
)
from core.cluster.ownership import RESTARTED

RECREATE = "Recreate"


def suspended(live: Document, note: str | None) -> Json:
    """Return the patch that suspends an object, with this note of it, or without one takes it up again."""
    return {
        "metadata": {
            "uid": uid_of(live),
            "resourceVersion": live["metadata"]["resourceVersion"],
            "annotations": {SUSPENDED_ANNOTATION: note},
        },
        "spec": {"suspend": note is not None},
    }


def scale_of(ns: AppNamespace, live: Document, replicas: int) -> Json:
    """Return the Scale that sets a count, bound to the state that was read."""
    metadata = live["metadata"]
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": metadata["name"],
            "namespace": ns.namespace,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "spec": {"replicas": replicas},
    }


def restart_of(ns: AppNamespace, live: Document, at: str) -> Json:
    """Return what holds the note and nothing else; without it the manager gives back the one that it had."""
    metadata = live["metadata"]
    return {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {
            "name": metadata["name"],
            "namespace": ns.namespace,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        **({"spec": {"template": {"metadata": {"annotations": {RESTARTED: at}}}}} if at else {}),
    }


def _strategy_type(document: Document) -> str:
    return str((spec_of(document).get("strategy") or {}).get("type", ""))


def enters_recreate(wanted: Document, live: Document | None) -> bool:
    """Tell whether what is wanted replaces its pods all at once, and what is live does not (engine rule 21)."""
    return live is not None and _strategy_type(wanted) == RECREATE != _strategy_type(live)


def entered(body: Json, live: Document | None) -> Json:
    """Return what a dry run sends: without a strategy that the live one would refuse until a patch has changed it."""
    if not enters_recreate(body, live):
        return body
    return {**body, "spec": {key: value for key, value in body["spec"].items() if key != "strategy"}}


def applied_by_us(live: Document) -> bool:
    """Tell whether it is ours by its books too: a label can be anybody's."""
    return bool(_our_books(live))


def holds_count(live: Document) -> bool:
    """Tell whether something applied a count under our name, which no bundle of ours does."""
    return any("f:replicas" in book.get("fieldsV1", {}).get("f:spec", {}) for book in _our_books(live))


def _our_books(live: Document) -> list[Document]:
    books = live["metadata"].get("managedFields") or []
    return [b for b in books if b.get("manager") == FIELD_MANAGER and b.get("operation") == "Apply"]


def substance(document: Document) -> dict[str, Any]:
    """Return what an apply may change, without what changes at every apply: the token, the cause, and the server's own notes.

    The generation is among these: a workload's rises with its annotations, and so with every token.
    """
    metadata = document["metadata"]
    notes = metadata.get("annotations") or {}
    notes = {k: v for k, v in notes.items() if k != TOKEN_ANNOTATION and k not in SENT_ANNOTATIONS}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k not in SENT_LABELS}
    kept = {k: v for k, v in document.items() if k not in {"metadata", "status"}}
    return {**kept, "labels": labels, "annotations": notes}
