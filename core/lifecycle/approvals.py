"""The arithmetic of approvals: who may fill a seat, and how many seats are empty."""

from collections.abc import Container, Mapping, Sequence

from core.actor import Actor
from core.lifecycle.seats import filled, seats_of
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
    if excluded := _excluded(promotion, rule, actor):
        return Sentence.of(refused, excluded)
    if rule.people and not among(actor, rule.people, groups):
        done = {a.actor.id for a in approvals}
        if not rule.requester:
            done |= {promotion.requested_by.id, *(each.id for each in promotion.authors)}
        able = [named(who) for who in rule.people if who not in done and who not in unable]
        if not able:
            return Sentence.of(
                refused, f"nobody whom the policy names for {promotion.app} can approve it now"
            )
        return Sentence.of(
            refused, "the policy wants one of ", Sentence.join(", ", able), f" for {promotion.app}"
        )
    return _no_seat(promotion, rule, approvals, actor, groups)


def _excluded(promotion: Promotion, rule: ApprovalRule, actor: Actor) -> str:
    """Return why this person may not be one of those who approve, whatever seats there are (engine rule 41), or ""."""
    if rule.requester:
        return ""
    if actor.key == promotion.requested_by.key:
        return "you asked for it, and somebody else must approve it"
    if actor.key in {each.key for each in promotion.authors}:
        return "it brings what you have made, and somebody else must approve it"
    return ""


def _no_seat(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    actor: Actor,
    groups: Mapping[str, frozenset[str]],
) -> Sentence:
    """Return why this person fills none of the seats that are left, or nothing."""
    if not rule.seats:
        return EMPTY_SENTENCE
    seats = seats_of(rule, promotion.approvals_needed)
    seated = [a.actor for a in approvals if a.decision == "approve"]
    before = filled(seated, seats, groups)
    if filled([*seated, actor], seats, groups) > before:
        return EMPTY_SENTENCE
    open_seats = [
        seat
        for n, seat in enumerate(seats)
        if filled(seated, [*seats[:n], *seats[n + 1 :]], groups) == before
    ]
    whom = Sentence.join(
        "; ", (Sentence.join(" or ", map(named, seat)) for seat in dict.fromkeys(open_seats))
    )
    return Sentence.of(
        f"you may not approve {promotion.id}: every seat that you could fill is taken; it still needs ", whom
    )


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
