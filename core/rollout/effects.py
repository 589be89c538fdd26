"""Effects on the cluster, each with its intent written before it and its result after it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from core.clock import Clock
from core.errors import NotYet, Rejected, Unreachable
from core.failpoints import failpoint
from core.lifecycle.gate import Gate
from core.ports.announcer import Announcer
from core.ports.cluster import Cluster
from core.ports.store import Store, Transaction
from core.ports.tracer import NullTracer, Tracer
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.records.intent import Applied
from core.records.line import Line
from core.records.step import Step, StepAction, StepStage
from core.records.workload_count import WorkloadCount
from core.rollout.lineage import redactor_of
from core.rollout.refusing import RefusalTracker
from core.rollout.watched_time import BlindTime
from core.waiting import first_of

T = TypeVar("T")

# Between two tries at a cluster that does not answer: quick at first, for a blip; ten seconds at most, for one that is
# back. Whoever cancels or takes over waits for neither: see `wake`.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
# Transient refusals on the way back are tried for five minutes, then a person is needed (engine rule 4).
BACK_PATIENCE = 300.0


class StalePromotion(Exception):
    """The promotion is no longer where its driver believes: a person cancelled it or took over."""


class StageTimeout(Exception):
    """The stage may wait no longer; `str()` is what the cluster said last, "" where it had nothing against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPorts:
    """What every stage of a rollout works with.

    Attributes:
        blind: counts what nobody could see, for graphs.
        tracer: is told what a rollout spends its time with.
    """

    store: Store
    cluster: Cluster
    clock: Clock
    announcer: Announcer
    gate: Gate
    blind: BlindTime = field(default_factory=BlindTime)
    tracer: Tracer = field(default_factory=NullTracer)


