"""Which fields the common kinds have, for the strict decoding that names a misspelt one."""

from typing import Any

Document = dict[str, Any]
_META = (
    "name generateName namespace labels annotations uid resourceVersion generation creationTimestamp "
    "ownerReferences finalizers managedFields deletionTimestamp deletionGracePeriodSeconds selfLink"
)
_PROBE = (
    "httpGet tcpSocket exec grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold "
    "failureThreshold terminationGracePeriodSeconds"
)
_POD = (
    "containers initContainers ephemeralContainers volumes restartPolicy terminationGracePeriodSeconds "
    "activeDeadlineSeconds dnsPolicy dnsConfig nodeSelector serviceAccountName serviceAccount nodeName "
    "automountServiceAccountToken hostNetwork hostPID hostIPC hostUsers shareProcessNamespace securityContext "
    "imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName "
    "priority preemptionPolicy readinessGates runtimeClassName enableServiceLinks overhead os "
    "topologySpreadConstraints setHostnameAsFQDN schedulingGates resourceClaims resources"
)
_CONTAINER = (
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy volumeMounts "
    "volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath "
    "terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty"
)
# By place: the fields there. A place that is not named here is not looked into.
_FIELDS: dict[str, dict[str, str]] = {
    "Deployment": {
        "": "apiVersion kind metadata spec status",
        "metadata": _META,
        "spec": (
            "replicas selector template strategy minReadySeconds revisionHistoryLimit paused "
            "progressDeadlineSeconds"
        ),
        "spec.strategy": "type rollingUpdate",
        "spec.strategy.rollingUpdate": "maxUnavailable maxSurge",
        "spec.template": "metadata spec",
        "spec.template.metadata": _META,
        "spec.template.spec": _POD,
        "spec.template.spec.containers": _CONTAINER,
        "spec.template.spec.containers.readinessProbe": _PROBE,
        "spec.template.spec.containers.livenessProbe": _PROBE,
        "spec.template.spec.containers.startupProbe": _PROBE,
    },
    "HorizontalPodAutoscaler": {
        "": "apiVersion kind metadata spec status",
        "metadata": _META,
        "spec": "scaleTargetRef minReplicas maxReplicas metrics behavior",
        "spec.scaleTargetRef": "apiVersion kind name",
        "spec.metrics": "type resource containerResource pods object external",
        "spec.metrics.resource": "name target",
        "spec.metrics.resource.target": "type value averageValue averageUtilization",
    },
    "CronJob": {
        "": "apiVersion kind metadata spec status",
        "metadata": _META,
        "spec": (
            "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate"
            " successfulJobsHistoryLimit failedJobsHistoryLimit"
        ),
        "spec.jobTemplate": "metadata spec",
        "spec.jobTemplate.spec": (
            "parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit"
            " backoffLimitPerIndex maxFailedIndexes selector manualSelector template ttlSecondsAfterFinished"
            " completionMode suspend podReplacementPolicy managedBy"
        ),
        "spec.jobTemplate.spec.template": "metadata spec",
        "spec.jobTemplate.spec.template.metadata": _META,
        "spec.jobTemplate.spec.template.spec": _POD,
        "spec.jobTemplate.spec.template.spec.containers": _CONTAINER,
    },
    "Secret": {"": "apiVersion kind metadata data stringData immutable type", "metadata": _META},
    "ConfigMap": {"": "apiVersion kind metadata data binaryData immutable", "metadata": _META},
    "PodDisruptionBudget": {
        "": "apiVersion kind metadata spec status",
        "metadata": _META,
        "spec": "minAvailable maxUnavailable selector unhealthyPodEvictionPolicy",
    },
}


def unknown_fields(document: Document) -> list[str]:
    """Return the paths of fields that the object's kind does not have, in their order."""
    places = _FIELDS.get(document.get("kind", ""), {})
    return _unknown(document, "", "", places)


def _unknown(value: Any, place: str, shown: str, places: dict[str, str]) -> list[str]:
    if isinstance(value, list):
        return [
            field
            for number, item in enumerate(value)
            for field in _unknown(item, place, f"{shown}[{number}]", places)
        ]
    if place not in places or not isinstance(value, dict):
        return []
    known = set(places[place].split())
    found: list[str] = []
    for key, inner in value.items():
        here = f"{shown}.{key}" if shown else key
        if key not in known:
            found.append(here)
        else:
            found += _unknown(inner, f"{place}.{key}" if place else key, here, places)
    return found
