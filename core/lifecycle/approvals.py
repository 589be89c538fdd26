"""The arithmetic of approvals: who may fill a seat, and how many seats are empty."""

from collections.abc import Container, Mapping, Sequence

from core.actor import Actor
from core.policy.authorization import ApprovalRule, Decision, named
from core.policy.people import among
from core.promotion import Promotion
from core.records.approval import Approval
from core.sentence import EMPTY_SENTENCE, Sentence, TimeOfDay


def may_approve(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    actor: Actor,
    groups: Mapping[str, frozenset[str]],
    unable: Container[str] = (),
) -> Decision:
    """Say whether this person may approve this promotion now.

    Args:
        promotion: what is to be approved, awaiting it.
        rule: the rule that applies to it today.
        approvals: what has been decided so far.
        actor: who clicks; that they hold `approve` is checked by the policy.
        groups: group id → user ids.
        unable: of whom nobody is told that they could, as the policy names them.
    """
    if why := _why_not(promotion, rule, approvals, actor, groups, unable):
        return Decision(allowed=False, why=why)
    return Decision(allowed=True)


def _why_not(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    actor: Actor,
    groups: Mapping[str, frozenset[str]],
    unable: Container[str],
) -> Sentence:
    if actor.kind != "slack":
        return Sentence.of(actor, f" may not approve {promotion.id}: only a person can approve")
    if decided := already(promotion, approvals, actor):
        return decided
    refused = f"you may not approve {promotion.id}: "
    if not rule.requester and actor.key == promotion.requested_by.key:
        return Sentence.of(refused, "you asked for it, and somebody else must approve it")
    if rule.people and not among(actor, rule.people, groups):
        done = {a.actor.id for a in approvals} | (set() if rule.requester else {promotion.requested_by.id})
        able = [named(who) for who in rule.people if who not in done and who not in unable]
        if not able:
            return Sentence.of(
                refused, f"nobody whom the policy names for {promotion.app} can approve it now"
            )
        return Sentence.of(
            refused, "the policy wants one of ", Sentence.join(", ", able), f" for {promotion.app}"
        )
    return EMPTY_SENTENCE


def already(promotion: Promotion, approvals: Sequence[Approval], actor: Actor) -> Sentence:
    """Return what this person has decided about it before, or nothing: nobody decides twice."""
    before = next((a for a in approvals if a.actor.key == actor.key), None)
    if before is None:
        return EMPTY_SENTENCE
    return Sentence.of(f"you have already {before.decision}d {promotion.id} at ", TimeOfDay(before.at))


def missing(promotion: Promotion, approvals: Sequence[Approval]) -> int:
    """Return how many people must still approve; a token and a second click of one person fill no seat."""
    people = {a.actor.id for a in approvals if a.decision == "approve" and a.actor.kind == "slack"}
    return max(0, promotion.approvals_needed - len(people))
