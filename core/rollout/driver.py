"""The recipe of a promotion: start, apply, watch, and on failure the way back; a restart enters at its phase."""

from contextlib import suppress

from core.promotion import Phase, Promotion
from core.rollout.applying import BundleApplier
from core.rollout.back import RollbackStage
from core.rollout.effects import Effects, RolloutPorts, StalePromotion
from core.rollout.forward import RolloutStage
from core.rollout.lineage import redactor_of
from core.rollout.run import PhaseWriter, RolloutRun
from core.rollout.starting import RolloutStarter
from core.rollout.tracing import RolloutTracer
from core.rollout.verifying import Verifier


class Driver:
    """Drives one promotion from wherever it is to a settled phase."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports
        self._effects = Effects(ports)
        self._starter = RolloutStarter(ports, self._effects)
        applier, phases = BundleApplier(ports, self._effects), PhaseWriter(ports, self._effects)
        tracer = RolloutTracer(ports.tracer, ports.clock)
        self._forward = RolloutStage(ports, self._effects, applier, phases, tracer)
        self._back = RollbackStage(ports, applier, phases, tracer)

    def wake(self, app: str) -> None:
        """Somebody has decided about a rollout of the app: what waits to be sent again is sent now."""
        self._effects.wake(app)

    async def drive(self, promotion_id: str) -> Promotion:
        """Return the promotion once it is settled; twice is the same as once."""
        while not (promotion := await self._ports.store.read.promotion(promotion_id)).settled:
            try:
                await self._advance(promotion)
            except StalePromotion:
                continue
        return promotion

    async def _advance(self, promotion: Promotion) -> None:
        intent = await self._ports.store.read.intent(promotion.id)
        begun = intent is not None
        if intent is None:
            intent = await self._starter.baseline(promotion)
        if intent is None:
            return
        redact = await redactor_of(self._ports.store.read, promotion)
        async with self._ports.cluster.watch(promotion.app, intent, redact) as watch:
            if not begun:
                # Whoever cannot see does not begin (engine rule 50).
                intent = await self._starter.commit(promotion, intent, watch)
                if intent is None:
                    return
                promotion = await self._ports.store.read.promotion(promotion.id)
            verifier = Verifier(self._ports, self._effects, watch, redact)
            run = RolloutRun(promotion, intent, verifier, redact, resumed=begun)
            while not run.promotion.settled:
                # Stale: somebody cancelled or took over; the phase as it is now says what is next.
                with suppress(StalePromotion):
                    await self._stage(run)
                await self._effects.keep_done(run.promotion)
                run.promotion = await self._ports.store.read.promotion(promotion.id)

    async def _stage(self, run: RolloutRun) -> None:
        match run.promotion.phase:
            case Phase.PENDING:
                await self._forward.apply(run)
            case Phase.UPDATING:
                await self._forward.watch(run)
            case Phase.COUNTDOWN:
                await self._forward.count_down(run)
            case Phase.ERROR | Phase.DEADLINE | Phase.CANCELLED:
                await self._back.apply(run)
            case Phase.ROLLBACK:
                await self._back.watch(run)
            case phase:
                raise AssertionError(f"{run.promotion.id} is not to be driven in {phase}")
