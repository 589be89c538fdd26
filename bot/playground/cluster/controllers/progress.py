"""What a Deployment's controller says about a rollout: counters and conditions, as functions of values."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.playground.cluster.controllers.rolling import rollout_bounds
from bot.playground.cluster.timestamps import read_moment, whole_seconds

Document = dict[str, Any]
COMPLETE = "NewReplicaSetAvailable"
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


def condition(kind: str, *, holds: bool, reason: str, message: str, now: datetime) -> Document:
    """Return a condition that is new at that moment."""
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "lastUpdateTime": whole_seconds(now),
        "lastTransitionTime": whole_seconds(now),
        "reason": reason,
        "message": message,
    }


def find_condition(status: Document, kind: str) -> Document | None:
    """Return a condition of a status by its type."""
    return next((each for each in status.get("conditions") or [] if each["type"] == kind), None)


def put_condition(status: Document, new: Document) -> Document:
    """Return the status with a condition; one with the same status and reason stays as it is, stamps and all.

    That is why a deadline can be inherited: a second new replica set does not restart its clock.
    """
    old = find_condition(status, new["type"])
    if old and (old["status"], old["reason"]) == (new["status"], new["reason"]):
        return status
    if old and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    others = [each for each in status.get("conditions") or [] if each["type"] != new["type"]]
    return {**status, "conditions": [*others, new]}


def drop_condition(status: Document, kind: str) -> Document:
    """Return the status without a condition."""
    if "conditions" not in status:
        return status
    return {**status, "conditions": [each for each in status["conditions"] if each["type"] != kind]}


def counters(
    deployment: Document, new: Document | None, everyone: Sequence[Document], now: datetime
) -> Document:
    """Return the status by the replica sets' own counts, with the conditions so far and Available."""

    def total(field: str) -> int:
        return sum(int(each.get("status", {}).get(field, 0)) for each in everyone)

    available = total("availableReplicas")
    planned = sum(int(each["spec"].get("replicas", 0)) for each in everyone)
    counts = {
        "replicas": total("replicas"),
        "updatedReplicas": int((new or {}).get("status", {}).get("replicas", 0)),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, planned - available),
    }
    status: Document = {
        "observedGeneration": deployment["metadata"]["generation"],
        "terminatingReplicas": total("terminatingReplicas"),
        **{name: count for name, count in counts.items() if count},
    }
    conditions = deployment.get("status", {}).get("conditions")
    if conditions:
        status["conditions"] = list(conditions)
    enough = available >= rollout_bounds(deployment["spec"]).min_available
    return put_condition(
        status,
        condition(
            "Available",
            holds=enough,
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
            now=now,
        ),
    )


def with_pause(deployment: Document, status: Document, now: datetime) -> Document:
    """Return the status with what is to be said when a rollout is paused or resumed."""
    current = find_condition(status, "Progressing")
    overdue = current is not None and current["reason"] == DEADLINE_EXCEEDED
    was = current is not None and current["reason"] == "DeploymentPaused"
    paused = bool(deployment["spec"].get("paused"))
    if paused == was or overdue:
        return status
    word = "paused" if paused else "resumed"
    said = condition(
        "Progressing",
        holds=True,
        reason=f"Deployment{word.title()}",
        message=f"Deployment is {word}",
        now=now,
    )
    return put_condition(status, {**said, "status": "Unknown"})


def is_complete(deployment: Document, status: Document) -> bool:
    """Say whether every wanted pod is new and available and no other is left."""
    wanted = deployment["spec"]["replicas"]
    counts = [int(status.get(name, 0)) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return all(count == wanted for count in counts) and bool(seen)


def has_progressed(before: Document, after: Document) -> bool:
    """Say whether anything moved in the right direction."""

    def count(status: Document, name: str) -> int:
        return int(status.get(name, 0))

    def old_pods(status: Document) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    return (
        count(after, "updatedReplicas") > count(before, "updatedReplicas")
        or old_pods(after) < old_pods(before)
        or count(after, "readyReplicas") > count(before, "readyReplicas")
        or count(after, "availableReplicas") > count(before, "availableReplicas")
    )


def overdue_in(deployment: Document, status: Document, now: datetime) -> float | None:
    """Return in how many seconds the progress deadline passes (0: it has), `None` if it is not running.

    It counts from the last update of the condition, whose stamp has whole seconds; once passed it stays passed
    until progress is seen.
    """
    current = find_condition(status, "Progressing")
    if current is None or current["reason"] == COMPLETE:
        return None
    if current["reason"] == DEADLINE_EXCEEDED:
        return 0.0
    deadline = timedelta(seconds=int(deployment["spec"]["progressDeadlineSeconds"]))
    return max(0.0, (read_moment(current["lastUpdateTime"]) + deadline - now).total_seconds())


def with_progress(deployment: Document, new: Document | None, status: Document, now: datetime) -> Document:
    """Return the status with what is to be said about progress."""
    current = find_condition(status, "Progressing")
    done = int(status.get("replicas", 0)) == int(status.get("updatedReplicas", 0))
    if done and current is not None and current["reason"] == COMPLETE:
        return status
    kind, name = ("ReplicaSet", new["metadata"]["name"]) if new else ("Deployment", _name(deployment))
    if is_complete(deployment, status):
        message = f'{kind} "{name}" has successfully progressed.'
        return put_condition(
            status, condition("Progressing", holds=True, reason=COMPLETE, message=message, now=now)
        )
    if has_progressed(deployment.get("status", {}), status):
        message = f'{kind} "{name}" is progressing.'
        said = condition("Progressing", holds=True, reason="ReplicaSetUpdated", message=message, now=now)
        if current is not None and current["status"] == "True":
            said["lastTransitionTime"] = current["lastTransitionTime"]
        return put_condition(drop_condition(status, "Progressing"), said)
    if overdue_in(deployment, status, now) == 0.0:
        message = f'{kind} "{name}" has timed out progressing.'
        return put_condition(
            status, condition("Progressing", holds=False, reason=DEADLINE_EXCEEDED, message=message, now=now)
        )
    return status


def with_failure(status: Document, new: Document | None, everyone: Sequence[Document]) -> Document:
    """Return the status with the replica sets' failure to create pods, or without it."""
    candidates = [new] if new is not None else list(everyone)
    for each in candidates:
        failure = find_condition(each.get("status", {}), "ReplicaFailure")
        if failure is not None:
            since = failure["lastTransitionTime"]
            return put_condition(status, {**failure, "lastUpdateTime": since})
    return drop_condition(status, "ReplicaFailure")


def _name(deployment: Document) -> str:
    name: str = deployment["metadata"]["name"]
    return name
