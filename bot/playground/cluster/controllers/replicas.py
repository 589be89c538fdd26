"""What a ReplicaSet's controller decides: which pods count, which go first, what the status says."""

from datetime import datetime, timedelta
from typing import Any

from bot.playground.cluster.timestamps import read_moment

Document = dict[str, Any]
TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})


def is_active(pod: Document) -> bool:
    """Say whether a pod counts: not ended, not being deleted."""
    return (
        pod.get("status", {}).get("phase") not in TERMINAL_PHASES
        and "deletionTimestamp" not in pod["metadata"]
    )


def is_terminating(pod: Document) -> bool:
    """Say whether a pod is being deleted and has not ended yet."""
    return (
        pod.get("status", {}).get("phase") not in TERMINAL_PHASES and "deletionTimestamp" in pod["metadata"]
    )


def ready_since(pod: Document) -> datetime | None:
    """Return since when a pod is ready, `None` if it is not."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            return read_moment(condition["lastTransitionTime"])
    return None


def available_in(pod: Document, min_ready: int, now: datetime) -> float | None:
    """Return in how many seconds a ready pod counts as available (0: it does), `None` if it is not ready."""
    since = ready_since(pod)
    if since is None:
        return None
    if not min_ready:
        return 0.0
    return max(0.0, (since + timedelta(seconds=min_ready) - now).total_seconds())


def first_to_go(pod: Document) -> tuple[Any, ...]:
    """Return the order in which pods are deleted: unbound, pending, not ready, restarted, young ones first."""
    status = pod.get("status", {})
    since = ready_since(pod)
    restarts = max((each["restartCount"] for each in status.get("containerStatuses") or []), default=0)
    created = read_moment(pod["metadata"]["creationTimestamp"])
    return (
        bool(pod["spec"].get("nodeName")),
        {"Pending": 0, "Unknown": 1}.get(status.get("phase", "Pending"), 2),
        since is not None,
        -since.timestamp() if since is not None else 0.0,
        -restarts,
        -created.timestamp(),
        pod["metadata"]["name"],
    )


def status_of(
    replica_set: Document, pods: list[Document], now: datetime, failure: Document | None
) -> Document:
    """Return the status of a ReplicaSet.

    Args:
        replica_set: the object.
        pods: all pods it owns.
        now: the moment.
        failure: its ReplicaFailure condition, if creating pods fails.
    """
    active = [pod for pod in pods if is_active(pod)]
    min_ready = int(replica_set["spec"].get("minReadySeconds", 0))
    waits = [available_in(pod, min_ready, now) for pod in active]
    counts = {
        "fullyLabeledReplicas": len(active),
        "readyReplicas": sum(wait is not None for wait in waits),
        "availableReplicas": sum(wait == 0.0 for wait in waits),
    }
    status: Document = {
        "replicas": len(active),
        "terminatingReplicas": sum(is_terminating(pod) for pod in pods),
        "observedGeneration": replica_set["metadata"]["generation"],
        **{name: count for name, count in counts.items() if count},
    }
    if failure is not None:
        status["conditions"] = [failure]
    return status
