"""How long a service may take to start and must last before it is believed: what its manifest and its policy say together."""

import math
from collections.abc import Iterable

from core.errors import Invalid
from core.manifest.service import ProbeCheck, Service
from core.policy.rules import Rules

# Seconds a new pod must be ready before it counts. Without a probe "ready" only means that its process was
# started, and real ones were seen to break 4 to 16 s later; the settle window goes on watching after these.
MIN_READY_PROBED, MIN_READY_BLIND = 5, 15
# Engine rule 55: how long the first pods run, how long each stays ready, and what is allowed for the kubelet to act on a
# failed check.
SOAK_LEAST, SETTLE_LEAST, KUBELET_MARGIN = 20.0, 10.0, 10.0
# Engine rule 52: beside the start itself, for scheduling, the pull and the controllers.
BESIDE_THE_START = 60
# A database makes its files, or reads through them after a crash, before it listens.
RESOURCE_PATIENCE = 300
# Failed readiness checks in a row that make a pod unready, by HTTP and by gRPC's health protocol; Convox's.
READINESS_FAILURES, GRPC_READINESS_FAILURES = 3, 5
HINT = "give the checks in convox.yml shorter times, or let an administrator raise longest in the policy file"


def start_allowed(service: Service) -> int:
    """Return the seconds in which every check of a service lets a container start."""
    health = service.health
    asked = health.grace + health.interval * readiness_failures(service) + health.timeout
    return max(
        asked if service.health_port else 0,
        *(_allowed(check) for check in (service.liveness, service.startup) if check is not None),
        0,
    )


def readiness_failures(service: Service) -> int:
    """Return how many readiness checks may fail in a row."""
    port = service.health_port
    return GRPC_READINESS_FAILURES if port and port.scheme == "grpc" else READINESS_FAILURES


def _allowed(check: ProbeCheck) -> int:
    return check.grace + check.interval * check.failures + check.timeout


def min_ready(service: Service, rules: Rules) -> int:
    """Return minReadySeconds: the policy's, else 5 with a readiness probe and 15 without."""
    if rules.min_ready is not None:
        return math.ceil(rules.min_ready)
    return MIN_READY_PROBED if service.health_port else MIN_READY_BLIND


def patience(service: Service, rules: Rules) -> int:
    """Return the seconds without progress that a good start may take; where the old pods go first, they have theirs to stop."""
    stopping = service.termination_grace if service.recreates else 0
    return start_allowed(service) + min_ready(service, rules) + BESIDE_THE_START + stopping


def settle(service: Service, rules: Rules) -> float:
    """Return the seconds that every new pod must stay ready: traffic breaks what checks do not."""
    if rules.settle is not None:
        return rules.settle
    least = max(SETTLE_LEAST, float(min_ready(service, rules)))
    if service.liveness is None or service.startup is None:
        return least
    # No liveness check is made until the startup check has passed, which is when a pod becomes ready at the earliest.
    check = service.liveness
    return max(least, check.interval * check.failures + check.timeout + KUBELET_MARGIN)


def soak(service: Service, rules: Rules) -> float:
    """Return the seconds that the first pods must run: long enough for a bad liveness check to show.

    None where the policy names a settle window, which is counted from when the last pod became ready.
    """
    if rules.settle is not None:
        return 0.0
    return max(SOAK_LEAST, _allowed(service.liveness) + KUBELET_MARGIN if service.liveness else 0.0)


def check_times(services: Iterable[Service], rules: Rules) -> None:
    """Raise Invalid where no rollout of a service could ever end well, with the numbers (engine rule 52)."""
    if never := [sentence for service in services if (sentence := _why_never(service, rules))]:
        raise Invalid("\n".join(never), hint=HINT)


def _why_never(service: Service, rules: Rules) -> str:
    start = start_allowed(service)
    window = max(settle(service, rules), soak(service, rules), float(min_ready(service, rules)))
    if start + window < rules.longest:
        return ""
    return (
        f"service {service.name}: its checks allow a start of {start} s and its pods are then watched for {window:g} s,"
        f" but a rollout may take {rules.longest:g} s in all"
    )
