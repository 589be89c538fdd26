"""The moment at which a promotion that waited starts: everything is asked again, in the transaction that starts it."""

from core.actor import BOT
from core.lifecycle.due import must_wait
from core.lifecycle.freezing import frozen
from core.lifecycle.gate import mismatch
from core.lifecycle.guards import meant_release, more_asked_since, read_context, refused_since, unpinned_since
from core.lifecycle.holds import why_held
from core.lifecycle.take_over import claim_rollout
from core.lifecycle.transition import move, start
from core.policy.authorization import Policy
from core.ports.cluster import Cluster
from core.ports.store import Transaction
from core.promotion import Promotion, PromotionEvent, advance
from core.records.bundle import Bundle
from core.sentence import Sentence


async def begin(
    tx: Transaction,
    cluster: Cluster,
    policy: Policy,
    promotion: Promotion,
    event: PromotionEvent,
    *,
    bundle: Bundle,
    void: Sentence,
) -> Promotion:
    """Start it, refuse it, or leave it waiting for what has not come yet; void, it stops nobody else's.

    Args:
        tx: the transaction.
        cluster: knows what would be pruned, which is part of what was approved.
        policy: as it is now.
        promotion: as it is in the transaction.
        event: what has come: the last approval, or what it waited for.
        bundle: what would run.
        void: why its approvals count no longer, or nothing.
    """
    context = await read_context(tx, promotion.app)
    freeze = frozen(policy, await tx.freezes(), promotion.app, tx.now)
    if must_wait(promotion, busy=context.in_flight is not None, frozen=freeze is not None, now=tx.now):
        if event is PromotionEvent.APPROVED:
            return await move(tx, promotion, PromotionEvent.SCHEDULED, actor=BOT)
        return promotion
    release = await meant_release(tx, promotion)
    void = (
        refused_since(context, promotion, release, await why_held(tx, release))
        or await more_asked_since(tx, policy, promotion)
        or await unpinned_since(tx, policy.rules(promotion.app), promotion)
        or void
    )
    if promotion.approvals_needed:
        void = void or await mismatch(tx, cluster, promotion, bundle)
    if void:
        return await move(tx, promotion, PromotionEvent.REFUSED, actor=BOT, reason=void)
    started = await claim_rollout(tx, context, advance(promotion, event, now=tx.now))
    await tx.save_promotion(started, was=promotion.phase)
    await start(tx, started)
    return started
