"""Deleting: at once, after a grace period, or when the last finalizer is gone."""

from datetime import timedelta
from typing import Any

from bot.playground.cluster.admission import ENDED
from bot.playground.cluster.moments import whole_seconds
from bot.playground.cluster.pipeline import Pipeline
from bot.playground.cluster.resources import BY_KEY, Resource

Document = dict[str, Any]
_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


    # -- deleting ------------------------------------------------------------------------------------------

    def delete(
        self, resource: Resource, namespace: str, name: str, options: Document | None = None
    ) -> tuple[Document, bool]:
        """Delete an object, or mark it if something must happen before it can go.

        Args:
            resource: its kind.
            namespace: where it lives.
            name: its name.
            options: a `DeleteOptions` document.

        Returns:
            The object as it was last, and whether it is gone.

        Raises:
            ApiError: 404 without it, 409 if a precondition fails.
        """
        options = options or {}
        before = self.get(resource, namespace, name)
        conditions = options.get("preconditions") or {}
        self._check(resource, {"metadata": {"name": name, **conditions}}, before)
        if "All" in (options.get("dryRun") or []):
            return before, True
        grace = self._grace(resource, before, options)
        finalizers = list(before["metadata"].get("finalizers") or [])
        policy = options.get("propagationPolicy")
        special = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(policy or "")
        if special and special not in finalizers:
            finalizers.append(special)
        if resource.kind == "Namespace":
            finalizers.append("kubernetes")
        if grace == 0 and not finalizers:
            return self.storage.remove(resource.key, namespace, name), True
        meta = dict(before["metadata"])
        if finalizers:
            meta["finalizers"] = list(dict.fromkeys(finalizers))
        if "deletionTimestamp" not in meta or grace < meta.get("deletionGracePeriodSeconds", 0):
            ends = self.clock.now() + timedelta(seconds=grace)
            meta |= {"deletionTimestamp": whole_seconds(ends), "deletionGracePeriodSeconds": grace}
            if "generation" in meta:
                meta["generation"] += 1
        document = {**before, "metadata": meta}
        if resource.kind == "Namespace":
            document["status"] = {"phase": "Terminating"}
        return (self.storage.put(resource.key, document) if document != before else before), False

    def _grace(self, resource: Resource, before: Document, options: Document) -> int:
        if resource.kind != "Pod":
            return 0
        if not before["spec"].get("nodeName") or before.get("status", {}).get("phase") in admission.ENDED:
            return 0
        asked = options.get("gracePeriodSeconds")
        return int(before["spec"].get("terminationGracePeriodSeconds", 30) if asked is None else asked)

    def release(self, drawer: str, namespace: str, name: str, finalizer: str) -> None:
        """Take a finalizer off an object; it goes if that was the last thing that held it."""
        before = self.storage.get(drawer, namespace, name)
        if before is None:
            return
        left = [each for each in before["metadata"].get("finalizers") or [] if each != finalizer]
        meta = {key: value for key, value in before["metadata"].items() if key != "finalizers"}
        document = {**before, "metadata": {**meta, "finalizers": left} if left else meta}
        grace = meta.get("deletionGracePeriodSeconds", 0)
        if meta.get("deletionTimestamp") and not left and (BY_KEY[drawer].kind != "Pod" or not grace):
            self.storage.remove(drawer, namespace, name)
        else:
            self.storage.put(drawer, document)
