"""The way back: what was there before is applied again, or what is new removed, and watched until it is there."""

from dataclasses import replace

from core.actor import BOT
from core.errors import Rejected
from core.failpoints import failpoint
from core.lifecycle.transition import move
from core.promotion import PromotionEvent
from core.records.bundle import Bundle
from core.records.desired_state import DesiredState
from core.records.step import PruneJob
from core.rollout.applying import BundleApplier
from core.rollout.effects import RolloutPorts, StageTimeout
from core.rollout.lineage import applied_of, earlier_pods_of
from core.rollout.run import PhaseWriter, RolloutRun
from core.rollout.tracing import RolloutTracer
from core.rollout.verifying import StageOutcome


class RollbackStage:
    """Goes back to the last verified release, or to nothing where there was nothing."""

    def __init__(
        self, ports: RolloutPorts, applier: BundleApplier, phases: PhaseWriter, tracer: RolloutTracer
    ) -> None:
        self._ports = ports
        self._applier = applier
        self._phases = phases
        self._tracer = tracer

    async def apply(self, run: RolloutRun) -> None:
        """Send what was there before, or remove what is new; where there is nothing to go back to, a person is needed."""
        promotion = run.promotion
        if promotion.kind == "rollback":
            await self._phases.stuck(run, "")
            return
        if not self._phases.goes_back(promotion, run.intent):
            await self._phases.stuck(run, "there is no verified release to go back to")
            return
        run.verifier.rest()
        try:
            with self._tracer.span(promotion, "rollback", to=promotion.back_to or "nothing"):
                if promotion.back_to is None:
                    await self._applier.remove(promotion, run.intent)
                else:
                    await self._applier.back(promotion, run.intent)
        except (Rejected, StageTimeout) as error:
            await self._phases.stuck(run, run.redact(str(error)))
            return
        await run.verifier.drain()
        await self._phases.move(
            run,
            PromotionEvent.ROLLED_BACK,
            stage_at=self._ports.clock.now(),
            progress=promotion.progress.next_stage(),
            removed=promotion.back_to is None,
        )
        failpoint("back.after_commit")

    async def watch(self, run: RolloutRun) -> None:
        """Watch it until it is there, or cannot be."""
        target, back = await self._back_target(run)
        earlier_pods = await earlier_pods_of(
            self._ports.store.read, run.promotion, target.release, run.intent
        )
        outcome = await run.verifier.until_verdict(run.promotion, target, earlier_pods=earlier_pods)
        self._tracer.watched(run.promotion, outcome.progress, "back")
        if outcome.event is PromotionEvent.VERIFIED:
            await self._reverted(run, back, outcome)
        elif outcome.event is PromotionEvent.SUPERSEDED:
            await self._phases.give_way(run, outcome.cause)
        else:
            await self._phases.stuck(run, outcome.cause, event=outcome.event)

    async def _back_target(self, run: RolloutRun) -> tuple[DesiredState, Bundle | None]:
        promotion, read = run.promotion, self._ports.store.read
        if promotion.back_to is None:
            refs = tuple(
                s.ref for s in await read.steps(promotion.id) if s.stage == "back" and s.action == "remove"
            )
            return DesiredState(release=promotion.release, bundle=None, absent=refs), None
        bundle = await read.bundle(promotion.back_to)
        assert bundle is not None, "its objects have just been applied"
        applied = await applied_of(read, promotion, "back")
        return DesiredState(release=promotion.back_to, bundle=bundle, applied=applied), bundle

    async def _reverted(self, run: RolloutRun, back: Bundle | None, outcome: StageOutcome) -> None:
        promotion = run.promotion
        refs = await self._applier.left_over(promotion, run.intent, back) if back else ()
        async with self._phases.settling(run) as (tx, current):
            app = await tx.app(promotion.app)
            await tx.save_app(replace(app, active_release=promotion.back_to))
            await self._phases.hold(tx, current)
            if refs:
                await tx.add_prune_job(PruneJob(promotion=promotion.id, app=promotion.app, refs=refs))
            await move(tx, current, PromotionEvent.VERIFIED, actor=BOT, progress=outcome.progress)
