"""Deleting: at once, after a grace period, or when the last finalizer is gone."""

from datetime import timedelta
from typing import Any

from bot.playground.cluster.admission import TERMINAL_PHASES
from bot.playground.cluster.pipeline import Pipeline
from bot.playground.cluster.resources import BY_KEY, ApiResource
from bot.playground.cluster.timestamps import whole_seconds

Document = dict[str, Any]
_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


def delete(
    pipeline: Pipeline, resource: ApiResource, before: Document, options: Document
) -> tuple[Document, bool]:
    """Delete an object, or mark it if something must happen before it can go.

    Args:
        pipeline: where it is stored.
        resource: its kind.
        before: the object.
        options: a `DeleteOptions` document.

    Returns:
        The object as it was last, and whether it is gone.

    Raises:
        ApiError: 409, if a precondition fails.
    """
    meta = dict(before["metadata"])
    conditions = options.get("preconditions") or {}
    pipeline.check(resource, {"metadata": {"name": meta["name"], **conditions}}, before)
    if "All" in (options.get("dryRun") or []):
        return before, True
    grace = _grace(resource, before, options)
    finalizers = _finalizers(resource, before, options)
    if grace == 0 and not finalizers:
        return pipeline.storage.remove(resource.key, meta.get("namespace", ""), meta["name"]), True
    if finalizers:
        meta["finalizers"] = finalizers
    if "deletionTimestamp" not in meta or grace < meta.get("deletionGracePeriodSeconds", 0):
        # For a pod it lies in the future: it says when patience ends.
        ends = pipeline.clock.now() + timedelta(seconds=grace)
        meta |= {"deletionTimestamp": whole_seconds(ends), "deletionGracePeriodSeconds": grace}
        if "generation" in meta:
            meta["generation"] += 1
    document = {**before, "metadata": meta}
    if resource.kind == "Namespace":
        document["status"] = {"phase": "Terminating"}
    return (pipeline.storage.put(resource.key, document) if document != before else before), False


def remove_finalizer(pipeline: Pipeline, group_resource: str, before: Document, finalizer: str) -> None:
    """Take a finalizer off an object; it goes if that was the last thing that held it."""
    meta = {key: value for key, value in before["metadata"].items() if key != "finalizers"}
    left = [each for each in before["metadata"].get("finalizers") or [] if each != finalizer]
    if left:
        meta["finalizers"] = left
    waits = BY_KEY[group_resource].kind == "Pod" and meta.get("deletionGracePeriodSeconds", 0)
    if meta.get("deletionTimestamp") and not left and not waits:
        pipeline.storage.remove(group_resource, meta.get("namespace", ""), meta["name"])
    else:
        pipeline.storage.put(group_resource, {**before, "metadata": meta})


def _grace(resource: ApiResource, before: Document, options: Document) -> int:
    if resource.kind != "Pod":
        return 0
    if not before["spec"].get("nodeName") or before.get("status", {}).get("phase") in TERMINAL_PHASES:
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(before["spec"].get("terminationGracePeriodSeconds", 30) if asked is None else asked)


def _finalizers(resource: ApiResource, before: Document, options: Document) -> list[str]:
    held = list(before["metadata"].get("finalizers") or [])
    special = _FINALIZERS.get(options.get("propagationPolicy") or "")
    if special:
        held.append(special)
    if resource.kind == "Namespace":
        held.append("kubernetes")
    return list(dict.fromkeys(held))
