"""What a release would be in the cluster, a line for each object, as `check` tells it; pure functions of its bundle."""

from collections.abc import Mapping
from typing import Any

from core.records.bundle import Bundle


def object_lines(bundle: Bundle, release: str) -> tuple[str, ...]:
    """Return a line for each object: kind, name, and what is worth knowing of it; of an environment how many variables it has.

    Args:
        bundle: as it was rendered.
        release: its id, which is part of names that tell nobody anything.
    """
    return tuple(_line(each, bundle, release) for each in bundle.objects)


def _line(document: Mapping[str, Any], bundle: Bundle, release: str) -> str:
    kind, name = document["kind"], document["metadata"]["name"]
    if leads := _hosts(document):
        return f"{kind} {name} → {', '.join(leads)}"
    if kind == "CronJob":  # a schedule as it is written; it is UTC, as in Convox
        return f'{kind} {name} "{document["spec"]["schedule"]}"'
    detail = _workload(document, bundle) or _detail(document, release)
    name = name.removesuffix(f"-{release.lower()}")
    return f"{kind} {name} ({detail})" if detail else f"{kind} {name}"


def _asked(workload: Mapping[str, Any]) -> str:
    """Return what each pod has for itself; a service with GPUs may ask for nothing else."""
    resources = workload["spec"]["template"]["spec"]["containers"][0]["resources"]
    asked = {**resources.get("limits", {}), **resources.get("requests", {})}
    given = [asked[key] for key in ("cpu", "memory") if key in asked]
    return " ".join(given + [f"{many} {key}" for key, many in asked.items() if "/" in key])


def _hosts(document: Mapping[str, Any]) -> list[str]:
    """Return the names by which something is found from outside."""
    match document["kind"]:
        case "Ingress":
            return [rule["host"] for rule in document["spec"]["rules"]]
        case "HTTPRoute":
            return list(document["spec"]["hostnames"])
        case _:
            return []


def _workload(document: Mapping[str, Any], bundle: Bundle) -> str:
    """Return what runs, and how much of it."""
    match document["kind"]:
        case "Deployment":
            count = next(s.count for s in bundle.services if s.name == document["metadata"]["name"])
            down = ", down while it is replaced" * (document["spec"]["strategy"]["type"] == "Recreate")
            return f"{count} × {_asked(document)}{down}"
        case "DaemonSet":
            return f"one a node, {_asked(document)}"
        case "StatefulSet":
            return str(document["spec"]["template"]["spec"]["containers"][0]["image"])
        case _:
            return ""


def _detail(document: Mapping[str, Any], release: str) -> str:
    """Return what is worth knowing of what runs nothing."""
    match document["kind"]:
        case "HorizontalPodAutoscaler":
            spec = document["spec"]
            measures = (each["resource"] for each in spec["metrics"])
            loads = ", ".join(f"{m['name']} {m['target']['averageUtilization']} %" for m in measures)
            return f"{spec['minReplicas']} to {spec['maxReplicas']}, {loads}"
        case "PersistentVolumeClaim":
            return str(document["spec"]["resources"]["requests"]["storage"])
        case "Service":
            ports = document["spec"]["ports"]
            return ", ".join(f"{p['port']}/{p['protocol'].lower()}" for p in ports)
        case "Secret" if document["metadata"]["name"].endswith(f"-{release.lower()}"):
            # That of a resource holds its password alone, and no release.
            return f"{len(document['data'])} variables"
        case _:
            return ""
