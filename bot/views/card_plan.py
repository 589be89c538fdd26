"""The steps of a promotion as Slack's plan: what is done, what goes on, and what is still to come."""

from collections.abc import Iterator
from typing import Any, Literal

from bot.views import rich_text
from bot.views.mrkdwn import plain
from bot.views.states import was_complete
from core.promotion import UNSUCCESSFUL, Phase, Promotion
from core.records.progress import Settling

Status = Literal["pending", "in_progress", "complete", "error"]
# Slack takes 50 tasks and, for the title of one, 256 characters; what is longer nobody reads on a phone.
MOST_SERVICES, MOST_TITLE = 40, 100


def card_plan(p: Promotion) -> dict[str, Any] | None:
    """Return the block for a promotion that is on its way; before and after that there is nothing to follow."""
    if not p.in_flight:
        return None
    back = p.phase in UNSUCCESSFUL
    steps = _way_back(p) if back else _way_forward(p)
    title = f"Way back of {p.app}" if back else f"Rollout of {p.release} to {p.app}"
    return {
        "type": "plan",
        "block_id": f"plan:{p.id}:{p.revision}",
        "title": plain(title, MOST_TITLE)["text"],
        "tasks": [step | {"task_id": str(number)} for number, step in enumerate(steps, start=1)],
    }


def _way_forward(p: Promotion) -> Iterator[dict[str, Any]]:
    applied = p.phase is not Phase.PENDING
    if p.approvals_needed:
        yield _task("Approved", "complete")
    yield _task("Applied", "complete") if applied else _task("Being applied", "in_progress")
    yield from _services(p)
    watching = applied and was_complete(p.progress)
    yield _watch(p.progress.settling) if watching else _task("Watch", "pending")
    yield _task("Done", "pending")


def _way_back(p: Promotion) -> Iterator[dict[str, Any]]:
    """Say how far the way back is; where there is none, it is short."""
    ended = "cancelled" if p.phase is Phase.CANCELLED or p.cancelled_by else "failed"
    yield _task(f"Rollout of {p.release}: {ended}", "error")
    if p.kind == "rollback" or not (p.back_to or p.removed):
        return
    back = "What it created" if p.removed else p.back_to
    applied = p.phase is Phase.ROLLBACK
    verb = "removed" if p.removed else "applied again"
    if p.phase is Phase.COUNTDOWN:
        yield _task(f"{back}: {verb}, unless somebody stops that", "pending")
    else:
        yield (
            _task(f"{back}: {verb}", "complete") if applied else _task(f"{back}: being {verb}", "in_progress")
        )
    if applied:
        yield from _services(p)
    yield _task("Done", "pending")


def _services(p: Promotion) -> Iterator[dict[str, Any]]:
    counted = sorted(p.progress.services.items())
    for service, (ready, wanted) in counted[:MOST_SERVICES]:
        done = service in p.progress.complete or ready >= wanted
        yield _task(f"{service}: {ready} of {wanted} ready", "complete" if done else "in_progress")
    if (more := len(counted) - MOST_SERVICES) > 0:
        yield _task(f"{more} more services", "in_progress")


def _watch(settling: Settling | None) -> dict[str, Any]:
    """Say until when it is watched, in the reader's own zone; a pod that was lost meanwhile has no end yet."""
    task = _task("Watching", "in_progress")
    if settling is None or settling.until is None:
        return task
    return task | {"details": rich_text.rich_text(rich_text.until(settling.until))}


def _task(title: str, status: Status) -> dict[str, Any]:
    return {"type": "task_card", "title": plain(title, MOST_TITLE)["text"], "status": status}
