"""The records, as the core reads and writes them: one consistent state, or one transaction."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from core.actor import Actor, JwtId
from core.policy.retention import AgingRecords
from core.ports.app_records import AppReader, AppWriter
from core.ports.build_runs import BuildRunReader, BuildRunWriter
from core.ports.message_records import MessageReader, MessageWriter
from core.ports.release_records import ReleaseReader, ReleaseWriter
from core.promotion import Phase, Promotion, PromotionEntry
from core.records.anchor import AuditHead
from core.records.approval import Approval
from core.records.bundle import Bundle, Ref
from core.records.intent import Intent
from core.records.live_entry import LiveEntry
from core.records.milestone import Milestone
from core.records.progress import Progress
from core.records.scale_job import ScaleJob
from core.records.step import PruneJob, Step
from core.records.workload_count import WorkloadCount


class StoreReader(AppReader, ReleaseReader, MessageReader, BuildRunReader, Protocol):
    """Read records; every method sees one consistent state of the database.

    None returns everything that grows with history, or has to look at it: what is asked of all releases is kept in plain columns.
    """

    async def promotion(self, promotion_id: str) -> Promotion:
        """Return the promotion, or raise NotFound(`no such promotion: ID`)."""
        ...

    async def phase_and_token(self, promotion_id: str) -> tuple[Phase, int]:
        """Return what says whether somebody has moved a promotion on, for whoever asks every second; else as `promotion`."""
        ...

    async def promotions(self, app: str, limit: int) -> list[Promotion]:
        """Return the newest promotions first."""
        ...

    async def ended_since(self, app: str, since: datetime, limit: int) -> list[PromotionEntry]:
        """Return the last promotions that have touched the cluster and ended since a moment, the oldest of them first."""
        ...

    async def live_before(self, app: str, promotion_id: str) -> Promotion | None:
        """Return the newest promotion before that one which said what is active, by ending Running or Reverted."""
        ...

    async def live_entries(
        self, app: str, at: datetime, limit: int, *, later: bool = False
    ) -> list[LiveEntry]:
        """Return ends of promotions that said what is active, until a moment and newest first; `later`, after it and oldest first."""
        ...

    async def stopped_by(self, release_id: str) -> frozenset[str]:
        """Return the releases that were rolling out when the promotion of this one took their place."""
        ...

    async def in_flight(self, app: str) -> Promotion | None:
        """Return the one promotion of the app that may touch the cluster, if any."""
        ...

    async def awaiting(self, app: str) -> list[Promotion]:
        """Return the promotions of the app that wait before they start, for approval or for something else, oldest first."""
        ...

    async def all_awaiting(self) -> list[Promotion]:
        """Return the promotions that wait before they start, app by app."""
        ...

    async def unsettled(self) -> list[Promotion]:
        """Return every promotion that has not ended, oldest first: the work of a restart."""
        ...

    async def intent(self, promotion_id: str) -> Intent | None: ...

    async def steps(self, promotion_id: str) -> list[Step]:
        """Return the newest state of every step, in the order in which they were first sent."""
        ...

    async def workload_counts(self, app: str) -> Mapping[Ref, WorkloadCount]:
        """Return what is recorded of the count of each workload that the app has or had."""
        ...

    async def approvals(self, promotion_id: str) -> list[Approval]:
        """Return decisions in the order in which they were made."""
        ...

    async def promotion_aged(self, promotion_id: str, records: AgingRecords) -> bool:
        """Return whether such records of a promotion are not kept any more."""
        ...

    async def succeeded(self, app: str, *, limit: int, but: str = "") -> list[tuple[datetime, datetime]]:
        """Return when the last promotions of the app began and ended that ended Running, newest first, without this one."""
        ...

    async def scale_jobs(self) -> list[ScaleJob]:
        """Return the counts that were asked for and have no outcome yet, in order."""
        ...

    async def prune_jobs(self, app: str) -> list[PruneJob]:
        """Return what is still to be removed of an app, oldest promotion first."""
        ...

    async def apps_to_prune(self) -> list[str]:
        """Return the apps of which something is still to be removed."""
        ...

    async def last_touched_phase(self, app: str, before: str) -> Phase | None:
        """Return the phase of the last promotion of the app, other than `before`, in TOUCHED_ENDINGS."""
        ...

    async def last_touched(self, app: str) -> Promotion | None:
        """Return the newest promotion of the app that has begun to write, if any: the one that claimed its anchor last."""
        ...

    async def unproved(self) -> list[Promotion]:
        """Return the last touched promotion of each app that ended with nothing running and that nobody has judged since.

        Its release was neither verified nor put on hold.
        """
        ...

    async def keyed_digest(self, *parts: str) -> str:
        """Return an HMAC of the parts under the installation's stored key, for showing (engine rule 18)."""
        ...

    async def installation(self) -> str:
        """Return this database's own random id, written into every anchor (engine rule 14)."""
        ...

    async def audit_head(self) -> AuditHead | None:
        """Return how far the audit is, None where it has no row yet."""
        ...

    async def audit_has(self, head: AuditHead) -> bool:
        """Return whether the audit was there once: its row of that number closes with that hash."""
        ...


