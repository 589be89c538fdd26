"""What an API server refuses to store."""

import re
from typing import Any

from orjson import dumps

from bot.playground.cluster.errors import ApiError, invalid
from bot.playground.cluster.quantities import quantity
from bot.playground.cluster.resources import ApiResource
from bot.playground.cluster.schedules import is_schedule

Document = dict[str, Any]
FieldError = tuple[str, str, str]
# A Job's name has eleven characters more.
LONGEST_CRON_JOB = 52
CONCURRENCY = ("Allow", "Forbid", "Replace")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_KEY = re.compile(r"^[-._a-zA-Z0-9]+$")
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character"
)
_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character"
)


def validate(resource: ApiResource, document: Document, before: Document | None) -> ApiError | None:
    """Return why an object may not be stored, `None` if it may.

    Args:
        resource: its kind.
        document: the object, defaulted.
        before: the object it replaces.
    """
    faults = [*_names(resource, document), *_labels(document)]
    match resource.kind:
        case "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet":
            faults += _workload(document["spec"], resource.kind)
            faults += _selected(resource.kind, document, before)
        case "PersistentVolumeClaim":
            faults += _claim(document["spec"], before["spec"] if before else document["spec"])
        case "HorizontalPodAutoscaler":
            faults += _bounds(document["spec"])
        case "CronJob":
            faults += _cron_job(document)
        case "Pod":
            faults += _containers(document["spec"], "spec")
        case "Secret" | "ConfigMap":
            faults += _frozen(document, before)
        case "Service":
            if not document["spec"].get("ports") and document["spec"].get("clusterIP") != "None":
                faults.append(("spec.ports", "FieldValueRequired", "Required value"))
        case _:
            pass
    if not faults:
        return None
    return invalid(resource.group, resource.kind, document["metadata"]["name"], faults)


