"""How to read a Kubernetes document: fields may be absent or null, and times are text."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from core.cluster.labels import RELEASE_LABEL

Document = Mapping[str, Any]


def name_of(document: Document) -> str:
    return str(document["metadata"]["name"])


def uid_of(document: Document) -> str:
    return str(document["metadata"].get("uid", ""))


def generation_of(document: Document) -> int:
    return int(document["metadata"].get("generation") or 0)


def is_terminating(document: Document) -> bool:
    """Tell whether somebody has asked for its deletion; it may live on for its grace period."""
    return bool(document["metadata"].get("deletionTimestamp"))


def spec_of(document: Document) -> Document:
    return document.get("spec") or {}


def status_of(document: Document) -> Document:
    return document.get("status") or {}


def labels_of(document: Document) -> Document:
    return document["metadata"].get("labels") or {}


def release_of(document: Document) -> str:
    """Return the release that a pod belongs to, or that a workload's template makes pods for; "" if none."""
    template = spec_of(document).get("template")
    labels = (template.get("metadata") or {}).get("labels") or {} if template else labels_of(document)
    return str(labels.get(RELEASE_LABEL, ""))


def containers_of(workload: Document) -> frozenset[str]:
    """Return the names of the containers that a workload's template asks for; a pod may have more."""
    spec = (spec_of(workload).get("template") or {}).get("spec") or {}
    return frozenset(
        c["name"] for c in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    )


def replicas_of(document: Document) -> int:
    """Return the count that an object asks for; one that names none asks for one."""
    count = spec_of(document).get("replicas")
    return 1 if count is None else int(count)


def condition(document: Document, type_: str) -> Document:
    """Return a condition of the status, or an empty document where it has none of that type."""
    conditions = status_of(document).get("conditions") or []
    return next((c for c in conditions if c.get("type") == type_), {})


def is_condition_true(document: Document, type_: str) -> bool:
    return bool(condition(document, type_).get("status") == "True")


def controller_of(document: Document, kinds: AbstractSet[str]) -> Document | None:
    """Return the owner reference of the controller, if it is of one of these kinds."""
    owners = document["metadata"].get("ownerReferences") or []
    return next((o for o in owners if o.get("controller") and o.get("kind") in kinds), None)


def parse_timestamp(text: str | None) -> datetime | None:
    """Read a Kubernetes time (RFC 3339, with or without microseconds); None where there is none."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def created_at(document: Document) -> datetime | None:
    return parse_timestamp(document["metadata"].get("creationTimestamp"))
