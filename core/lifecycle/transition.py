"""How a promotion moves: its row, its line, its audit row and its outbox rows, in one transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from core.actor import BOT, Actor
from core.lifecycle.measuring import ending_reason, milestones
from core.lifecycle.timeline import add_picture_if_unusual
from core.ports.store import Transaction
from core.promotion import SILENT, Phase, Promotion, PromotionEvent, advance
from core.records.line import Line

ATOM = "atom/app"


def phase_line(before: Phase, after: Phase, at: datetime) -> Line:
    """Return Convox's line of a transition; each happens at most once in a promotion, so it is its own key."""
    return Line(at=at, object=ATOM, text=f"Status: {before} => {after}", key=f"phase:{before}:{after}")


def phase_after(line: Line) -> Phase | None:
    """Return the phase that a promotion is in from this line on, None where the line is about something else."""
    return Phase(line.key.rpartition(":")[2]) if line.key.startswith("phase:") else None


async def start(tx: Transaction, promotion: Promotion) -> None:
    """Write the first line of a promotion that has just become Pending, and that it has started.

    It begins at the last ending that touched the cluster, `Running` where there is none (contract 7).
    """
    before = await tx.last_touched_phase(promotion.app, promotion.id) or Phase.RUNNING
    await tx.add_lines(promotion.id, [phase_line(before, promotion.phase, tx.now)])
    detail = {"app": promotion.app, "release": promotion.release}
    await tx.audit(BOT, "promotion.start", promotion.id, detail)


async def move(
    tx: Transaction, promotion: Promotion, event: PromotionEvent, *, actor: Actor, **changes: Any
) -> Promotion:
    """Move a promotion on and write everything that goes with it.

    Args:
        tx: the transaction.
        promotion: as it was read in this transaction or before; the store refuses if it has moved since.
        event: what happened.
        actor: who made it happen, for the audit.
        **changes: further fields of the promotion to set.

    Raises:
        Conflict: the event does not apply, or somebody else was first.
    """
    moved = replace(advance(promotion, event, now=tx.now), **changes)
    if moved.settled:
        moved = replace(moved, cause_kind=ending_reason(moved))
    await tx.save_promotion(moved, was=promotion.phase)
    await tx.add_milestones(milestones(promotion, moved, event, tx.now))
    if moved.phase not in SILENT:
        await tx.add_lines(moved.id, [phase_line(promotion.phase, moved.phase, tx.now)])
    if moved.settled:
        await tx.add_terminal(moved.id)
        await add_picture_if_unusual(tx, moved)
        if moved.kind == "rollback" and moved.touched_at is None:
            # The copy that it made never ran: what comes next is not to be based on it.
            await tx.save_release_status(replace(await tx.release_status(moved.release), withdrawn=True))
    detail = {"app": moved.app, "release": moved.release, "from": promotion.phase, "to": moved.phase}
    await tx.audit(actor, f"promotion.{event.replace(' ', '_')}", moved.id, detail)
    return moved
