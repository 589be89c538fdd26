"""The arithmetic of approvals: who may fill a seat, and how many seats are empty."""

from collections.abc import Container, Mapping, Sequence

from core.actor import Actor
from core.lifecycle.seats import empty, filled, seats_of
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
    if refused := _refused(promotion, rule, approvals, actor, groups, unable):
        return refused
    return Decision(allowed=True)


def _refused(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    actor: Actor,
    groups: Mapping[str, frozenset[str]],
    unable: Container[str],
) -> Decision | None:
    if actor.kind != "slack":
        why = Sentence.of(actor, f" may not approve {promotion.id}: only a person can approve")
        return Decision(allowed=False, why=why, because=why)
    if decided := already(promotion, approvals, actor):
        return Decision(allowed=False, why=decided, because=Sentence.of("they have decided already"))
    if excluded := _excluded(promotion, rule, actor):
        return _no(promotion, *excluded)
    if rule.people and not among(actor, rule.people, groups):
        done = {a.actor.id for a in approvals}
        if not rule.requester:
            done |= {promotion.requested_by.id, *(each.id for each in promotion.authors)}
        able = [named(who) for who in rule.people if who not in done and who not in unable]
        if not able:
            return _no(promotion, f"nobody whom the policy names for {promotion.app} can approve it now")
        return _no(
            promotion,
            Sentence.of("the policy wants one of ", Sentence.join(", ", able), f" for {promotion.app}"),
        )
    return _no_seat(promotion, rule, approvals, actor, groups)


def _no(promotion: Promotion, why: str | Sentence, because: str | Sentence = "") -> Decision:
    """Refuse: to the person, and as others read it where that differs."""
    told = Sentence.of(f"you may not approve {promotion.id}: ", why)
    return Decision(allowed=False, why=told, because=Sentence.of(because or why))


def _excluded(promotion: Promotion, rule: ApprovalRule, actor: Actor) -> tuple[str, str] | None:
    """Return why this person may not be one of those who approve, whatever seats there are (engine rule 41), to them and to others."""
    if rule.requester:
        return None
    other = "and somebody else must approve it"
    if actor.key == promotion.requested_by.key:
        return f"you asked for it, {other}", f"they asked for it, {other}"
    if actor.key in {each.key for each in promotion.authors}:
        return (
            f"it brings what you have made or added, {other}",
            f"it brings what they have made or added, {other}",
        )
    return None


def _no_seat(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    actor: Actor,
    groups: Mapping[str, frozenset[str]],
) -> Decision | None:
    """Refuse whoever fills none of the seats that are left."""
    if not rule.seats:
        return None
    seats = seats_of(rule, promotion.approvals_needed)
    seated = _seated(approvals)
    if filled([*seated, actor], seats, groups) > filled(seated, seats, groups):
        return None
    needs = Sentence.of("; it still needs ", seats_in_words(empty(seated, seats, groups)))
    return _no(
        promotion,
        Sentence.of("every seat that you could fill is taken", needs),
        Sentence.of("every seat that they could fill is taken", needs),
    )


def _seated(approvals: Sequence[Approval]) -> list[Actor]:
    return [a.actor for a in approvals if a.decision == "approve" and a.actor.kind == "slack"]


def open_seats(
    promotion: Promotion,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    groups: Mapping[str, frozenset[str]],
) -> tuple[int, list[tuple[str, ...]]]:
    """Return how many must still approve, and the seats that are left for them: none where the policy has no seats of its own.

    Of more seats than are missing any will do: whoever comes next decides who moves to which.
    """
    if not rule.seats:
        return missing(promotion, approvals), []
    seats, seated = seats_of(rule, promotion.approvals_needed), _seated(approvals)
    left = max(0, promotion.approvals_needed - filled(seated, seats, groups))
    return left, empty(seated, seats, groups) if left else []


def seats_in_words(seats: Sequence[tuple[str, ...]]) -> Sentence:
    """Return by whom seats can be filled, each kind once: `@ann or group pay; @dave`."""
    return Sentence.join("; ", (Sentence.join(" or ", map(named, seat)) for seat in dict.fromkeys(seats)))


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
