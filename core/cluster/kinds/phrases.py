"""Words that the sentences of several kinds share."""

from typing import Any

from core.cluster.documents import Document


def number_of(number: int, noun: str) -> str:
    """Return `1 new pod`, `2 new pods`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def asked_of(workload: Document) -> str:
    """Return what each pod has for itself, such as `250 512Mi`; a service with GPUs may ask for nothing else."""
    resources = containers_of(workload)[0]["resources"]
    asked = {**resources.get("limits", {}), **resources.get("requests", {})}
    given = [asked[key] for key in ("cpu", "memory") if key in asked]
    return " ".join(given + [f"{many} {key}" for key, many in asked.items() if "/" in key])


def containers_of(workload: Document) -> list[dict[str, Any]]:
    """Return the containers of a workload's pods as they are rendered."""
    found: list[dict[str, Any]] = workload["spec"]["template"]["spec"]["containers"]
    return found
