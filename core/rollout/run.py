"""One drive of a promotion, and how the phase that it comes to is stored together with what was seen and done until then."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.actor import BOT
from core.errors import Conflict
from core.failpoints import failpoint
from core.lifecycle.holds import hold
from core.lifecycle.transition import move
from core.ports.store import Transaction
from core.promotion import UNSUCCESSFUL, Promotion, PromotionEvent
from core.records.intent import Intent
from core.redaction import Redactor
from core.rollout.counting_down import turned
from core.rollout.effects import Effects, RolloutPorts, StalePromotion, ensure_current
from core.rollout.verifying import Verifier
from core.sentence import Sentence


@dataclass(slots=True)
class RolloutRun:
    """One drive: the promotion as it is now, and what lives as long as the drive does.

    Attributes:
        resumed: an earlier life has begun it, and nothing was looked at since.
    """

    promotion: Promotion
    intent: Intent
    verifier: Verifier
    redact: Redactor
    resumed: bool


class PhaseWriter:
    """Moves the promotion of a run, each time in one transaction."""

    def __init__(self, ports: RolloutPorts, effects: Effects) -> None:
        self._ports = ports
        self._effects = effects

    def goes_back(self, promotion: Promotion, intent: Intent) -> bool:
        """Tell whether there is anything that a promotion goes back to by itself: a rollback never does."""
        there = promotion.back_to is not None or not self._existed_before(intent)
        return there and promotion.kind != "rollback"

    def _existed_before(self, intent: Intent) -> bool:
        """Tell whether anything of the app that can serve was there before the promotion."""
        return any(o.existed and self._ports.cluster.traits(o.ref).pruned for o in intent.objects)

    async def move(self, run: RolloutRun, event: PromotionEvent, **changes: object) -> None:
        """Store what an event of the run leads to; raises StalePromotion where a person was faster."""
        try:
            async with self.moving(run) as (tx, current):
                event, countdown = self.turned(run, current, event, tx.now)
                await move(tx, current, event, actor=BOT, **countdown, **changes)
        except Conflict as error:
            raise StalePromotion(str(error)) from error
        self._ports.announcer.wake()

    def turned(
        self, run: RolloutRun, current: Promotion, event: PromotionEvent, now: datetime
    ) -> tuple[PromotionEvent, dict[str, Any]]:
        """Return the event after which a countdown begins where the policy wants one, and what is stored of it."""
        return turned(current, event, way_back=self.goes_back(current, run.intent), now=now)

    @asynccontextmanager
    async def moving(self, run: RolloutRun) -> AsyncGenerator[tuple[Transaction, Promotion]]:
        """Give a transaction and the promotion as it is in it; what was done and seen until now is written with it.

        Raises:
            StalePromotion: a person cancelled it or took over.
        """
        async with self._ports.store.transaction() as tx:
            current = await ensure_current(tx, run.promotion)
            await self._effects.write_done(tx, run.promotion)
            run.verifier.end_stage()
            await run.verifier.write_lines(tx, run.promotion)
            yield tx, current
        self._effects.forget_done(run.promotion)
        run.verifier.told()

    @asynccontextmanager
    async def settling(self, run: RolloutRun) -> AsyncGenerator[tuple[Transaction, Promotion]]:
        """Give what `moving` gives, for the move that ends the promotion; raises StalePromotion as that does."""
        async with self.moving(run) as given:
            yield given
            failpoint("settle.before_commit")
        failpoint("settle.after_commit")
        self._ports.announcer.wake()

    async def hold(self, tx: Transaction, promotion: Promotion) -> None:
        """Put the release of a promotion that goes back on hold, where its end lies in the release (engine rules 7 and 53)."""
        if promotion.phase in UNSUCCESSFUL and not promotion.spares_release:
            await hold(tx, promotion)

    async def give_way(self, run: RolloutRun, cause: str) -> None:
        """End at once and touch nothing more: what somebody else rolls out is never ours to judge or to undo (engine rule 44)."""
        async with self.settling(run) as (tx, current):
            await self.hold(tx, current)
            causes = [c for c in (current.cause, Sentence.of(cause)) if c]
            await move(tx, current, PromotionEvent.SUPERSEDED, actor=BOT, cause=Sentence.join("; ", causes))

    async def stuck(self, run: RolloutRun, why: str, *, event: PromotionEvent = PromotionEvent.STUCK) -> None:
        """End in Failure: a person is needed; the first cause stays, the second is added."""
        promotion = run.promotion
        causes = [c for c in (promotion.cause, Sentence.of(why)) if c]
        async with self.settling(run) as (tx, current):
            await self.hold(tx, current)
            await move(tx, current, event, actor=BOT, cause=Sentence.join("; ", dict.fromkeys(causes)))
