"""How Kubernetes asks a container for its health, and how long it gives a rollout."""

import math
from typing import Any

from core.lifecycle.patience import patience, readiness_failures
from core.manifest.service import Port, ProbeCheck, Service
from core.policy.rules import Rules

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
    health, port = service.health, service.health_port
    if port is None:
        return None
    by_grpc = port.scheme == "grpc"
    return {
        **({"grpc": {"port": port.number}} if by_grpc else {"httpGet": _http(health.path, port)}),
        "initialDelaySeconds": health.grace,
        "periodSeconds": health.interval,
        "timeoutSeconds": health.timeout,
        "successThreshold": 1,
        "failureThreshold": readiness_failures(service),
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
    port = check.port or port
    if check.grpc and port is not None:
        return {"grpc": {"port": port.number}, **timings}
    return None if port is None else {"httpGet": _http(check.path, port), **timings}


def _http(path: str, port: Port) -> Probe:
    return {"path": path, "port": port.number, "scheme": port.scheme.upper()}


def progress_deadline(service: Service, rules: Rules) -> int:
    """Return progressDeadlineSeconds: a hint beside the promotion's own timer, never shorter than a good start."""
    return max(math.ceil(rules.deadline), patience(service, rules))
