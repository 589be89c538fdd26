"""Reads what `explain` is asked with, for a decision about a promotion: the same for who decides and for who only asks."""

from collections.abc import Container
from datetime import datetime

from core.lifecycle.explain import ActionContext
from core.lifecycle.guards import current_rule, meant_release
from core.policy.authorization import Policy
from core.ports.store import StoreReader
from core.promotion import Promotion


async def decision_context(
    read: StoreReader,
    policy: Policy,
    promotion: Promotion,
    now: datetime,
    *,
    not_startable: str = "",
    unable: Container[str] = (),
) -> ActionContext:
    """Return what approving, declining or cancelling a promotion meets."""
    return ActionContext(
        policy=policy,
        now=now,
        not_startable=not_startable,
        promotion=promotion,
        release=await meant_release(read, promotion),
        approvals=await read.approvals(promotion.id),
        rule=await current_rule(read, policy, promotion),
        freezes=await read.freezes(),
        unable=unable,
    )
