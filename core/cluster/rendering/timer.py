"""The pods of a timer: those of its service, that run one command to its end and are asked nothing meanwhile."""

from typing import Any

from core.cluster.labels import timer_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.workload import pod_template
from core.manifest.service import Service
from core.manifest.timers import Timer

Json = dict[str, Any]
# What belongs to a process that serves.
OF_SERVERS = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports"})
# Where the API server notes which of several pods of one run this is; Convox's variable.
INDEX = ("TIMER_INDEX", "metadata.annotations['batch.kubernetes.io/job-completion-index']")


def timer_pod_template(timer: Timer, service: Service, given: RenderInput) -> Json:
    """Return the template of the pods of one run."""
    template = pod_template(service, given)
    metadata: Json = {"labels": timer_labels(template["metadata"]["labels"], timer)}
    if timer.annotations:
        metadata["annotations"] = dict(timer.annotations)
    spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
    main, *beside = spec["containers"]
    return {
        "metadata": metadata,
        "spec": {**spec, "restartPolicy": "Never", "containers": [_container(timer, main), *beside]},
    }


def _container(timer: Timer, main: Json) -> Json:
    container = {key: value for key, value in main.items() if key not in {*OF_SERVERS, "args"}}
    if timer.command:
        container["args"] = list(timer.command)
    if timer.parallel > 1:
        name, path = INDEX
        index = {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        container["env"] = [*container["env"], index]
    return container
