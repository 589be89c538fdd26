"""Drawing anew the card of what was live until now: without it an old card would go on offering the way back from a release that runs no more."""

from core.lifecycle.history import MOST_COPIES
from core.ports.store import Transaction
from core.promotion import Phase, Promotion


async def redraw_former(tx: Transaction, promotion: Promotion, former: str | None) -> None:
    """Let the card be drawn anew by which the release became live that a promotion has just replaced.

    Args:
        tx: the transaction in which it is replaced.
        promotion: the one that replaces it.
        former: the release that was active; None where there was none.
    """
    if former is None or former == promotion.release:
        return
    earlier = await tx.live_before(promotion.app, promotion.id)
    # What came back by a rollback became live further back; restarts lie between as well.
    for _ in range(MOST_COPIES):
        if earlier is None or (earlier.phase is Phase.RUNNING and earlier.release != former):
            return
        if earlier.phase is Phase.RUNNING and not earlier.restarts:
            await tx.save_progress(
                earlier.id, earlier.progress, was=earlier.phase, revision=earlier.revision + 1
            )
            return
        earlier = await tx.live_before(promotion.app, earlier.id)
