"""The moment a promotion starts: it takes over, raises the fencing number and fixes its way back."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from core.failpoints import failpoint
from core.lifecycle.guards import PromotionContext, rollback_target
from core.lifecycle.holds import hold
from core.lifecycle.transition import move
from core.ports.store import Transaction
from core.promotion import UNSUCCESSFUL, Promotion, PromotionEvent


async def claim_rollout(tx: Transaction, context: PromotionContext, promotion: Promotion) -> Promotion:
    """Start: take over what is in flight, raise the fencing token, fix the way back."""
    holder = context.in_flight
    if holder is not None:
        if holder.phase in UNSUCCESSFUL and not holder.spares_release:
            # It has failed already; that a take-over ends it makes its release no better (engine rule 7).
            await hold(tx, holder)
        await move(
            tx,
            holder,
            PromotionEvent.SUPERSEDED,
            actor=promotion.requested_by,
            superseded_by=promotion.release,
            taken_over_by=promotion.requested_by,
        )
        failpoint("takeover.before_commit")
    app = replace(context.app, token=context.app.token + 1)
    await tx.save_app(app)
    return replace(
        promotion,
        started_at=tx.now,
        stage_at=tx.now,
        token=app.token,
        back_to=await _target(tx, context, promotion),
        baseline_of=_baseline_of(holder),
    )


async def _target(tx: Transaction, context: PromotionContext, promotion: Promotion) -> str | None:
    """Return where it goes back to; a restart, to the same release with the pods of before."""
    if promotion.restarts:
        return promotion.release
    return await rollback_target(
        tx,
        context.app.name,
        promotion.release,
        stopped=await _stopped(tx, context.in_flight),
        left=await _turned_away(tx, context, promotion),
    )


async def _turned_away(tx: Transaction, context: PromotionContext, promotion: Promotion) -> set[str]:
    """Return the releases that will be withdrawn once the rollback has touched something; see `withdraw`."""
    if promotion.kind != "rollback":
        return set()
    flying = context.in_flight.release if context.in_flight else None
    return await _left(tx, promotion, {context.app.active_release, flying})


async def withdraw(tx: Transaction, rollback: Promotion) -> None:
    """Mark what a person turned away from: the active release and the one that was in flight (engine rule 6).

    It is done with the first effect: a rollback that is refused before leaves everything as it was.
    """
    app = await tx.app(rollback.app)
    stopped = await tx.stopped_by(rollback.release)
    for release in await _left(tx, rollback, stopped | {app.active_release}):
        await tx.save_release_status(replace(await tx.release_status(release), withdrawn=True))


async def _left(tx: Transaction, rollback: Promotion, releases: AbstractSet[str | None]) -> set[str]:
    """Return those that a person turned away from: never the one that the rollback brings back."""
    source = (await tx.release_entry(rollback.app, rollback.release)).copy_of
    return {each for each in releases if each is not None and each not in {source, rollback.release}}


async def _stopped(tx: Transaction, holder: Promotion | None) -> Promotion | None:
    """Return the one whose target is inherited: a rollback that has written nothing has turned away from nothing."""
    while holder is not None and holder.kind == "rollback" and holder.touched_at is None:
        holder = await tx.promotion(holder.baseline_of) if holder.baseline_of else None
    return holder


def _baseline_of(holder: Promotion | None) -> str | None:
    """Return whose intent a take-over inherits: it holds what that one inherited itself."""
    if holder is None:
        return None
    return holder.id if holder.touched_at else holder.baseline_of
