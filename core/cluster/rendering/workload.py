"""The pods of a service: what every kind of workload has in its template."""

from typing import Any

from core.cluster.labels import CONTAINER, pod_labels, secret_name
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.probes import probes
from core.manifest.service import Service

Json = dict[str, Any]


def pod_template(service: Service, given: RenderInput) -> Json:
    """Return the template of the pods that run a service."""
    metadata: Json = {"labels": pod_labels(given.rack, given.app, service, given.release)}
    if service.annotations:
        metadata["annotations"] = dict(service.annotations)
    return {
        "metadata": metadata,
        "spec": {
            # Always sent: server-side apply cannot take it away again (kubelets default it into a second field).
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "shareProcessNamespace": service.init,
            "terminationGracePeriodSeconds": service.termination_grace,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(service, given)],
            **_placement(service),
            **_names(service),
        },
    }


def _placement(service: Service) -> Json:
    """Return which nodes the pods may, and which they should run on."""
    placement: Json = {}
    if service.node_selector:
        placement["nodeSelector"] = dict(service.node_selector)
    if service.node_preferences:
        placement["affinity"] = {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": each.weight,
                        "preference": {
                            "matchExpressions": [
                                {"key": each.label, "operator": "In", "values": [each.value]}
                            ]
                        },
                    }
                    for each in service.node_preferences
                ]
            }
        }
    return placement


def _names(service: Service) -> Json:
    if service.ndots is None:
        return {}
    return {"dnsConfig": {"options": [{"name": "ndots", "value": str(service.ndots)}]}}


def _container(service: Service, given: RenderInput) -> Json:
    container: Json = {
        "name": CONTAINER,
        "image": given.images[service.name],
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"secretRef": {"name": secret_name(service.name, given.release.id)}}],
        "env": [{"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}],
        "resources": _resources(service),
        "securityContext": {"allowPrivilegeEscalation": False},
        # The last words of a container are then in the pod's status, even when its log is gone.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **probes(service),
    }
    if hooks := _hooks(service):
        container["lifecycle"] = hooks
    if service.command is not None:
        container["args"] = list(service.command)
    if ports := container_ports(service):
        container["ports"] = ports
    return container


def _hooks(service: Service) -> Json:
    commands = {"postStart": service.lifecycle.post_start, "preStop": service.lifecycle.pre_stop}
    return {name: {"exec": {"command": list(words)}} for name, words in commands.items() if words}


def container_ports(service: Service) -> list[Json]:
    """Return the ports of the container, the main one first."""
    main = [{"name": "main", "containerPort": service.port.number, "protocol": "TCP"}] if service.port else []
    return main + [
        {"name": port_name(p.number, p.protocol), "containerPort": p.number, "protocol": p.protocol.upper()}
        for p in service.ports
    ]


def port_name(number: int, protocol: str) -> str:
    """Return Convox's name of an extra port; UDP says so, since one number may serve both."""
    return f"port-{number}" if protocol == "tcp" else f"port-{number}-{protocol}"


def _resources(service: Service) -> Json:
    scale = service.scale
    limits = {"memory": f"{scale.memory_limit or scale.memory}Mi"}
    if scale.cpu_limit is not None:
        limits["cpu"] = f"{scale.cpu_limit}m"
    return {"requests": {"cpu": f"{scale.cpu}m", "memory": f"{scale.memory}Mi"}, "limits": limits}