class Transaction(StoreReader, AppWriter, ReleaseWriter, MessageWriter, BuildRunWriter, Protocol):
    """Write records: one transaction of the database, committed when its block ends without an error.

    Attributes:
        now: the one moment of everything that the transaction writes.
    """

    now: datetime

    async def use_jwt_id(self, app: str, jwt_id: JwtId) -> bool:
        """Note that a job's token has asked for a promotion of an app; False where it had before."""
        ...

    async def add_promotion(self, promotion: Promotion) -> None:
        """Raise Conflict where the app already has one in flight (unique index, engine rule 1), Taken where the id is."""
        ...

    async def save_promotion(self, promotion: Promotion, *, was: Phase) -> None:
        """Store the promotion; raise Conflict where it is no longer in phase `was`."""
        ...

    async def add_milestones(self, reached: Mapping[Milestone, float]) -> None:
        """Count what a rollout has reached, with the seconds since it started, for graphs."""
        ...

    async def save_progress(
        self, promotion_id: str, progress: Progress, *, was: Phase, revision: int
    ) -> None:
        """Store what was watched, without moving the phase; silently nothing where the phase has moved on."""
        ...

    async def save_intent(self, promotion_id: str, intent: Intent) -> None:
        """Store the intent once; a second time raises Conflict."""
        ...

    async def save_step(self, step: Step) -> None:
        """Insert the step, or move it on to its new state; key: promotion, stage, ref, action."""
        ...

    async def save_workload_count(self, counted: WorkloadCount) -> None:
        """Keep how many pods a workload was to have and has, in place of what was recorded of it before."""
        ...

    async def forget_replicas(self, app: str, ref: Ref) -> None:
        """Note that a workload was taken away: should it come back, nobody asks how many pods it had."""
        ...

    async def add_approval(self, approval: Approval) -> None:
        """Raise Conflict where the same person has already decided."""
        ...

    async def add_scale_job(self, job: ScaleJob) -> ScaleJob:
        """Keep a count that is about to be set; return the job with its id."""
        ...

    async def finish_scale_job(self, job_id: int) -> None: ...

    async def add_prune_job(self, job: PruneJob) -> None: ...

    async def finish_prune_job(self, promotion_id: str) -> None: ...

    async def audit(self, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Append a row to the hash chain; `detail` holds ids and key names, never values of an environment."""
        ...


class Store(Protocol):
    """The records."""

    def transaction(self, *, delivery: int | None = None) -> AbstractAsyncContextManager[Transaction]:
        """Begin to write; other writers wait. A transaction contains SQL and nothing else.

        Args:
            delivery: whose request this carries out, if it came by one: where something is changed, the same
                transaction marks that delivery as done, so that a restart does not carry it out again. What is
                found on the way, such as an expiry, is no part of it.
        """
        ...

    async def seal_bundle(self, bundle: Bundle) -> bytes:
        """Return what `save_bundle` stores; made before the transaction, for it takes long where much is in it."""
        ...

    @property
    def read(self) -> StoreReader:
        """Read outside a transaction, never waiting for a writer."""
        ...
