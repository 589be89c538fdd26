"""The Deployment of a service: the one object whose fields decide whether a rollout can hurt anybody."""

from typing import Any

from core.cluster.labels import CONTAINER, RELEASE_LABEL, own_labels, pod_labels, secret_name, selector
from core.cluster.rendering.probes import min_ready, probes, progress_deadline
from core.manifest.service import RollingUpdate, Service
from core.policy.policy import Rules
from core.records.app import App
from core.records.release import Release

# Old replica sets are what an automatic rollback scales up again; five reach back over some bad releases in a row.
HISTORY = 5

Json = dict[str, Any]


def deployment(
    release: Release, service: Service, image: str, app: App, rules: Rules, *, rack: str, namespace: str
) -> Json:
    """Render a Deployment. `spec.replicas` is in none: counts belong to the scale manager (engine rule 20)."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": service.name,
            "namespace": namespace,
            "labels": {
                **dict(service.labels),
                **own_labels(rack, app, service),
                RELEASE_LABEL: release.id,
            },
        },
        "spec": {
            "selector": {"matchLabels": selector(rack, app, service)},
            "strategy": strategy(service.deployment),
            "minReadySeconds": min_ready(service, rules),
            "progressDeadlineSeconds": progress_deadline(service, rules),
            "revisionHistoryLimit": HISTORY,
            "template": _template(release, service, image, app, rack=rack),
        },
    }


def strategy(asked: RollingUpdate) -> Json:
    """Return the whole strategy (engine rule 21); 100/100 asks for the impossible and gets one pod more."""
    surge, unavailable = asked.maximum - 100, 100 - asked.minimum
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": 1 if surge == unavailable == 0 else f"{surge}%",
            "maxUnavailable": 0 if surge == unavailable == 0 else f"{unavailable}%",
        },
    }


def _template(release: Release, service: Service, image: str, app: App, *, rack: str) -> Json:
    metadata: Json = {"labels": pod_labels(rack, app, service, release)}
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
            "terminationGracePeriodSeconds": service.grace,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(release, service, image)],
        },
    }


def _container(release: Release, service: Service, image: str) -> Json:
    container: Json = {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"secretRef": {"name": secret_name(service.name, release.id)}}],
        "env": [{"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}],
        "resources": _resources(service),
        "securityContext": {"allowPrivilegeEscalation": False},
        # The last words of a container are then in the pod's status, even when its log is gone.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **probes(service),
    }
    if service.command is not None:
        container["args"] = list(service.command)
    if ports := container_ports(service):
        container["ports"] = ports
    return container


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
