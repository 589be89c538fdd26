"""Reads of promotions and everything that belongs to one."""

from collections.abc import Mapping

from core.errors import NotFound
from core.promotion import Phase, Promotion
from core.records.approval import Approval
from core.records.bundle import Ref
from core.records.intent import Intent
from core.records.line import Line
from core.records.step import PruneJob, Step
from core.records.workload_count import WorkloadCount
from storage.aggregate import AggregateReader
from storage.promotions.rows import (
    approval_of,
    intent_of,
    line_of,
    promotion_of,
    prune_job_of,
    step_of,
    workload_count_of,
)


class PromotionReader(AggregateReader):
    """Of `core.ports.store.StoreReader`; see there for what each method promises."""

    async def promotion(self, promotion_id: str) -> Promotion:
        row = await self._session.one("promotion", id=promotion_id)
        if row is None:
            raise NotFound(f"no such promotion: {promotion_id}")
        return promotion_of(row, self._vault)

    async def phase_and_token(self, promotion_id: str) -> tuple[Phase, int]:
        row = await self._session.one("phase_and_token", id=promotion_id)
        if row is None:
            raise NotFound(f"no such promotion: {promotion_id}")
        return Phase(row["phase"]), row["token"]

    async def promotions(self, app: str, limit: int | None = None) -> list[Promotion]:
        rows = await self._session.all("promotions", app=app, limit=limit)
        return [promotion_of(row, self._vault) for row in rows]

    async def in_flight(self, app: str) -> Promotion | None:
        row = await self._session.one("in_flight", app=app)
        return None if row is None else promotion_of(row, self._vault)

    async def awaiting(self, app: str) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("awaiting", app=app)]

    async def unsettled(self) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("unsettled")]

    async def phases(self) -> dict[Phase, int]:
        """Return how many promotions are in each phase."""
        return {Phase(row["phase"]): row["promotions"] for row in await self._session.all("phases")}

    async def last_touched_phase(self, app: str, before: str) -> Phase | None:
        row = await self._session.one("last_touched_phase", app=app, before=before)
        return None if row is None else Phase(row["phase"])

    async def last_touched(self, app: str) -> Promotion | None:
        row = await self._session.one("last_touched", app=app)
        return None if row is None else promotion_of(row, self._vault)

    async def intent(self, promotion_id: str) -> Intent | None:
        row = await self._session.one("intent", promotion=promotion_id)
        return None if row is None else intent_of(row, self._vault)

    async def steps(self, promotion_id: str) -> list[Step]:
        return [step_of(row) for row in await self._session.all("steps", promotion=promotion_id)]

    async def workload_counts(self, app: str) -> Mapping[Ref, WorkloadCount]:
        rows = await self._session.all("workload_counts", app=app)
        return {found.ref: found for found in map(workload_count_of, rows)}

    async def approvals(self, promotion_id: str) -> list[Approval]:
        rows = await self._session.all("approvals", promotion=promotion_id)
        return [approval_of(row, self._vault) for row in rows]

    async def lines(self, promotion_id: str, after: int = 0, limit: int = 500) -> list[tuple[int, Line]]:
        rows = await self._session.all("lines", promotion=promotion_id, after=after, limit=limit)
        return [line_of(row, self._vault) for row in rows]

    async def prune_jobs(self) -> list[PruneJob]:
        return [prune_job_of(row) for row in await self._session.all("prune_jobs")]