def _names(resource: ApiResource, document: Document) -> list[FieldError]:
    name = document["metadata"].get("name", "")
    short = resource.kind in {"Namespace", "Service"}
    pattern, longest = (_LABEL, 63) if short else (_SUBDOMAIN, 253)
    if resource.group == "rbac.authorization.k8s.io":
        return []
    if len(name) > longest:
        return [
            (
                "metadata.name",
                "FieldValueInvalid",
                f'Invalid value: "{name}": must be no more than {longest} characters',
            )
        ]
    if not pattern.match(name):
        text = _LABEL_TEXT if short else _SUBDOMAIN_TEXT
        return [("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": {text}')]
    return []


def _labels(document: Document) -> list[FieldError]:
    return [
        (
            "metadata.labels",
            "FieldValueInvalid",
            f'Invalid value: "{value}": {_VALUE_TEXT}',
        )
        for value in (document["metadata"].get("labels") or {}).values()
        if not isinstance(value, str) or len(value) > 63 or not _VALUE.match(value)
    ]


def _workload(spec: Document, kind: str) -> list[FieldError]:
    faults: list[FieldError] = []
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    if not spec.get("selector"):
        faults.append(("spec.selector", "FieldValueRequired", "Required value"))
    if any(labels.get(key) != value for key, value in wanted.items()) or not labels:
        faults.append(
            (
                "spec.template.metadata.labels",
                "FieldValueInvalid",
                f"Invalid value: {_go_map(labels)}: `selector` does not match template `labels`",
            )
        )
    if int(spec.get("replicas", 1)) < 0:
        faults.append(
            (
                "spec.replicas",
                "FieldValueInvalid",
                f"Invalid value: {spec['replicas']}: must be greater than or equal to 0",
            )
        )
    if kind == "Deployment":
        faults += _strategy(spec)
    faults += _containers((spec.get("template") or {}).get("spec") or {}, "spec.template.spec")
    return faults


# All else of a StatefulSet stays as it was made.
_OPEN = frozenset(
    {
        *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
        *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
    }
)


def _selected(kind: str, document: Document, before: Document | None) -> list[FieldError]:
    if before is None:
        return []
    fixed = _fixed_set(document, before) if kind == "StatefulSet" else []
    return [*_immutable(document, before, ("spec", "selector")), *fixed]


def _fixed_set(document: Document, before: Document) -> list[FieldError]:
    now, was = document["spec"], before["spec"]
    if all(now.get(key) == was.get(key) for key in {*now, *was} - _OPEN):
        return []
    text = (
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
        "are forbidden"
    )
    return [("spec", "FieldValueForbidden", text)]


def _claim(now: Document, was: Document) -> list[FieldError]:
    """A disk may grow, and gets its volume; nothing else of it changes."""
    free = {"resources", "volumeName"}
    if any(now.get(key) != was.get(key) for key in {*now, *was} - free):
        text = (
            "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
            "for bound claims"
        )
        return [("spec", "FieldValueForbidden", text)]
    if quantity(now["resources"]["requests"]["storage"]) < quantity(was["resources"]["requests"]["storage"]):
        text = "Forbidden: field can not be less than status.capacity"
        return [("spec.resources.requests.storage", "FieldValueForbidden", text)]
    return []


def _strategy(spec: Document) -> list[FieldError]:
    strategy = spec["strategy"]
    if strategy["type"] == "Recreate" and strategy.get("rollingUpdate") is not None:
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"  # the quotes are the server's
        return [("spec.strategy.rollingUpdate", "FieldValueForbidden", text)]
    if strategy["type"] not in {"Recreate", "RollingUpdate"}:
        text = f'Unsupported value: "{strategy["type"]}": supported values: "Recreate", "RollingUpdate"'
        return [("spec.strategy.type", "FieldValueNotSupported", text)]
    rolling = strategy.get("rollingUpdate") or {}
    if all(str(rolling.get(key)) in {"0", "0%"} for key in ("maxSurge", "maxUnavailable")):
        text = "Invalid value: 0: may not be 0 when `maxSurge` is 0"
        return [("spec.strategy.rollingUpdate.maxUnavailable", "FieldValueInvalid", text)]
    if int(spec["progressDeadlineSeconds"]) <= int(spec.get("minReadySeconds", 0)):
        text = f"Invalid value: {spec['progressDeadlineSeconds']}: must be greater than minReadySeconds"
        return [("spec.progressDeadlineSeconds", "FieldValueInvalid", text)]
    return []


def _bounds(spec: Document) -> list[FieldError]:
    least, most = int(spec["minReplicas"]), int(spec.get("maxReplicas") or 0)
    faults: list[FieldError] = []
    if least < 1:
        text = f"Invalid value: {least}: must be greater than or equal to 1"
        faults.append(("spec.minReplicas", "FieldValueInvalid", text))
    if most < least:
        text = f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
        faults.append(("spec.maxReplicas", "FieldValueInvalid", text))
    return faults


def _cron_job(document: Document) -> list[FieldError]:
    spec, name, faults = document["spec"], document["metadata"]["name"], list[FieldError]()
    if len(name) > LONGEST_CRON_JOB:
        text = f'Invalid value: "{name}": must be no more than {LONGEST_CRON_JOB} characters'
        faults.append(("metadata.name", "FieldValueTooLong", text))
    if not is_schedule(spec.get("schedule", "")):
        text = f'Invalid value: "{spec.get("schedule", "")}": expected exactly 5 fields'
        faults.append(("spec.schedule", "FieldValueInvalid", text))
    if spec["concurrencyPolicy"] not in CONCURRENCY:
        allowed = ", ".join(f'"{each}"' for each in CONCURRENCY)
        text = f'Unsupported value: "{spec["concurrencyPolicy"]}": supported values: {allowed}'
        faults.append(("spec.concurrencyPolicy", "FieldValueNotSupported", text))
    pod = (spec["jobTemplate"]["spec"].get("template") or {}).get("spec") or {}
    where = "spec.jobTemplate.spec.template.spec"
    if pod.get("restartPolicy") not in {"Never", "OnFailure"}:
        text = f'Unsupported value: "{pod.get("restartPolicy")}": supported values: "OnFailure", "Never"'
        faults.append((f"{where}.restartPolicy", "FieldValueNotSupported", text))
    return faults + _containers(pod, where)


def _containers(spec: Document, path: str) -> list[FieldError]:
    faults: list[FieldError] = []
    containers = spec.get("containers") or []
    if not containers:
        faults.append((f"{path}.containers", "FieldValueRequired", "Required value"))
    for number, container in enumerate(containers):
        here = f"{path}.containers[{number}]"
        if not container.get("name"):
            faults.append((f"{here}.name", "FieldValueRequired", "Required value"))
        elif not _LABEL.match(container["name"]):
            text = f'Invalid value: "{container["name"]}": {_LABEL_TEXT}'
            faults.append((f"{here}.name", "FieldValueInvalid", text))
        if not container.get("image"):
            faults.append((f"{here}.image", "FieldValueRequired", "Required value"))
        faults += _resources(container.get("resources") or {}, here)
    return faults


def _resources(resources: Document, here: str) -> list[FieldError]:
    limits = resources.get("limits") or {}
    return [
        (
            f"{here}.resources.requests",
            "FieldValueInvalid",
            f'Invalid value: "{value}": must be less than or equal to {name} limit of {limits[name]}',
        )
        for name, value in (resources.get("requests") or {}).items()
        if name in limits and quantity(value) > quantity(limits[name])
    ]


def _frozen(document: Document, before: Document | None) -> list[FieldError]:
    faults = [
        (f"data[{key}]", "FieldValueInvalid", f'Invalid value: "{key}": {_KEY_TEXT}')
        for key in document.get("data") or {}
        if not _KEY.match(key)
    ]
    if before is None or not before.get("immutable"):
        return faults
    text = "Forbidden: field is immutable when `immutable` is set"
    if not document.get("immutable"):
        faults.append(("immutable", "FieldValueForbidden", text))
    faults += [
        (field, "FieldValueForbidden", text)
        for field in ("data", "binaryData")
        if (document.get(field) or {}) != (before.get(field) or {})
    ]
    return faults


def _immutable(document: Document, before: Document, path: tuple[str, str]) -> list[FieldError]:
    part, field = path
    now, was = document[part].get(field), before[part].get(field)
    if now == was:
        return []
    text = f"Invalid value: {dumps(now).decode()}: field is immutable"
    return [(f"{part}.{field}", "FieldValueInvalid", text)]


def _go_map(labels: dict[str, str]) -> str:
    return dumps(labels).decode()
