"""The Job controller: as many pods as are to run to their end, and a status that says how that went."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner, reference_to
from bot.playground.cluster.controllers.pods import delete_pod
from bot.playground.cluster.controllers.progress import condition
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.controllers.replicas import is_active
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import read_moment, whole_seconds
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
# A Job whose pods are refused tries again after ten seconds, and then less often.
RETRY_SECONDS = 10.0
INDEX = "batch.kubernetes.io/job-completion-index"


def ended(job: Document) -> str:
    """Return how a Job has ended, `Complete` or `Failed`; "" while it has not."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return next(
        (c["type"] for c in conditions if c["type"] in {"Complete", "Failed"} and c["status"] == "True"), ""
    )


class JobController(Controller):
    """Makes the pods of Jobs. It tries nothing again: what it plays are Jobs with a back-off limit of 0."""

    def __init__(self, api: Api, gate: asyncio.Event) -> None:
        super().__init__(api, gate)
        self._recorder = EventRecorder(api, "job-controller")

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("Job")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "jobs.batch":
            return [key_of(document)]
        reference = owner(document, "Job") if change.group_resource == "pods" else None
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        job = self.api.find("Job", *key)
        if job is None or "deletionTimestamp" in job["metadata"] or ended(job):
            return None
        pods = owned(self.api.all("Pod", key[0]), job["metadata"]["uid"])
        counts = {phase: sum(_phase(pod) == phase for pod in pods) for phase in ("Succeeded", "Failed")}
        wanted = int(job["spec"].get("completions") or 1)
        left = self._seconds_left(job)
        if left is not None and left <= 0:
            self._give_up(key, job, pods)
            return None
        complete = counts["Failed"] or self._make_pods(job, pods, wanted)
        self._write_status(key, job, counts, wanted)
        due = [each for each in (left, None if complete else RETRY_SECONDS) if each is not None]
        return min(due, default=None)

    def _seconds_left(self, job: Document) -> float | None:
        """Return for how long a Job may still run; None for one without a deadline, or that has not begun."""
        began, lasts = (job.get("status") or {}).get("startTime"), job["spec"].get("activeDeadlineSeconds")
        if not began or not lasts:
            return None
        return (read_moment(began) + timedelta(seconds=lasts) - self.api.clock.now()).total_seconds()

    def _give_up(self, key: Key, job: Document, pods: list[Document]) -> None:
        """End a Job whose time is over, and its pods with it."""
        now = self.api.clock.now()
        message = "Job was active longer than specified deadline"
        failed = condition("Failed", holds=True, reason="DeadlineExceeded", message=message, now=now)
        status = {"startTime": job["status"]["startTime"], "failed": len(pods), "conditions": [failed]}
        self.api.edit("Job", *key, lambda live: {**live, "status": status}, STATUS)
        for pod in pods:
            if is_active(pod):
                delete_pod(self.api, self._recorder, job, pod)

    def _make_pods(self, job: Document, pods: list[Document], wanted: int) -> bool:
        """Make those that are missing, and tell whether all were let in."""
        meta, template = job["metadata"], job["spec"]["template"]
        indexed = job["spec"].get("completionMode") == "Indexed"
        taken = {pod["metadata"].get("annotations", {}).get(INDEX) for pod in pods}
        parallel = int(job["spec"].get("parallelism") or 1)
        active = sum(is_active(pod) for pod in pods)
        for index in range(wanted):
            if active >= parallel or (str(index) in taken if indexed else len(pods) > index):
                continue
            notes = dict(template["metadata"].get("annotations") or {})
            pod = {
                "metadata": {
                    "generateName": f"{meta['name']}-{f'{index}-' if indexed else ''}",
                    "namespace": meta["namespace"],
                    "labels": {
                        **(template["metadata"].get("labels") or {}),
                        "batch.kubernetes.io/job-name": meta["name"],
                    },
                    "annotations": notes | ({INDEX: str(index)} if indexed else {}),
                    "ownerReferences": [reference_to(job)],
                },
                "spec": template["spec"],
            }
            try:
                self.api.create(
                    RequestTarget(resource=BY_KIND["Pod"], namespace=meta["namespace"]), pod, CONTROLLER
                )
            except ApiError as error:
                self._recorder.record(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
                return False
            active += 1
        return True

    def _write_status(self, key: Key, job: Document, counts: dict[str, int], wanted: int) -> None:
        now = self.api.clock.now()
        pods = owned(self.api.all("Pod", key[0]), job["metadata"]["uid"])
        status: Document = {
            "startTime": (job.get("status") or {}).get("startTime") or whole_seconds(now),
            "active": sum(is_active(pod) for pod in pods),
            "succeeded": counts["Succeeded"],
            "failed": counts["Failed"],
        }
        if counts["Failed"]:
            reason, message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
            status["conditions"] = [condition("Failed", holds=True, reason=reason, message=message, now=now)]
        elif counts["Succeeded"] >= wanted:
            done = condition("Complete", holds=True, reason="CompletionsReached", message="", now=now)
            status |= {"conditions": [done], "completionTime": whole_seconds(now)}
        status = {name: value for name, value in status.items() if value}
        self.api.edit("Job", *key, lambda live: {**live, "status": status}, STATUS)


def _phase(pod: Document) -> str:
    return str((pod.get("status") or {}).get("phase", ""))
