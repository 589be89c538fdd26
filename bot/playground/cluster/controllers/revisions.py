"""How a Deployment finds its replica sets: by template, by revision, by age; and how it names a new one."""

import hashlib
from typing import Any

from orjson import OPT_SORT_KEYS, dumps

Document = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
# As in Kubernetes, so that no hash spells a word.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Document) -> str:
    """Return ten letters and digits that stand for a pod template."""
    number = int.from_bytes(hashlib.sha256(dumps(template, option=OPT_SORT_KEYS)).digest()[:8])
    letters = []
    for _ in range(10):
        number, rest = divmod(number, len(_SAFE))
        letters.append(_SAFE[rest])
    return "".join(letters)


def bare_template(replica_set: Document) -> Document:
    """Return a replica set's template without the label that holds its hash."""
    template: Document = replica_set["spec"]["template"]
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def current(deployment: Document, replica_sets: list[Document]) -> Document | None:
    """Return the replica set (oldest first) that has the Deployment's template, if there is one."""
    wanted = deployment["spec"]["template"]
    return next((each for each in replica_sets if bare_template(each) == wanted), None)


def by_age(replica_sets: list[Document]) -> list[Document]:
    """Return replica sets, the oldest first."""
    return sorted(
        replica_sets, key=lambda each: (each["metadata"]["creationTimestamp"], revision(each), _name(each))
    )


def revision(document: Document) -> int:
    """Return the revision an object is annotated with, 0 without one."""
    return int((document["metadata"].get("annotations") or {}).get(REVISION, 0))


def next_revision(old: list[Document]) -> int:
    """Return the revision of the replica set that comes after these."""
    return max((revision(each) for each in old), default=0) + 1


def annotated(document: Document, annotations: dict[str, str]) -> Document:
    """Return the object with annotations added."""
    meta = document["metadata"]
    return {
        **document,
        "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **annotations}},
    }


def size_annotations(replicas: int, max_pods: int) -> dict[str, str]:
    """Return the annotations by which a later scaling sees what this one was made for."""
    return {DESIRED_REPLICAS: str(replicas), MAX_REPLICAS: str(max_pods)}


def size_annotation(replica_set: Document, name: str) -> int | None:
    """Return such a number, if it is noted."""
    value = (replica_set["metadata"].get("annotations") or {}).get(name)
    return int(value) if value is not None else None


def beyond_history_limit(deployment: Document, old: list[Document]) -> list[Document]:
    """Return the empty replica sets beyond the history limit, the lowest revisions."""
    limit = int(deployment["spec"].get("revisionHistoryLimit", 10))
    empty = [
        each
        for each in old
        if not each["spec"].get("replicas")
        and not each.get("status", {}).get("replicas")
        and each.get("status", {}).get("observedGeneration", 0) >= each["metadata"]["generation"]
        and "deletionTimestamp" not in each["metadata"]
    ]
    surplus = len(old) - limit
    return sorted(empty, key=revision)[: max(0, surplus)]


def _name(document: Document) -> str:
    name: str = document["metadata"]["name"]
    return name
