"""The CronJob controller: a Job whenever a schedule is due, as far as what runs already allows it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.playground.cluster.api import CONTROLLER
from bot.playground.cluster.controllers.controller import Controller, Key, key_of, owned, owner, reference_to
from bot.playground.cluster.controllers.job import ended
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.schedules import next_time
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import read_moment, whole_seconds
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
BACKGROUND = {"propagationPolicy": "Background"}


class CronJobController(Controller):
    """Makes Jobs, counts them, and removes those that are older than the history."""

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("CronJob")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        document = change.after or change.before
        assert document is not None
        if change.group_resource == "cronjobs.batch":
            return [key_of(document)]
        reference = owner(document, "CronJob") if change.group_resource == "jobs.batch" else None
        return [(document["metadata"]["namespace"], reference["name"])] if reference else []

    async def reconcile(self, key: Key) -> float | None:
        cron = self.api.find("CronJob", *key)
        if cron is None or "deletionTimestamp" in cron["metadata"]:
            return None
        now = self.api.clock.now()
        jobs = owned(self.api.all("Job", key[0]), cron["metadata"]["uid"])
        self._clean_up(cron, jobs)
        status = dict(cron.get("status") or {})
        last = status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]
        due = next_time(cron["spec"]["schedule"], read_moment(last))
        if not cron["spec"].get("suspend") and due is not None and due <= now:
            made = await self._start(cron, [job for job in jobs if not ended(job)], due)
            jobs += [made] if made else []
            status["lastScheduleTime"] = whole_seconds(due)
        running = [job for job in jobs if not ended(job)]
        status["active"] = [_reference(job) for job in running]
        if not running:
            del status["active"]
        self.api.edit("CronJob", *key, lambda live: {**live, "status": status}, STATUS)
        after = next_time(cron["spec"]["schedule"], now)
        return None if after is None else max(0.0, (after - self.api.clock.now()).total_seconds())

    async def _start(self, cron: Document, running: list[Document], due: datetime) -> Document | None:
        policy = cron["spec"].get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            return None
        for job in running if policy == "Replace" else []:
            self.api.delete(BY_KIND["Job"], *key_of(job), BACKGROUND)
        meta, template = cron["metadata"], cron["spec"]["jobTemplate"]
        job = {
            "metadata": {
                **(template.get("metadata") or {}),
                # By the minute, so that one minute makes one.
                "name": f"{meta['name']}-{int(due.timestamp()) // 60}",
                "namespace": meta["namespace"],
                "ownerReferences": [reference_to(cron)],
            },
            "spec": template["spec"],
        }
        target = RequestTarget(resource=BY_KIND["Job"], namespace=meta["namespace"])
        try:
            return self.api.create(target, job, CONTROLLER)
        except ApiError:
            return None

    def _clean_up(self, cron: Document, jobs: list[Document]) -> None:
        over = sorted((job for job in jobs if ended(job)), key=lambda job: job["metadata"]["name"])
        for how, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            kept = int(cron["spec"].get(limit, 1))
            those = [job for job in over if ended(job) == how]
            for job in those[: max(0, len(those) - kept)]:
                self.api.delete(BY_KIND["Job"], *key_of(job), BACKGROUND)


def _reference(job: Document) -> Document:
    meta = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
    }
