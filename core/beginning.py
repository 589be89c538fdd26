"""The moment a promotion starts: it takes over, raises the fencing number and fixes its way back."""

from dataclasses import replace

from core.failpoints import failpoint
from core.ports import Transaction
from core.promotion import Event, Promotion
from core.release import Standing
from core.requests import Ground, target_of
from core.transitions import move


async def begin(tx: Transaction, ground: Ground, promotion: Promotion) -> Promotion:
    """Start: take over what is in flight, raise the fencing token, fix the way back."""
    holder = ground.in_flight
    if holder is not None:
        await move(
            tx,
            holder,
            Event.SUPERSEDED,
            actor=promotion.requested_by,
            superseded_by=promotion.release,
            by=promotion.requested_by,
        )
        failpoint("takeover.before_commit")
    if promotion.kind == "rollback":
        await _withdraw(tx, ground)
    app = replace(ground.app, token=ground.app.token + 1)
    await tx.save_app(app)
    return replace(
        promotion,
        started_at=tx.now,
        stage_at=tx.now,
        token=app.token,
        back_to=target_of(ground, promotion.release),
        baseline_of=_baseline_of(holder),
    )


async def _withdraw(tx: Transaction, ground: Ground) -> None:
    """A person turned away from these: never an automatic target again (engine rule 6)."""
    flying = ground.in_flight.release if ground.in_flight else None
    for release in {ground.app.active, flying} - {None}:
        assert release is not None
        standing = ground.standings.get(release) or Standing(release=release)
        await tx.save_standing(replace(standing, withdrawn=True))


def _baseline_of(holder: Promotion | None) -> str | None:
    """Return whose intent a take-over inherits: it holds what that one inherited itself."""
    if holder is None:
        return None
    return holder.id if holder.touched_at else holder.baseline_of
