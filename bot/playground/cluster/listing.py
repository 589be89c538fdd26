"""Lists in pages, and watches: reading many objects at one version, then what changes after it."""

import base64
from typing import Any

from orjson import dumps, loads

from bot.playground.cluster.errors import ApiError, bad_request
from bot.playground.cluster.resources import ApiResource
from bot.playground.cluster.selectors import Matches, field_selector, label_selector
from bot.playground.cluster.storage import Storage, StorageEvent

Document = dict[str, Any]


def matcher(query: dict[str, str], namespace: str, name: str = "") -> Matches:
    """Return the test for objects that a list or watch is about."""
    labels = label_selector(query.get("labelSelector", ""))
    fields = field_selector(query.get("fieldSelector", ""))

    def wanted(document: Document) -> bool:
        meta = document["metadata"]
        if namespace and meta.get("namespace") != namespace:
            return False
        return (not name or meta["name"] == name) and labels(document) and fields(document)

    return wanted


def page(storage: Storage, resource: ApiResource, namespace: str, query: dict[str, str]) -> Document:
    """Return one page of a list.

    Raises:
        ApiError: 410, if the history has been forgotten since the first page; 400 for a bad token.
    """
    wanted = matcher(query, namespace)
    version, after = storage.version, ("", "")
    if query.get("continue"):
        version, after = _read_token(query["continue"])
        storage.since(version)
    found = [document for document in storage.all(resource.key, namespace) if wanted(document)]
    rest = [document for document in found if _place(document) > after]
    limit = int(query.get("limit") or 0)
    shown = rest[:limit] if limit else rest
    meta: Document = {"resourceVersion": str(version)}
    if len(shown) < len(rest):
        meta["continue"] = _write_token(version, _place(shown[-1]))
        meta["remainingItemCount"] = len(rest) - len(shown)
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": meta,
        # Items of a list carry no kind: the list says it.
        "items": [_bare(document) for document in shown],
    }


def watch_event(change: StorageEvent, group_resource: str, wanted: Matches) -> Document | None:
    """Return what a watch with that selection says about a change, `None` if nothing."""
    if change.group_resource != group_resource:
        return None
    before = change.before is not None and wanted(change.before)
    after = change.after is not None and wanted(change.after)
    if after:
        return {"type": "MODIFIED" if before else "ADDED", "object": change.after}
    if before and change.before is not None:
        meta = {**change.before["metadata"], "resourceVersion": str(change.version)}
        return {"type": "DELETED", "object": {**change.before, "metadata": meta}}
    return None


def bookmark(resource: ApiResource, version: int, *, initial_end: bool = False) -> Document:
    """Return the event that tells a watch how far it is."""
    meta: Document = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial_end:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {
        "type": "BOOKMARK",
        "object": {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta},
    }


def error_event(error: ApiError) -> Document:
    """Return the event with which a watch ends badly."""
    return {"type": "ERROR", "object": error.status()}


def start_version(query: dict[str, str], storage: Storage) -> int:
    """Return the version a watch starts after; without one, or with 0, that is now.

    Raises:
        ApiError: 400, if it is no number.
    """
    text = query.get("resourceVersion", "")
    if text in {"", "0"}:
        return storage.version
    if not text.isdigit():
        raise bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _place(document: Document) -> tuple[str, str]:
    return (document["metadata"].get("namespace", ""), document["metadata"]["name"])


def _bare(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in {"kind", "apiVersion"}}


def _write_token(version: int, place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(dumps([version, *place])).decode()


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        version, namespace, name = loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise bad_request("continue key is not valid") from None
    return int(version), (namespace, name)
