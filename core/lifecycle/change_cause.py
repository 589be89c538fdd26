"""What is written on the objects of a promotion of why they are as they are: ids and names only, no word that would need redaction."""

from core.promotion import Promotion
from core.records.change_cause import ChangeCause


def change_cause(promotion: Promotion, release: str) -> ChangeCause:
    """Return the cause of a change to the objects of `release`: the promotion's own, or the one it goes back to."""
    asker = promotion.requested_by.plain
    return ChangeCause(
        promotion=promotion.id,
        requested_by=asker,
        text=f"convox-bot {promotion.id}: {_done(promotion, release)}, requested by {asker}",
    )


def _done(promotion: Promotion, release: str) -> str:
    if release != promotion.release:
        return f"{promotion.release} went back to {release}"
    if promotion.restarts:
        return f"restart of {release}"
    return f"{promotion.kind} of {release}"
