"""Reads of promotions and everything that belongs to one."""

from collections.abc import Mapping
from datetime import datetime

from core.errors import NotFound
from core.policy.retention import AgingRecords
from core.promotion import Phase, Promotion, PromotionEntry
from core.records.approval import Approval
from core.records.bundle import Ref
from core.records.intent import Intent
from core.records.line import Line
from core.records.live_entry import LiveEntry
from core.records.milestone import Milestone, RolloutTimes
from core.records.pod_sample import PodSample
from core.records.scale_job import ScaleJob
from core.records.step import PruneJob, Step
from core.records.workload_count import WorkloadCount
from storage.aggregate import AggregateReader
from storage.codec import datetime_or_none, timestamp
from storage.promotions.rows import (
    approval_of,
    intent_of,
    line_of,
    live_entry_of,
    promotion_entry_of,
    promotion_of,
    prune_job_of,
    sample_of,
    scale_job_of,
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

    async def promotions(self, app: str, limit: int) -> list[Promotion]:
        rows = await self._session.all("promotions", app=app, limit=limit)
        return [promotion_of(row, self._vault) for row in rows]

    async def ended_since(self, app: str, since: datetime, limit: int) -> list[PromotionEntry]:
        rows = await self._session.all("ended_since", app=app, since=timestamp(since), limit=limit)
        return [promotion_entry_of(row) for row in reversed(rows)]

    async def last_ends(self, limit: int) -> list[PromotionEntry]:
        """Return the last promotion of each app that has ended, of the apps of which something ended last."""
        return [promotion_entry_of(row) for row in await self._session.all("last_ends", limit=limit)]

    async def last_failures(self, limit: int) -> list[PromotionEntry]:
        """Return the last promotion of each app that failed after it had written, of the apps where one failed last."""
        return [promotion_entry_of(row) for row in await self._session.all("last_failures", limit=limit)]

    async def in_flight(self, app: str) -> Promotion | None:
        row = await self._session.one("in_flight", app=app)
        return None if row is None else promotion_of(row, self._vault)

    async def awaiting(self, app: str) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("awaiting", app=app)]

    async def all_awaiting(self) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("all_awaiting")]

    async def unsettled(self) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("unsettled")]

    async def phases(self) -> dict[Phase, int]:
        """Return how many promotions are in each phase."""
        return {Phase(row["phase"]): row["promotions"] for row in await self._session.all("phases")}

    async def endings(self) -> dict[tuple[Phase, str], int]:
        """Return how many promotions have ended how, and why."""
        rows = await self._session.all("endings")
        return {(Phase(row["phase"]), row["reason"]): row["promotions"] for row in rows}

    async def rollout_times(self) -> dict[Milestone, RolloutTimes]:
        """Return how long rollouts took to each milestone."""
        found = {each: RolloutTimes(counts={}, seconds=0.0) for each in Milestone}
        for row in await self._session.all("rollout_times"):
            so_far = found[Milestone(row["milestone"])]
            found[Milestone(row["milestone"])] = RolloutTimes(
                counts={**so_far.counts, row["bound"]: row["rollouts"]},
                seconds=so_far.seconds + row["seconds"],
            )
        return found

    async def oldest_awaiting(self) -> datetime | None:
        """Return since when the longest has waited for approval, None where none does."""
        row = await self._session.one("oldest_awaiting")
        return datetime_or_none(row["moment"] if row else None)

    async def last_settled(self) -> datetime | None:
        """Return when a promotion ended last, None where none has."""
        row = await self._session.one("last_settled")
        return datetime_or_none(row["moment"] if row else None)

    async def settled_since(self, since: datetime, limit: int) -> list[Promotion]:
        """Return the first promotions of all apps that ended at a moment or after it, in that order."""
        rows = await self._session.all("settled_since", since=timestamp(since), limit=limit)
        return [promotion_of(row, self._vault) for row in rows]

    async def last_touched_phase(self, app: str, before: str) -> Phase | None:
        row = await self._session.one("last_touched_phase", app=app, before=before)
        return None if row is None else Phase(row["phase"])

    async def last_touched(self, app: str) -> Promotion | None:
        row = await self._session.one("last_touched", app=app)
        return None if row is None else promotion_of(row, self._vault)

    async def unproved(self) -> list[Promotion]:
        return [promotion_of(row, self._vault) for row in await self._session.all("unproved")]

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

    async def lines(self, subject: str, after: int = 0, limit: int = 500) -> list[tuple[int, Line]]:
        rows = await self._session.all("lines", subject=subject, after=after, limit=limit)
        return [line_of(row, self._vault) for row in rows]

    async def evidence(self, promotion_id: str) -> Line | None:
        row = await self._session.one("evidence", subject=promotion_id)
        return None if row is None else line_of(row, self._vault)[1]

    async def promotion_aged(self, promotion_id: str, records: AgingRecords) -> bool:
        return await self._session.one("promotion_aged", subject=promotion_id, records=records) is not None

    async def samples(self, promotion_id: str) -> list[PodSample]:
        rows = await self._session.all("samples", promotion=promotion_id)
        return [sample_of(row, self._vault) for row in rows]

    async def succeeded(self, app: str, *, limit: int, but: str = "") -> list[tuple[datetime, datetime]]:
        rows = await self._session.all("succeeded", app=app, but=but, limit=limit)
        return [
            (datetime.fromisoformat(row["started_at"]), datetime.fromisoformat(row["settled_at"]))
            for row in rows
        ]

    async def live_before(self, app: str, promotion_id: str) -> Promotion | None:
        row = await self._session.one("live_before", app=app, promotion=promotion_id)
        return None if row is None else promotion_of(row, self._vault)

    async def live_entries(
        self, app: str, at: datetime, limit: int, *, later: bool = False
    ) -> list[LiveEntry]:
        statement = "live_entries_after" if later else "live_entries_until"
        rows = await self._session.all(statement, app=app, at=timestamp(at), limit=limit)
        return [live_entry_of(row) for row in rows]

    async def stopped_by(self, release_id: str) -> frozenset[str]:
        return frozenset(row["release"] for row in await self._session.all("stopped_by", release=release_id))

    async def scale_jobs(self) -> list[ScaleJob]:
        return [scale_job_of(row) for row in await self._session.all("scale_jobs")]

    async def prune_jobs(self, app: str) -> list[PruneJob]:
        return [prune_job_of(row) for row in await self._session.all("prune_jobs", app=app)]

    async def apps_to_prune(self) -> list[str]:
        return [row["app"] for row in await self._session.all("apps_to_prune")]
