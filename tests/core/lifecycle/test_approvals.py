"""Seats of an approval: filled by different people who did not ask, and by no token."""

from datetime import UTC, datetime
from typing import Literal

import pytest

from core.actor import BOT, Actor
from core.lifecycle.approvals import may_approve, missing
from core.policy.authorization import ApprovalRule
from core.promotion import Phase, Promotion
from core.records.approval import Approval

NOW = datetime(2026, 1, 15, 14, 3, tzinfo=UTC)
ALICE, BOB, CAROL = (Actor("slack", uid) for uid in ("U01ALICE", "U02BOB", "U03CAROL"))
CI = Actor("token", "ci")
GROUPS = {"S01DEVS": frozenset({"U03CAROL"})}


def promotion(approvals: int = 1, requested_by: Actor = ALICE) -> Promotion:
    return Promotion(
        id="PABCDEFGHIJ",
        app="store",
        release="RABCDEFGHIJ",
        phase=Phase.AWAITING_APPROVAL,
        requested_by=requested_by,
        requested_at=NOW,
        approvals_needed=approvals,
    )


def decided(actor: Actor, decision: Literal["approve", "decline"] = "approve") -> Approval:
    return Approval(promotion="PABCDEFGHIJ", actor=actor, decision=decision, at=NOW)


def why_not(actor: Actor, rule: ApprovalRule, *before: Approval) -> str:
    decision = may_approve(promotion(), rule, before, actor, GROUPS)
    assert decision.allowed == (not decision.why)
    return str(decision.why)


def test_somebody_else_may_approve():
    assert why_not(BOB, ApprovalRule(count=1)) == ""


def test_the_one_who_asked_may_not_approve_unless_the_policy_says_so():
    assert "you asked for it" in why_not(ALICE, ApprovalRule(count=1))
    assert why_not(ALICE, ApprovalRule(count=1, requester=True)) == ""


@pytest.mark.parametrize("actor", [CI, BOT])
def test_a_token_and_the_bot_never_fill_a_seat(actor: Actor):
    assert "only a person can approve" in why_not(
        actor, ApprovalRule(count=1, requester=True, people=(actor.key,))
    )
    assert missing(promotion(), [decided(actor)]) == 1


def test_a_second_click_is_told_when_the_first_was():
    assert (
        why_not(BOB, ApprovalRule(count=2), decided(BOB))
        == "you have already approved PABCDEFGHIJ at 14:03 UTC"
    )
    assert "already declined" in why_not(BOB, ApprovalRule(count=2), decided(BOB, "decline"))


def test_only_those_whom_the_rule_names_may_approve():
    rule = ApprovalRule(count=1, people=("U02BOB", "group:S01DEVS"))

    assert why_not(BOB, rule) == ""
    assert why_not(CAROL, rule) == ""
    assert why_not(Actor("slack", "U09ZED"), rule) == (
        "you may not approve PABCDEFGHIJ: the policy wants one of @U02BOB, group:S01DEVS for store"
    )


def test_the_count_is_of_different_people():
    wanted = promotion(approvals=2)

    assert missing(wanted, []) == 2
    assert missing(wanted, [decided(BOB), decided(BOB)]) == 1
    assert missing(wanted, [decided(BOB), decided(CAROL)]) == 0
    assert missing(wanted, [decided(BOB), decided(CAROL), decided(ALICE)]) == 0


def test_a_decline_fills_no_seat():
    assert missing(promotion(approvals=1), [decided(BOB, "decline")]) == 1


def test_where_none_is_needed_none_is_missing():
    assert missing(promotion(approvals=0), []) == 0


def test_nobody_is_told_to_ask_who_cannot_approve_it_either():
    """Who asked for it, who has approved already, and guests, whom the directory knows."""
    zed = Actor("slack", "U09ZED")
    rule = ApprovalRule(count=3, people=("U01ALICE", "U02BOB", "U05GUEST", "U03CAROL"))
    told = may_approve(promotion(3), rule, [decided(BOB)], zed, GROUPS, {"U05GUEST"})
    assert str(told.why).endswith("the policy wants one of @U03CAROL for store")
    alone = may_approve(promotion(), ApprovalRule(count=1, people=("U01ALICE",)), (), zed, GROUPS)
    assert str(alone.why).endswith("nobody whom the policy names for store can approve it now")


def test_the_one_who_asked_is_named_as_able_where_the_policy_lets_them():
    told = why_not(CAROL, ApprovalRule(count=1, people=(ALICE.id,), requester=True))
    assert "the policy wants one of" in told
