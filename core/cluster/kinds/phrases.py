"""Words that the sentences of several kinds share."""

from core.cluster.documents import Document, spec_of


def number_of(number: int, noun: str) -> str:
    """Return `1 new pod`, `2 new pods`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def asked_of(workload: Document) -> str:
    """Return what each pod has for itself, such as `250 512Mi`; a service with GPUs may ask for nothing else."""
    resources = main_container(workload)["resources"]
    asked = {**resources.get("limits", {}), **resources.get("requests", {})}
    given = [asked[key] for key in ("cpu", "memory") if key in asked]
    return " ".join(given + [f"{many} {key}" for key, many in asked.items() if "/" in key])


def main_container(workload: Document) -> Document:
    """Return the container of a rendered workload that is the service or the resource; what stands beside it comes behind."""
    found: Document = spec_of(workload)["template"]["spec"]["containers"][0]
    return found
