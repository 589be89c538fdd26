"""Writes of promotions and everything that belongs to one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from core.actor import JwtId
from core.errors import Conflict, Taken
from core.promotion import Phase, Promotion
from core.records.approval import Approval
from core.records.bundle import Ref
from core.records.intent import Intent
from core.records.line import Line
from core.records.milestone import BOUNDS, Milestone
from core.records.pod_sample import PodSample
from core.records.progress import Progress
from core.records.scale_job import ScaleJob
from core.records.step import PruneJob, Step
from core.records.workload_count import WorkloadCount
from storage.aggregate import AggregateWriter
from storage.codec import timestamp
from storage.promotions.rows import (
    approval_row,
    intent_row,
    line_row,
    progress_blob,
    promotion_row,
    prune_job_row,
    sample_row,
    scale_job_row,
    step_row,
    workload_count_row,
)

# Far above what a rollout of hours comes to (`core/rollout/sampling.py`); a promotion taken up a thousand times meets it.
MOST_SAMPLES = 1000


class PromotionWriter(AggregateWriter):
    """Of `core.ports.store.Transaction`; see there for what each method promises."""

    async def use_jwt_id(self, app: str, jwt_id: JwtId) -> bool:
        await self._session.run("forget_jwt_ids", {"now": timestamp(self.now)})
        row = {"digest": jwt_id.digest, "app": app, "expires_at": timestamp(jwt_id.expires_at)}
        return bool(await self._session.run("use_jwt_id", row))

    async def add_promotion(self, promotion: Promotion) -> None:
        """Raise Taken where the id is, Conflict where the app has a promotion in flight."""
        if not await self._write_promotion("add_promotion", promotion):
            raise Taken(f"{promotion.id} is taken")

    async def save_promotion(self, promotion: Promotion, *, was: Phase) -> None:
        if not await self._write_promotion("save_promotion", promotion, was=was.value):
            raise Conflict(f"{promotion.id} is no longer {was}")

    async def _write_promotion(self, statement: str, promotion: Promotion, **more: str) -> int:
        row = promotion_row(promotion, self._vault) | more
        busy = Conflict(f"{promotion.app} is currently updating")
        return await self._run_unless(statement, row, "another_in_flight", busy)

    async def save_progress(
        self, promotion_id: str, progress: Progress, *, was: Phase, revision: int
    ) -> None:
        blob = progress_blob(progress, self._vault)
        await self._session.run(
            "save_progress", {"id": promotion_id, "progress": blob, "was": was.value, "revision": revision}
        )

    async def add_milestones(self, reached: Mapping[Milestone, float]) -> None:
        rows = [
            {
                "milestone": each.value,
                "bound": next((b for b in BOUNDS if seconds <= b), inf),
                "seconds": seconds,
            }
            for each, seconds in reached.items()
        ]
        if rows:
            await self._session.many("add_rollout_time", rows)

    async def save_intent(self, promotion_id: str, intent: Intent) -> None:
        if not await self._session.run("add_intent", intent_row(promotion_id, intent, self._vault)):
            raise Conflict(f"{promotion_id} has its intent already")

    async def save_step(self, step: Step) -> None:
        await self._session.run("save_step", step_row(step))

    async def save_workload_count(self, counted: WorkloadCount) -> None:
        await self._session.run("save_workload_count", workload_count_row(counted))

    async def forget_replicas(self, app: str, ref: Ref) -> None:
        await self._session.run("forget_replicas", {"app": app, "kind": ref.kind, "name": ref.name})

    async def add_approval(self, approval: Approval) -> None:
        if not await self._session.run("add_approval", approval_row(approval, self._vault)):
            raise Conflict(f"{approval.actor.plain} has already decided about {approval.promotion}")

    async def add_lines(self, subject: str, lines: Sequence[Line]) -> int:
        if not lines:
            return 0
        return await self._session.many("add_line", [line_row(subject, each, self._vault) for each in lines])

    async def add_samples(self, promotion_id: str, samples: Sequence[PodSample]) -> None:
        if samples:
            rows = [sample_row(promotion_id, each, self._vault) | {"most": MOST_SAMPLES} for each in samples]
            await self._session.many("add_sample", rows)

    async def add_scale_job(self, job: ScaleJob) -> ScaleJob:
        (row,) = await self._session.all("add_scale_job", **scale_job_row(job))
        return replace(job, id=row["id"])

    async def finish_scale_job(self, job_id: int) -> None:
        await self._session.run("finish_scale_job", {"id": job_id})

    async def add_prune_job(self, job: PruneJob) -> None:
        if not await self._session.run("add_prune_job", prune_job_row(job)):
            raise Conflict(f"{job.promotion} has its prune job already")

    async def finish_prune_job(self, promotion_id: str) -> None:
        await self._session.run("finish_prune_job", {"promotion": promotion_id})
