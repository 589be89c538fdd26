"""The `/scale` subresource: a small view of a Deployment or ReplicaSet that holds its count and nothing else."""

from typing import Any

from bot.playground.cluster.errors import invalid
from bot.playground.cluster.resources import ApiResource

Document = dict[str, Any]


def scale_of(document: Document) -> Document:
    """Return the `Scale` document of an object."""
    meta = document["metadata"]
    labels = (document["spec"].get("selector") or {}).get("matchLabels") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": document["spec"].get("replicas", 0)},
        "status": {
            "replicas": document.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def scaled(document: Document, replicas: Any) -> Document:
    """Return the object with another count."""
    return {**document, "spec": {**document["spec"], "replicas": replicas}}


def wanted_count(resource: ApiResource, name: str, scale: Document) -> int:
    """Return the count a `Scale` document asks for; a missing one is 0, as on the real server.

    Raises:
        ApiError: 422, for a negative count.
    """
    count = int((scale.get("spec") or {}).get("replicas") or 0)
    if count < 0:
        message = f"Invalid value: {count}: must be greater than or equal to 0"
        raise invalid(resource.group, resource.kind, name, [("spec.replicas", "FieldValueInvalid", message)])
    return count
