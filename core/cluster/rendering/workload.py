"""The pods of a service: what every kind of workload has in its template."""

from typing import Any

from core.cluster.labels import (
    APP_REGISTRIES,
    CONTAINER,
    HASH_LABEL,
    INIT_CONTAINER,
    match_labels,
    pod_labels,
    registry_secret_name,
    secret_name,
)
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.probes import probes
from core.cluster.rendering.security import container_security, pod_security
from core.cluster.rendering.volumes import mounts, pod_volumes
from core.manifest.service import InitContainer, Service

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
            "serviceAccountName": service.name if service.account_annotations else "default",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "shareProcessNamespace": service.init,
            "terminationGracePeriodSeconds": service.termination_grace,
            "securityContext": pod_security(service),
            "containers": [_container(service, given)],
            **_beside(service, given),
            **_placement(service),
            **({} if service.agent else {"topologySpreadConstraints": _spread(service, given)}),
            **_names(service),
        },
    }


def _beside(service: Service, given: RenderInput) -> Json:
    """Return what a pod has beside its one container, where a manifest asks for it."""
    beside: Json = {}
    if volumes := pod_volumes(service, given.release.id):
        beside["volumes"] = volumes
    if service.before is not None:
        beside["initContainers"] = [_init_container(service.before, service, given)]
    logins = [registry_secret_name(service.name, given.release.id)] if service.registries else []
    # Whichever registry its images are at now: with another build it pulls from another one.
    own = [APP_REGISTRIES] if given.login_hosts else []
    if secrets := [*service.pull_secrets, *logins, *own]:
        beside["imagePullSecrets"] = [{"name": name} for name in secrets]
    return beside


def _init_container(before: InitContainer, service: Service, given: RenderInput) -> Json:
    """Return what must end well first; it sees what the container sees, and that it is not the one."""
    container: Json = {
        "name": INIT_CONTAINER,
        "image": before.image or given.images[service.name],
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"secretRef": {"name": secret_name(service.name, given.release.id)}}],
        "env": [{"name": "INIT_CONTAINER", "value": "true"}],
        # A quota that wants limits wants them of every container; it costs nothing, since both never run at once.
        "resources": _resources(service),
        "securityContext": container_security(service),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if before.command:
        container["args"] = list(before.command)
    if mounted := mounts(before.volumes, before.configs):
        container["volumeMounts"] = mounted
    return container


def _spread(service: Service, given: RenderInput) -> list[Json]:
    """Return that the pods of one template should not lie together, in one zone or on one node: nobody waits for that."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": match_labels(given.rack, given.app, service)},
            # Old pods are just going: where they lie says nothing of where the new ones should.
            "matchLabelKeys": [HASH_LABEL],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


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
        # A node may have what a tag meant before it was built anew.
        "imagePullPolicy": "Always" if service.name in given.build.reused else "IfNotPresent",
        "envFrom": [{"secretRef": {"name": secret_name(service.name, given.release.id)}}],
        "env": [{"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}],
        "resources": _resources(service),
        "securityContext": container_security(service),
        # The last words of a container are then in the pod's status, even when its log is gone.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **probes(service),
    }
    if hooks := _hooks(service):
        container["lifecycle"] = hooks
    if service.command is not None:
        container["args"] = list(service.command)
    if mounted := mounts(service.volumes, service.configs):
        container["volumeMounts"] = mounted
    if ports := container_ports(service):
        container["ports"] = ports
    return container


def _hooks(service: Service) -> Json:
    commands = {"postStart": service.lifecycle.post_start, "preStop": service.lifecycle.pre_stop}
    return {name: {"exec": {"command": list(words)}} for name, words in commands.items() if words}


def container_ports(service: Service) -> list[Json]:
    """Return the ports of the container, the main one first; the further ones of an agent are those of its node too."""
    main = [{"name": "main", "containerPort": service.port.number, "protocol": "TCP"}] if service.port else []
    return main + [
        {"name": port_name(p.number, p.protocol), "containerPort": p.number, "protocol": p.protocol.upper()}
        | ({"hostPort": p.number} if service.agent else {})
        for p in service.ports
    ]


def port_name(number: int, protocol: str) -> str:
    """Return Convox's name of an extra port; UDP says so, since one number may serve both."""
    return f"port-{number}" if protocol == "tcp" else f"port-{number}-{protocol}"


def _resources(service: Service) -> Json:
    scale = service.scale
    amounts = (
        ("requests", scale.cpu, scale.memory),
        ("limits", scale.cpu_limit or 0, scale.memory_limit or scale.memory),
    )
    gpus = {f"{scale.gpu_vendor}/gpu": str(scale.gpus)} if scale.gpus else {}
    return {
        what: {
            **({"cpu": f"{cpu}m"} if cpu else {}),
            **({"memory": f"{memory}Mi"} if memory else {}),
            **gpus,
        }
        for what, cpu, memory in amounts
    }
