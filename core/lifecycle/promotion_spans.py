"""What a promotion's trace holds beside what its rollout did: the whole of it, that it was asked for, and what it waited for."""

from collections.abc import Sequence
from datetime import datetime

from core.lifecycle.delivery_stats import FAILED
from core.ports.tracer import TraceSpan
from core.promotion import Promotion
from core.records.approval import Approval

REQUEST, APPROVAL, SCHEDULED = "request", "approval wait", "scheduled"


def promotion_spans(promotion: Promotion, approvals: Sequence[Approval]) -> list[TraceSpan]:
    """Return them, made of the records alone, so that whoever has died in between tells the same.

    Args:
        promotion: it has ended.
        approvals: what people have decided about it, in order.
    """
    assert promotion.settled_at is not None, f"{promotion.id} has not ended"
    asked, ended = promotion.requested_at, promotion.settled_at
    begun = promotion.started_at or ended
    decided = approvals[-1].at if approvals else begun
    attributes: dict[str, str | int] = {
        "convox.app": promotion.app,
        "convox.release": promotion.release,
        "convox.promotion": promotion.id,
        "convox.kind": promotion.kind,
        "convox.source": promotion.source,
        "convox.ending": promotion.phase,
        "convox.reason": promotion.cause_kind,
    }
    failed = promotion.cause_kind if promotion.phase in FAILED else ""
    name = f"{promotion.kind} {promotion.app}"
    found = [
        _span(promotion, name, asked, ended, attributes, error=failed, root=True),
        _span(promotion, REQUEST, asked, asked, {"convox.source": promotion.source}),
    ]
    if promotion.approvals_needed:
        given = sum(each.decision == "approve" for each in approvals)
        counts: dict[str, str | int] = {
            "convox.approvals.needed": promotion.approvals_needed,
            "convox.approvals.given": given,
        }
        found.append(_span(promotion, APPROVAL, asked, min(decided, begun), counts))
    if promotion.waits_for is not None:
        since = min(decided, begun) if promotion.approvals_needed else asked
        found.append(_span(promotion, SCHEDULED, since, begun))
    return found


def _span(
    promotion: Promotion,
    name: str,
    began: datetime,
    ended: datetime,
    attributes: dict[str, str | int] | None = None,
    *,
    error: str = "",
    root: bool = False,
) -> TraceSpan:
    return TraceSpan(
        promotion=promotion.id,
        name=name,
        began=began,
        ended=ended,
        attributes=attributes or {},
        error=error,
        root=root,
    )