class Effects:
    """Sends one promotion's requests to the cluster, twice if need be: every request is idempotent."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports
        # Promotion → results of its effects that no row tells yet. One that dies with the process leaves `sent`.
        self._done: dict[str, list[Callable[[Transaction], Awaitable[None]]]] = {}
        # Promotion → what this life has announced and not begun yet, and how often it had been sent before.
        self._ahead: dict[str, dict[tuple[StepStage, Ref, StepAction], int]] = {}
        # By app: set, and taken out, where somebody has decided about it.
        self._news: dict[str, asyncio.Event] = {}

    def wake(self, app: str) -> None:
        """Let what waits to be tried again for this app be tried now: somebody has decided about it."""
        if (news := self._news.pop(app, None)) is not None:
            news.set()

    async def retry(self, promotion: Promotion, attempt: Callable[[], Awaitable[T]], *, limit: float) -> T:
        """Return what `attempt` returns, trying again while the cluster is out of reach, or refuses only once.

        Raises:
            StalePromotion: the promotion has moved on meanwhile.
            StageTimeout: Pending is older than `limit` seconds, whatever they went by with (engine rule 56); in other phases, the
                cluster was out of reach for so long.
            Rejected: the cluster said no for good (engine rule 49).
        """
        clock, said, pause = self._ports.clock, "", FIRST_PAUSE
        refusals = RefusalTracker(self._ports.cluster, clock, untouched=promotion.untouched)
        while True:
            if self._pending_for(promotion) >= limit:
                raise StageTimeout(said)
            began = clock.monotonic()
            # Before the try, so that what is decided while it runs cuts the pause behind it short.
            news = self._news.setdefault(promotion.app, asyncio.Event())
            try:
                return await attempt()
            except (Rejected, Unreachable) as error:
                if await refusals.final(error):
                    raise error if isinstance(error, Rejected) else Rejected(str(error)) from error
                said = (await redactor_of(self._ports.store.read, promotion))(str(error))
                shown = _shown(error, said)
            await first_of(news.wait(), clock.sleep(refusals.pause(pause)))
            pause = min(2 * pause, LONGEST_PAUSE)
            waited = await self._waited(promotion, clock.monotonic() - began, shown)
            if promotion.phase is not Phase.PENDING and waited >= limit:
                raise StageTimeout(said)

    def _pending_for(self, promotion: Promotion) -> float:
        """Return how old a Pending promotion is, by the clock on the wall, which is our own; 0 for any other."""
        if promotion.phase is not Phase.PENDING:
            return 0.0
        began = promotion.started_at or promotion.requested_at
        return (self._ports.clock.now() - began).total_seconds()

    async def _waited(self, promotion: Promotion, seconds: float, shown: str) -> float:
        """Add to the time that this stage has waited, durably, and return it."""
        async with self._ports.store.transaction() as tx:
            current = await ensure_current(tx, promotion)
            watched = current.progress.watched + seconds
            waited = replace(current.progress.awaiting(shown), watched=watched)
            await tx.save_progress(promotion.id, waited, was=promotion.phase, revision=current.revision + 1)
        self._ports.announcer.wake()
        return waited.watched

    async def announce(
        self, promotion: Promotion, stage: StepStage, coming: Sequence[tuple[Ref, StepAction]]
    ) -> None:
        """Write that several effects are about to be sent, in one transaction for all of them.

        A crash in between leaves `sent` for some that were not: they are sent again, which every effect bears.

        Raises:
            StalePromotion: the promotion has moved on meanwhile.
        """
        rows = [
            Step(
                promotion=promotion.id,
                stage=stage,
                ref=ref,
                action=action,
                state="sent",
                token=promotion.token,
            )
            for ref, action in coming
        ]
        self._ahead[promotion.id] = dict(
            zip(((stage, *each) for each in coming), await self._write_sent(promotion, rows), strict=True)
        )

    async def step(
        self,
        promotion: Promotion,
        *,
        stage: StepStage,
        ref: Ref,
        action: StepAction,
        effect: Callable[[], Awaitable[Applied]],
        limit: float,
        count: int | None = None,
    ) -> Applied:
        """Do one effect between its two rows; a crash in between leaves `sent`, which is simply sent again.

        The first row may have been written before (`announce`). The second one is written with whatever is written next, at the
        latest with the transition that follows: see `write_done`.

        Args:
            promotion: whose effect it is.
            stage: forward, or on the way back.
            ref: what it is done to.
            action: what is done.
            effect: does it.
            limit: as of `retry`.
            count: of a workload that is in order after it, the count of the manifest; it is recorded with the result, and
                that a workload was removed as well.

        Raises:
            StalePromotion, StageTimeout, Rejected: as `retry`.
        """
        row = Step(
            promotion=promotion.id, stage=stage, ref=ref, action=action, state="sent", token=promotion.token
        )
        tries = await self._announce(promotion, row)
        failpoint("step.after_sent")

        async def counted() -> Applied:
            nonlocal tries
            tries += 1
            return await effect()

        applied = await self.retry(promotion, counted, limit=limit)
        failpoint("step.after_effect")
        # An earlier try may have changed what this one found to be right already.
        applied = replace(applied, changed=applied.changed or tries > 1)
        done = replace(
            row,
            state="done",
            uid=applied.uid,
            generation=applied.generation,
            changed=applied.changed,
            template=applied.template,
        )

        async def write(tx: Transaction) -> None:
            await tx.save_step(done)
            if applied.overwrote:
                await tx.add_lines(promotion.id, [_overwriting(stage, applied, tx.now)])
            if count is not None:
                await tx.save_workload_count(
                    WorkloadCount(app=promotion.app, ref=ref, count=count, replicas=applied.replicas)
                )
            if action == "remove":
                await tx.forget_replicas(promotion.app, ref)

        self._done.setdefault(promotion.id, []).append(write)
        return applied

    async def _announce(self, promotion: Promotion, row: Step) -> int:
        """Write that an effect is about to be sent, unless that is written already; return how often it was sent before."""
        ahead = self._ahead.get(promotion.id, {}).pop((row.stage, row.ref, row.action), None)
        if ahead is None:
            return (await self._write_sent(promotion, [row]))[0]
        phase, token = await self._ports.store.read.phase_and_token(promotion.id)
        if phase is not promotion.phase or token != promotion.token:
            await self.keep_done(promotion)
            raise StalePromotion(f"{promotion.id} is {phase}")
        return ahead

    async def _write_sent(self, promotion: Promotion, rows: Sequence[Step]) -> list[int]:
        """Write what is about to be sent, and what became of what was; return how often each was sent before."""
        try:
            async with self._ports.store.transaction() as tx:
                await ensure_current(tx, promotion)
                await self.write_done(tx, promotion)
                steps = [(s.stage, s.ref, s.action) for s in await tx.steps(promotion.id)]
                for row in rows:
                    await tx.save_step(row)
        except StalePromotion:
            await self.keep_done(promotion)
            raise
        self.forget_done(promotion)
        return [steps.count((row.stage, row.ref, row.action)) for row in rows]

    async def write_done(self, tx: Transaction, promotion: Promotion) -> None:
        """Write what became of the last effect; `forget_done` once that is committed."""
        for write in self._done.get(promotion.id, ()):
            await write(tx)

    def forget_done(self, promotion: Promotion) -> None:
        if self._done.pop(promotion.id, None):
            failpoint("step.after_done")

    async def keep_done(self, promotion: Promotion) -> None:
        """Write what became of the last effects by themselves, where nothing that follows did."""
        self._ahead.pop(promotion.id, None)
        if promotion.id in self._done:
            async with self._ports.store.transaction() as tx:
                await self.write_done(tx, promotion)
            self.forget_done(promotion)


def _overwriting(stage: StepStage, applied: Applied, now: datetime) -> Line:
    """Say whose fields an apply has taken away (engine rule 45)."""
    ref = applied.ref
    return Line(
        at=now, object=ref.name, text=f"Overwrote {applied.overwrote}", key=f"overwrote:{stage}:{ref}"
    )


def _shown(error: Rejected | Unreachable, said: str) -> str:
    """Return what the card says while it is tried again."""
    if isinstance(error, NotYet):
        return said
    if isinstance(error, Rejected):
        return f"the cluster refuses, and is asked again: {said}"
    return f"the cluster does not answer: {said}"


async def ensure_current(tx: Transaction, promotion: Promotion) -> Promotion:
    """Return the promotion as stored, or raise StalePromotion where it has left the phase or the token has risen."""
    current = await tx.promotion(promotion.id)
    if current.phase is not promotion.phase or current.token != promotion.token:
        raise StalePromotion(f"{promotion.id} is {current.phase}")
    return current
