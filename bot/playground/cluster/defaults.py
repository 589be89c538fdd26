"""What an API server fills in where an object leaves something out."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from bot.playground.cluster.writes import copied

Document = dict[str, Any]
# A real server takes one that is free, of 30000 to 32767; nobody listens on any here.
FIRST_NODE_PORT = 30000


def with_defaults(document: Document) -> Document:
    """Return a copy of an object in which everything the server would fill in is filled in."""
    filled = copied(document)
    kind = str(filled.get("kind", ""))
    if kind in OF_SPEC:
        OF_SPEC[kind](filled.setdefault("spec", {}))
    match kind:
        case "PersistentVolumeClaim":
            filled.setdefault("status", {"phase": "Pending"})
        case "Secret":
            _secret(filled)
        case "Namespace":
            filled.setdefault("status", {"phase": "Active"})
            labels = filled["metadata"].setdefault("labels", {})
            labels["kubernetes.io/metadata.name"] = filled["metadata"]["name"]
        case _:
            pass
    return filled


def _deployment(spec: Document) -> None:
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.get("rollingUpdate") or {}
        strategy["rollingUpdate"] = {"maxUnavailable": "25%", "maxSurge": "25%"} | rolling
    _template(spec.get("template"))


def _stateful_set(spec: Document) -> None:
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {"partition": 0} | (strategy.get("rollingUpdate") or {})
    _template(spec.get("template"))


def _daemon_set(spec: Document) -> None:
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.get("rollingUpdate") or {}
        strategy["rollingUpdate"] = {"maxUnavailable": 1, "maxSurge": 0} | rolling
    _template(spec.get("template"))


def _cron_job(spec: Document) -> None:
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    _job(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _job(spec: Document) -> None:
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    spec.setdefault("completionMode", "NonIndexed")
    _template(spec.get("template"))


def _template(template: Document | None) -> None:
    if template is None:
        return
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))


def _pod_spec(spec: Document) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    # The old name is an alias that nobody owns: an apply that leaves the new one out gets it back from here.
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        _container(container)


def _container(container: Document) -> None:
    tag = container.get("image", "").rpartition("/")[2]
    floating = "@" not in tag and (":" not in tag or tag.endswith(":latest"))
    container.setdefault("imagePullPolicy", "Always" if floating else "IfNotPresent")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _probe(container[name])
    for variable in container.get("env") or []:
        source = variable.get("valueFrom") or {}
        if "fieldRef" in source:
            source["fieldRef"].setdefault("apiVersion", "v1")


def _probe(probe: Document) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "httpGet" in probe:
        probe["httpGet"].setdefault("scheme", "HTTP")
        probe["httpGet"].setdefault("path", "/")


def _service(spec: Document) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("externalTrafficPolicy", "Cluster")
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    for number, port in enumerate(spec.get("ports") or []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
        if spec["type"] == "LoadBalancer":
            port.setdefault("nodePort", FIRST_NODE_PORT + number)


def _secret(secret: Document) -> None:
    secret.setdefault("type", "Opaque")
    plain = secret.pop("stringData", None)
    if plain:
        data = secret.setdefault("data", {})
        for key, value in plain.items():
            data[key] = b64encode(value.encode()).decode()


def _replica_set(spec: Document) -> None:
    spec.setdefault("replicas", 1)
    _template(spec.get("template"))


def _pod(spec: Document) -> None:
    _pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])


def _claim(spec: Document) -> None:
    spec.setdefault("storageClassName", "standard")
    spec.setdefault("volumeMode", "Filesystem")


def _autoscaler(spec: Document) -> None:
    spec.setdefault("minReplicas", 1)


def _namespace(spec: Document) -> None:
    spec.setdefault("finalizers", ["kubernetes"])


# By kind: what is filled into its spec.
OF_SPEC: dict[str, Callable[[Document], None]] = {
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
