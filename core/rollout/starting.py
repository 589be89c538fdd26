"""Everything before the first PATCH: the card, the approvals, a look, a dry run, and the stored intent."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal, TypeVar

from core.actor import BOT
from core.errors import Conflict, FieldConflict, Rejected
from core.failpoints import failpoint
from core.lifecycle.bundles import sendable
from core.lifecycle.measuring import CONFLICT, REJECTED, UNAPPLIED
from core.lifecycle.take_over import withdraw
from core.lifecycle.transition import move
from core.lifecycle.visibility import CARD_PATIENCE, undelivered_card, why_unseen
from core.ports.cluster import Watch
from core.ports.store import Transaction
from core.promotion import Phase, Promotion, PromotionEvent
from core.records.bundle import Ref
from core.records.intent import BaselineObject, Intent
from core.rollout.counts import recorded
from core.rollout.effects import (
    BACK_PATIENCE,
    Effects,
    RolloutPorts,
    StageTimeout,
    StalePromotion,
    ensure_current,
)
from core.rollout.lineage import bundles_of, claim_of, redactor_of
from core.sentence import EMPTY_SENTENCE, Sentence

T = TypeVar("T")


class RolloutStarter:
    """Brings a Pending promotion to the point of no return, or refuses it with nothing changed."""

    def __init__(self, ports: RolloutPorts, effects: Effects) -> None:
        self._ports = ports
        self._effects = effects

    async def baseline(self, promotion: Promotion) -> Intent | None:
        """Return what is there before anything is touched, not stored yet; None where the promotion was refused.

        Raises:
            StalePromotion: a person cancelled it or took over meanwhile.
        """
        if promotion.phase is not Phase.PENDING:
            return await self._inherited(promotion)
        reason = await self._unseen(promotion) or await self._ports.gate.why_not(promotion)
        if reason:
            await self._refuse(promotion, PromotionEvent.REFUSED, reason)
            return None
        intent = await self._within_pending(promotion, lambda: self._look(promotion))
        failpoint("start.after_look")
        if intent is None or not await self._within_pending(promotion, lambda: self._preflight(promotion)):
            return None
        failpoint("start.after_preflight")
        return intent

    async def commit(self, promotion: Promotion, intent: Intent, watch: Watch) -> Intent | None:
        """Store the intent and return it as stored; None where the promotion was refused, or has to go back at once.

        Nothing is touched before everything that will be watched has been seen (engine rule 50). One that goes back already
        does so blindly if need be: what it stopped is half rolled out.

        Raises:
            StalePromotion: a person cancelled it or took over meanwhile.
        """
        if promotion.phase is Phase.PENDING:
            if not await self._within_pending(promotion, lambda: _wait_for_sync(watch)):
                return None
            # From a terminal nothing has waited for the card; by now Slack may have said that nobody would see it.
            if reason := why_unseen(await self._ports.store.read.card(promotion.id)):
                await self._refuse(promotion, PromotionEvent.REFUSED, Sentence.of(reason))
                return None
        return await self._keep(promotion, intent)

    async def _within_pending(self, promotion: Promotion, attempt: Callable[[], Awaitable[T]]) -> T | None:
        """Return what an attempt returns, or None where it was refused, or Pending's time is over."""
        limit = promotion.limits.pending
        try:
            return await self._effects.retry(promotion, attempt, limit=limit)
        except Rejected as error:
            kind = CONFLICT if isinstance(error, FieldConflict) else REJECTED
            await self._refuse(promotion, PromotionEvent.REFUSED, Sentence.of(str(error)), kind)
        except StageTimeout as error:
            late = f"it did not begin within {limit:g} s"
            why = f"the cluster did not answer for {limit:g} s: {error}" if str(error) else late
            await self._refuse(promotion, PromotionEvent.OVERDUE, Sentence.of(why), UNAPPLIED)
        return None

    async def _inherited(self, promotion: Promotion) -> Intent:
        """Return the baseline of a promotion that goes back before its own first PATCH, for it has taken over.

        What it stopped is half rolled out, and nobody else undoes that.

        Raises:
            StalePromotion: a person took over meanwhile.
        """
        assert promotion.baseline_of is not None, "without anything to undo it would have been refused"
        intent = await self._ports.store.read.intent(promotion.baseline_of)
        assert intent is not None, "only what has touched something is inherited"
        if promotion.kind == "promote":
            # Without an answer, what the one before had found will do; going back meets the same trouble by itself.
            with suppress(Rejected, StageTimeout):
                intent = await self._effects.retry(
                    promotion, lambda: self._look(promotion), limit=BACK_PATIENCE
                )
        return intent

    async def _unseen(self, promotion: Promotion) -> Sentence:
        """Return why nobody would see it. A terminal waits for Slack only where the channel was closed the last time (rule 60)."""
        if promotion.channel is None:
            return EMPTY_SENTENCE
        read = self._ports.store.read
        if promotion.source != "slack" and await undelivered_card(read, promotion) is None:
            return EMPTY_SENTENCE
        return Sentence.of(why_unseen(await self._ports.announcer.wait_for_card(promotion.id, CARD_PATIENCE)))

    async def _look(self, promotion: Promotion) -> Intent:
        read, cluster = self._ports.store.read, self._ports.cluster
        await cluster.check_anchor(await read.app(promotion.app), await claim_of(read, promotion))
        found = await cluster.read_baseline(promotion.app, await self._refs(promotion))
        return recorded(found, await read.workload_counts(promotion.app))

    async def _refs(self, promotion: Promotion) -> list[Ref]:
        """Return what may exist and matters: what this promotion applies or undoes, and what earlier ones left over.

        Secrets of earlier releases, one a service and release for ever, are neither applied nor pruned.
        """
        read, cluster = self._ports.store.read, self._ports.cluster
        own = {ref for bundle in await bundles_of(read, promotion) for ref in bundle.refs}
        return sorted(own | await read.bundle_refs(promotion.app, cluster.pruned_kinds))

    async def _preflight(self, promotion: Promotion) -> Literal[True]:
        bundle = await self._ports.store.read.bundle(promotion.release)
        assert bundle is not None, "a bundle is stored with the request"
        bundle = await sendable(self._ports.store.read, self._ports.cluster, promotion, bundle)
        await self._ports.cluster.preflight(
            promotion.app, bundle, token=promotion.token, force=promotion.forced
        )
        return True

    async def _keep(self, promotion: Promotion, intent: Intent) -> Intent:
        """Store the intent and that something is about to be touched, in one transaction (engine rule 11)."""
        async with self._ports.store.transaction() as tx:
            current = await ensure_current(tx, promotion)
            intent = await self._inherit(tx, promotion, intent)
            await tx.save_intent(promotion.id, intent)
            app = await tx.app(promotion.app)
            await tx.save_app(replace(app, namespace_uid=intent.namespace_uid))
            if promotion.kind == "rollback" and promotion.phase is Phase.PENDING:
                await withdraw(tx, promotion)
            # The card says differently from now on what a cancel would do.
            touched = replace(current, touched_at=tx.now, revision=current.revision + 1)
            await tx.save_promotion(touched, was=promotion.phase)
        failpoint("start.after_intent")
        return intent

    async def _inherit(self, tx: Transaction, promotion: Promotion, intent: Intent) -> Intent:
        """Take the `existed` flags of the promotion that was taken over: its objects are not a baseline."""
        earlier = await tx.intent(promotion.baseline_of) if promotion.baseline_of else None
        if earlier is None:
            return intent
        return replace(intent, objects=tuple(_older(o, earlier) for o in intent.objects))

    async def _give_back(self, tx: Transaction, promotion: Promotion) -> None:
        """Return the number that nothing was written with.

        Otherwise asking often enough would outgrow the number of an anchor that refuses (rule 14).
        """
        app = await tx.app(promotion.app)
        if app.token == promotion.token:
            await tx.save_app(replace(app, token=app.token - 1))

    async def _refuse(
        self, promotion: Promotion, event: PromotionEvent, reason: Sentence, kind: str = REJECTED
    ) -> None:
        """End it with nothing changed; one that has taken over goes back instead (engine rule 5)."""
        reason = reason.with_text(await redactor_of(self._ports.store.read, promotion))
        try:
            async with self._ports.store.transaction() as tx:
                current = await ensure_current(tx, promotion)
                if current.untouched:
                    await self._give_back(tx, current)
                    await move(tx, current, event, actor=BOT, reason=reason, cause_kind=kind)
                else:
                    went = (
                        PromotionEvent.OVERDUE if event is PromotionEvent.OVERDUE else PromotionEvent.BROKEN
                    )
                    await move(tx, current, went, actor=BOT, cause=reason, cause_kind=kind)
        except Conflict as error:
            raise StalePromotion(str(error)) from error
        self._ports.announcer.wake()


async def _wait_for_sync(watch: Watch) -> Literal[True]:
    await watch.wait_for_sync()
    return True


def _older(found: BaselineObject, earlier: Intent) -> BaselineObject:
    before = earlier.of(found.ref)
    if before is None:
        return found
    return replace(
        found,
        existed=found.existed and before.existed,
        replicas=before.replicas,
        count=before.count,
        restarted=before.restarted,
    )
