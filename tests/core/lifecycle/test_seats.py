"""One person fills one seat, and whoever could fill several keeps nobody out: compared with trying every way to sit."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from core.actor import Actor
from core.lifecycle.approvals import may_approve, missing, open_seats, seats_in_words
from core.lifecycle.seats import filled, seats_of
from core.policy.authorization import parse_policy
from core.policy.people import among
from core.policy.rules import ApprovalRule
from core.records.approval import Approval
from tests.core.lifecycle.test_approvals import ALICE, BOB, CAROL, decided, promotion

PEOPLE = [Actor("slack", f"U0{n}") for n in range(5)]
GROUPS = {"S01DEVS": frozenset({"U00", "U01", "U02"}), "S02SRE": frozenset({"U02", "U03"})}
WHO = st.sampled_from(["group:S01DEVS", "group:S02SRE", "U01", "U03", "U04"])
SEATS = st.lists(st.lists(WHO, max_size=2).map(tuple), max_size=4)


def tried_out(people: list[Actor], seats: list[tuple[str, ...]]) -> int:
    """Return the most seats that are filled by any way to sit down; None is an empty chair."""
    chairs = [*people, *([None] * len(seats))]
    return max(
        (
            sum(
                who is not None and (not seat or among(who, seat, GROUPS))
                for who, seat in zip(order, seats, strict=True)
            )
            for order in permutations(chairs, len(seats))
        ),
        default=0,
    )


@given(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=4), SEATS)
def test_as_many_seats_are_filled_as_can_be(people: list[Actor], seats: list[tuple[str, ...]]):
    assert filled(people, seats, GROUPS) == tried_out(people, seats)


@given(st.permutations(PEOPLE), SEATS.filter(bool))
def test_whoever_may_approve_brings_it_nearer_and_nobody_is_refused_who_would(
    people: list[Actor], seats: list[tuple[str, ...]]
):
    rule = ApprovalRule(
        count=len(seats),
        seats=tuple(seats),
        people=tuple(dict.fromkeys(who for seat in seats for who in seat)),
    )
    waiting = promotion(len(seats))
    approvals: list[Approval] = []
    for person in people:
        given_so_far = [a.actor for a in approvals]
        nearer = filled([*given_so_far, person], seats, GROUPS) > filled(given_so_far, seats, GROUPS)
        told = may_approve(waiting, rule, approvals, person, GROUPS)
        # Where one seat is for anybody the rule names nobody whom it would keep out.
        assert told.allowed == nearer or not among(person, rule.people, GROUPS)
        assert not {"you", "your"} & set(str(told.because).split()), "others read it"
        assert bool(told.because) != told.allowed
        if told.allowed:
            approvals.append(decided(person))
        left, still = open_seats(waiting, rule, approvals, GROUPS)
        assert left == len(seats) - len(approvals)
        assert len(still) >= left
        assert bool(still) == bool(left)
    assert filled([a.actor for a in approvals], seats, GROUPS) == len(approvals)


def test_the_seats_that_are_left_are_named_and_not_the_people_who_were_counted():
    rule = ApprovalRule(
        count=2, seats=(("group:S01DEVS",), ("group:S02SRE",)), people=("group:S01DEVS", "group:S02SRE")
    )
    seated = decided(Actor("slack", "U00"))
    left, still = open_seats(promotion(2), rule, [seated], GROUPS)
    assert (left, still) == (1, [("group:S02SRE",)])
    assert str(seats_in_words(still)) == "group:S02SRE"
    # Whoever has left the group since fills no seat, though they count as a person.
    assert open_seats(promotion(2), rule, [seated], {}) == (2, list(rule.seats))
    assert missing(promotion(2), [seated]) == 1
    # Of one who could sit on either it is not known which one is left.
    either = decided(Actor("slack", "U02"))
    assert open_seats(promotion(2), rule, [either], GROUPS) == (1, list(rule.seats))
    assert open_seats(promotion(2), ApprovalRule(count=2), [either], GROUPS) == (1, [])


def test_a_seat_that_is_taken_says_who_is_still_needed():
    rule = ApprovalRule(
        count=2, seats=(("U02BOB", "U03CAROL"), ("U05DAVE",)), people=("U02BOB", "U03CAROL", "U05DAVE")
    )
    told = may_approve(promotion(2), rule, [decided(BOB)], CAROL, {})
    assert str(told.why) == (
        "you may not approve PABCDEFGHIJ: every seat that you could fill is taken; it still needs @U05DAVE"
    )


def test_where_the_policy_has_fewer_seats_by_now_the_others_are_for_any_of_its_people():
    rule = ApprovalRule(count=1, seats=(("U02BOB",),))
    assert seats_of(rule, 2) == [("U02BOB",), ("U02BOB",)]
    assert seats_of(ApprovalRule(count=1), 1) == [()]


def test_who_made_what_goes_out_does_not_approve_it_unless_the_policy_says_so():
    brings = replace(promotion(), authors=(BOB,))
    told = may_approve(brings, ApprovalRule(count=1), (), BOB, {})
    assert str(told.why) == (
        "you may not approve PABCDEFGHIJ: it brings what you have made or added, and somebody else must approve it"
    )
    assert may_approve(brings, ApprovalRule(count=1, requester=True), (), BOB, {}).allowed
    assert may_approve(brings, ApprovalRule(count=1), (), CAROL, {}).allowed
    assert not may_approve(brings, ApprovalRule(count=1), (), ALICE, {}).allowed


def test_a_policy_says_who_fills_which_seat():
    text = "apps: [{match: ['*'], approvals: {promote: {seats: [{from: ['group:S01DEVS'], count: 2}, {from: [U02BOB]}]}}}]"
    rules = parse_policy(text, open_to_all=True).rules("any")
    assert rules.promote.count == 3
    assert rules.promote.seats == (("group:S01DEVS",), ("group:S01DEVS",), ("U02BOB",))
    assert rules.promote.people == ("group:S01DEVS", "U02BOB")
    assert (rules.rollback.count, rules.rollback.seats) == (0, ())
