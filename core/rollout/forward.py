"""The way forward: the waves of a release are applied and verified one after the other, up to a verdict."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from core.actor import BOT
from core.errors import FieldConflict, Rejected, Unreachable
from core.failpoints import failpoint
from core.lifecycle.bundles import prunable
from core.lifecycle.former import redraw_former
from core.lifecycle.measuring import CONFLICT, DEADLINE, REJECTED, UNAPPLIED, UNROUTED
from core.lifecycle.outcome import idle_services, unproved
from core.lifecycle.transition import ATOM, move
from core.ports.store import Transaction
from core.promotion import Promotion, PromotionEvent
from core.records.bundle import Bundle
from core.records.desired_state import DesiredState
from core.records.line import Line
from core.records.release import ReleaseStatus
from core.records.step import PruneJob
from core.rollout.applying import BundleApplier
from core.rollout.effects import Effects, RolloutPorts, StageTimeout
from core.rollout.lineage import applied_of, earlier_pods_of
from core.rollout.routes import RouteWatcher
from core.rollout.run import PhaseWriter, RolloutRun
from core.rollout.tracing import RolloutTracer
from core.rollout.verifying import StageOutcome, evidence_line
from core.rollout.waves import Wave, begun, up_to, waves
from core.sentence import Sentence


class RolloutStage:
    """Applies a release, watches it, and stores the verdict with what follows from it."""

    def __init__(
        self,
        ports: RolloutPorts,
        effects: Effects,
        applier: BundleApplier,
        phases: PhaseWriter,
        tracer: RolloutTracer,
    ) -> None:
        self._ports = ports
        self._effects = effects
        self._applier = applier
        self._phases = phases
        self._tracer = tracer
        self._routes = RouteWatcher(ports, effects)

    async def apply(self, run: RolloutRun) -> None:
        """Send the first wave."""
        bundle = await self._bundle(run)
        order = waves(bundle, self._ports.cluster.traits)
        if await self._is_taken(run, bundle):
            return
        if not await self._send(run, bundle, order, 0, limit=run.promotion.limits.pending):
            return
        await run.verifier.drain()
        failpoint("applied.before_commit")
        progress = run.promotion.progress.next_stage()
        await self._phases.move(
            run, PromotionEvent.APPLIED, stage_at=self._ports.clock.now(), progress=progress
        )
        failpoint("applied.after_commit")

    async def watch(self, run: RolloutRun) -> None:
        """Verify wave by wave: each is applied once everything before it is verified, and judged with all of that."""
        bundle = await self._bundle(run)
        order = waves(bundle, self._ports.cluster.traits)
        steps = await self._ports.store.read.steps(run.promotion.id)
        number = begun(order, {s.ref for s in steps if s.stage == "forward" and s.action == "apply"})
        if number and await self._is_taken(run, bundle):
            return
        # A wave of which an earlier life has sent something was due: it is finished before anything is judged.
        while not number or await self._follow_up(run, bundle, order, number):
            outcome = await self._until_verdict(run, bundle.part(up_to(order, number)))
            if outcome.event is PromotionEvent.VERIFIED and number < len(order) - 1:
                number += 1
                await self._so_far(run, outcome, order[number])
                continue
            self._tracer.watched(run.promotion, outcome.progress, "forward")
            with self._tracer.span(run.promotion, "verdict", event=outcome.event) as told:
                await self._judge(run, bundle, outcome)
                if outcome.event not in {PromotionEvent.VERIFIED, PromotionEvent.SUPERSEDED}:
                    told["error"] = outcome.diagnosis.kind if outcome.diagnosis else DEADLINE
            return

    async def count_down(self, run: RolloutRun) -> None:
        """Let it stand until the time is over, a person decides, or somebody rolls out something else."""
        bundle = await self._bundle(run)
        applied = await applied_of(self._ports.store.read, run.promotion, "forward")
        target = DesiredState(release=run.promotion.release, bundle=bundle, applied=applied)
        outcome = await run.verifier.until_due(run.promotion, target)
        if outcome.event is PromotionEvent.SUPERSEDED:
            await self._phases.give_way(run, outcome.cause)
            return
        failpoint("countdown.before_commit")
        await self._phases.move(run, PromotionEvent.DUE)
        failpoint("countdown.after_commit")

    async def _bundle(self, run: RolloutRun) -> Bundle:
        bundle = await self._ports.store.read.bundle(run.promotion.release)
        assert bundle is not None, "a bundle is stored with the request"
        return bundle

    async def _send(
        self, run: RolloutRun, bundle: Bundle, order: Sequence[Wave], number: int, *, limit: float
    ) -> bool:
        """Apply a wave of the release; return whether it was taken. One that was not has been moved on."""
        wave = order[number]
        try:
            with self._tracer.span(run.promotion, "apply", wave=number + 1, objects=len(wave)):
                await self._applier.forward(run.promotion, run.intent, bundle, wave, limit=limit)
        except Rejected as error:
            others = isinstance(error, FieldConflict)
            kind = CONFLICT if others else REJECTED
            await self._end(run, PromotionEvent.BROKEN, str(error), kind, blameless=others)
            return False
        except StageTimeout as error:
            late = f"not every object was applied within {run.promotion.limits.pending:g} s: {error}"
            # Nothing of it has been seen yet: it is the cluster that did not take it.
            await self._end(run, PromotionEvent.OVERDUE, late.removesuffix(": "), UNAPPLIED, blameless=True)
            return False
        return True

    async def _end(
        self, run: RolloutRun, event: PromotionEvent, why: str, kind: str, *, blameless: bool
    ) -> None:
        """End the way forward without a look at its pods, for what the cluster has answered or has not."""
        cause = Sentence.of(run.redact(why))
        await self._phases.move(run, event, cause=cause, cause_kind=kind, blameless=blameless)

    async def _is_taken(self, run: RolloutRun, bundle: Bundle) -> bool:
        """Return whether somebody else has changed, while nobody looked, what an earlier life applied; then it has ended.

        Nothing is sent any more before that is known (engine rule 12).
        """
        resumed, run.resumed = run.resumed, False
        answers = await applied_of(self._ports.store.read, run.promotion, "forward") if resumed else ()
        # What no answer is kept of may not have been applied at all, and looks as somebody else's for that reason.
        applied = tuple(each for each in answers if each.template)
        if not applied:
            return False
        part = bundle.part([each.ref for each in applied])
        target = DesiredState(release=run.promotion.release, bundle=part, applied=applied)
        cause = await run.verifier.taken(run.promotion, target)
        if cause:
            await self._phases.give_way(run, cause)
        return bool(cause)

    async def _judge(self, run: RolloutRun, bundle: Bundle, outcome: StageOutcome) -> None:
        """Do what follows from the verdict of the last wave, or from one that is not good."""
        if outcome.event is PromotionEvent.SUPERSEDED:
            await self._phases.give_way(run, outcome.cause)
        elif outcome.event is not PromotionEvent.VERIFIED:
            await self._fail(run, outcome)
        elif await self._is_routed(run, bundle, outcome):
            await self._succeed(run, bundle, await self._remarked(run, bundle, outcome))

    async def _until_verdict(self, run: RolloutRun, part: Bundle) -> StageOutcome:
        applied = await applied_of(self._ports.store.read, run.promotion, "forward")
        app = await self._ports.store.read.app(run.promotion.app)
        status = await self._ports.store.read.release_status(run.promotion.release)
        # Of a release that nothing has proved yet, pods that happen to be ready now may have started a moment ago.
        again = run.promotion.release == app.active_release and status.verified_at is not None
        unchanged = again and bool(applied) and not any(a.changed for a in applied)
        target = DesiredState(release=run.promotion.release, bundle=part, applied=applied)
        earlier_pods = await earlier_pods_of(
            self._ports.store.read, run.promotion, target.release, run.intent
        )
        return await run.verifier.until_verdict(
            run.promotion, target, earlier_pods=earlier_pods, unchanged=unchanged
        )

    async def _so_far(self, run: RolloutRun, outcome: StageOutcome, following: Wave) -> None:
        """Store that everything up to here is verified, and what follows; patience begins anew with that."""
        seen = replace(outcome.progress, moved=outcome.progress.watched)
        names = ", ".join(map(str, following))
        seen = seen.awaiting(f"verified so far; {names} follow{'s' if len(following) == 1 else ''}")
        async with self._phases.moving(run) as (tx, current):
            await tx.save_progress(current.id, seen, was=current.phase, revision=current.revision + 1)
        failpoint("verified.after_commit")
        run.promotion = replace(run.promotion, progress=seen)
        self._ports.announcer.wake()

    async def _follow_up(self, run: RolloutRun, bundle: Bundle, order: Sequence[Wave], number: int) -> bool:
        """Apply a later wave; what it waits for a cluster that does not answer is its own, not that of the pods."""
        limit = run.promotion.progress.watched + run.promotion.limits.pending
        taken = await self._send(run, bundle, order, number, limit=limit)
        # What the last apply has answered is what its workload is judged by.
        await self._effects.keep_done(run.promotion)
        return taken

    async def _is_routed(self, run: RolloutRun, bundle: Bundle, outcome: StageOutcome) -> bool:
        """Return whether what leads from outside is as far as the policy asks; a promotion of which it is not has been moved on."""
        try:
            await self._routes.wait(run.promotion, bundle, outcome.progress.watched)
        except Rejected as error:
            await self._end(run, PromotionEvent.BROKEN, str(error), UNROUTED, blameless=True)
            return False
        except StageTimeout as error:
            # Its pods are fine; it is the router that does not take it.
            late = f"nobody reaches it from outside after {run.promotion.limits.deadline:g} s: {error}"
            await self._end(run, PromotionEvent.OVERDUE, late.removesuffix(": "), UNROUTED, blameless=True)
            return False
        return True

    async def _remarked(self, run: RolloutRun, bundle: Bundle, outcome: StageOutcome) -> StageOutcome:
        """Add what is worth a sentence; where it cannot be asked for, there is none: no verdict waits for it."""
        with suppress(Rejected, Unreachable):
            found = await self._ports.cluster.remarks(run.promotion.app, bundle)
            outcome = replace(
                outcome, progress=replace(outcome.progress, remarks=tuple(map(run.redact, found)))
            )
        progress = await self._routes.look(run.promotion.app, bundle, outcome.progress)
        return replace(outcome, progress=progress)

    async def _succeed(self, run: RolloutRun, bundle: Bundle, outcome: StageOutcome) -> None:
        promotion = run.promotion
        async with self._phases.settling(run) as (tx, current):
            app = await tx.app(promotion.app)
            refs = await prunable(tx, self._ports.cluster, promotion.app, bundle)
            await redraw_former(tx, promotion, app.active_release)
            await tx.save_app(replace(app, active_release=promotion.release))
            if not outcome.nothing_ran:
                await self._verified(tx, promotion.release)
            if refs:
                await tx.add_prune_job(PruneJob(promotion=promotion.id, app=promotion.app, refs=refs))
            if idle := idle_services(outcome.progress):
                await tx.add_lines(promotion.id, [_idle_line(idle, promotion, outcome, tx.now)])
            await move(
                tx,
                current,
                PromotionEvent.VERIFIED,
                actor=BOT,
                nothing_ran=outcome.nothing_ran,
                progress=outcome.progress,
            )

    async def _verified(self, tx: Transaction, release: str) -> None:
        await tx.save_release_status(ReleaseStatus(release=release, verified_at=tx.now))

    async def _fail(self, run: RolloutRun, outcome: StageOutcome) -> None:
        """Store cause and evidence before anything is undone: going back deletes the pods that prove it."""
        evidence = ""
        if outcome.diagnosis is not None:
            try:
                evidence = await self._ports.cluster.evidence(
                    run.promotion.app, outcome.diagnosis, run.redact
                )
            except (Rejected, Unreachable) as error:
                evidence = f"(no log: {run.redact(str(error))})"
        failpoint("broken.after_evidence")
        async with self._phases.moving(run) as (tx, current):
            if evidence and outcome.diagnosis is not None:
                line = evidence_line(evidence, tx.now, outcome.diagnosis)
                await tx.add_lines(current.id, [line])
            event, countdown = self._phases.turned(run, current, outcome.event, tx.now)
            await move(
                tx,
                current,
                event,
                actor=BOT,
                **countdown,
                cause=Sentence.of(outcome.cause),
                cause_kind=outcome.diagnosis.kind if outcome.diagnosis else DEADLINE,
                blameless=outcome.blameless,
            )
        failpoint("broken.after_commit")
        self._ports.announcer.wake()


def _idle_line(idle: Sequence[str], promotion: Promotion, outcome: StageOutcome, at: datetime) -> Line:
    """Say what nobody has proved, for whoever follows the lines."""
    text = unproved(idle, promotion.release, nothing_ran=outcome.nothing_ran)
    return Line(at=at, object=ATOM, text=text, key="unproved")
