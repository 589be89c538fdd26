"""How Kubernetes asks a container for its health, and how long its answer must stay good before it is believed."""

import math
from typing import Any

from core.manifest.service import Port, ProbeCheck, Service
from core.policy.policy import Rules

# Seconds a new pod must be ready before it counts. Without a probe "ready" only means that its process was
# started, and real ones were seen to break 4 to 16 s later; the settle window goes on watching after these.
MIN_READY_PROBED, MIN_READY_BLIND = 5, 15
# Engine rule 33: the shortest settle window, and what is allowed for the kubelet to act on a failed check.
SETTLE_LEAST, SETTLE_SLACK = 20.0, 10.0
# Engine rule 22: a pod must be able to start at all before Kubernetes calls a rollout stuck.
DEADLINE_SLACK = 60

Probe = dict[str, Any]


def probes(service: Service) -> dict[str, Probe]:
    """Return the container's probes by their field; Convox's, but that none is made which could not be asked."""
    found = {"readinessProbe": _readiness(service)}
    if service.liveness is not None:
        found["livenessProbe"] = _check(service.liveness, service.port)
    if service.startup is not None:
        found["startupProbe"] = _check(service.startup, service.port)
    return {name: probe for name, probe in found.items() if probe is not None}


def _readiness(service: Service) -> Probe | None:
    health, port = service.health, service.health.port or service.port
    if port is None or health.disable or port.scheme == "grpc":
        return None
    return {
        "httpGet": _http(health.path, port),
        "initialDelaySeconds": health.grace,
        "periodSeconds": health.interval,
        "timeoutSeconds": health.timeout,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def _check(check: ProbeCheck, port: Port | None) -> Probe | None:
    timings = {
        "initialDelaySeconds": check.grace,
        "periodSeconds": check.interval,
        "timeoutSeconds": check.timeout,
        "successThreshold": check.successes,
        "failureThreshold": check.failures,
    }
    if check.tcp_port is not None:
        return {"tcpSocket": {"port": check.tcp_port}, **timings}
    return None if port is None else {"httpGet": _http(check.path, port), **timings}


def _http(path: str, port: Port) -> Probe:
    return {"path": path, "port": port.number, "scheme": port.scheme.upper()}


def min_ready(service: Service, rules: Rules) -> int:
    """Return minReadySeconds: the policy's, else 5 with a readiness probe and 15 without."""
    if rules.min_ready is not None:
        return math.ceil(rules.min_ready)
    return MIN_READY_BLIND if _readiness(service) is None else MIN_READY_PROBED


def progress_deadline(service: Service, rules: Rules) -> int:
    """Return progressDeadlineSeconds: a hint beside the promotion's own timer, never shorter than a good start."""
    return max(math.ceil(rules.deadline), min_ready(service, rules) + DEADLINE_SLACK)


def settle(service: Service, rules: Rules) -> float:
    """Return the seconds a service must stay healthy: long enough for a bad liveness check to show (rule 33)."""
    if rules.settle is not None:
        return rules.settle
    check = service.liveness
    if check is None:
        return SETTLE_LEAST
    return max(SETTLE_LEAST, check.grace + check.interval * check.failures + check.timeout + SETTLE_SLACK)
