"""The last look before a rollout starts: what was approved is what runs, by people who still may (promise 5)."""

from collections.abc import Sequence

from core.actor import Actor
from core.lifecycle.access import Access
from core.lifecycle.approvals import may_approve
from core.lifecycle.bundles import current_binding
from core.lifecycle.guards import current_rule
from core.lifecycle.rights import explain_right
from core.policy.authorization import ApprovalRule
from core.ports.cluster import Cluster
from core.ports.store import Store, StoreReader
from core.promotion import Promotion
from core.records.approval import Approval
from core.records.bundle import Bundle
from core.sentence import EMPTY_SENTENCE, Sentence


class Gate:
    """Re-checks a promotion that needed approvals, at the moment it starts."""

    def __init__(self, store: Store, cluster: Cluster, access: Access) -> None:
        self._store = store
        self._cluster = cluster
        self._access = access

    async def why_not(self, promotion: Promotion) -> Sentence:
        """Return nothing where it may start, else the reason it is refused."""
        if not promotion.approvals_needed:
            return EMPTY_SENTENCE
        read = self._store.read
        bundle = await stored_bundle(read, promotion)
        return await mismatch(read, self._cluster, promotion, bundle) or await lapsed_approvals(
            read, self._access, promotion
        )


async def stored_bundle(read: StoreReader, promotion: Promotion) -> Bundle:
    """Return what would run; a stored bundle never changes, so it may be read before the transaction that asks for it."""
    bundle = await read.bundle(promotion.release)
    assert bundle is not None, "a bundle is stored with the request"
    return bundle


async def mismatch(read: StoreReader, cluster: Cluster, promotion: Promotion, bundle: Bundle) -> Sentence:
    """Return how that which would run differs from what was approved, or nothing (engine rule 9)."""
    assert promotion.binding is not None, "it is bound with the request"
    changes = promotion.binding.changes(
        await current_binding(read, cluster, await read.app(promotion.app), bundle)
    )
    return Sentence.of(
        f"what was approved has changed since: {', '.join(changes)}; ask again" if changes else ""
    )


async def lapsed_approvals(
    read: StoreReader, access: Access, promotion: Promotion, *, more: int = 0
) -> Sentence:
    """Return who approved and counts no longer, where that leaves too few, or nothing.

    As when they approved, somebody counts who fills a seat that those before them leave: today's seats, and today's groups.

    Args:
        read: the records.
        access: who may what, now.
        promotion: what was approved.
        more: approvals at hand that were checked just now.
    """
    approvals = await read.approvals(promotion.id)
    rule = await current_rule(read, access.policy, promotion)
    gone: list[Sentence] = []
    counted: list[Approval] = []
    for approval in approvals:
        if why := await _why_not(access, rule, promotion, counted, approval.actor):
            gone.append(Sentence.of(approval.actor, " (", why, ")"))
        else:
            counted.append(approval)
    if not gone or len(counted) + more >= promotion.approvals_needed:
        return EMPTY_SENTENCE
    return Sentence.of("an approval no longer counts: ", Sentence.join(", ", gone))


async def _why_not(
    access: Access, rule: ApprovalRule, promotion: Promotion, counted: Sequence[Approval], actor: Actor
) -> Sentence:
    """Return why this person could not approve it now, as others read it: the right is gone, the rule names others by now, or their seats are taken."""
    principal = await access.principal(actor)
    right = explain_right(access.policy, principal, "approve", promotion.app)
    if not right.allowed:
        return right.because
    return may_approve(promotion, rule, counted, principal.actor, principal.groups).because
