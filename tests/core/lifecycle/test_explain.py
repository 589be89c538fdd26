"""One answer for buttons and use cases: who may do what to an app or a promotion now, and why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.actor import Actor
from core.errors import Conflict, Forbidden, NotFound, Unavailable
from core.lifecycle.explain import Action, ActionContext, ActionKind, explain
from core.lifecycle.principal import Principal
from core.policy.authorization import ApprovalRule, Policy, parse_policy
from core.promotion import Phase, Promotion
from core.records.release import ReleaseEntry
from core.sentence import Sentence

NOW = datetime(2026, 1, 15, 14, 3, tzinfo=UTC)
ALICE = Principal(actor=Actor("slack", "U01ALICE", "alice"))
BOB = Principal(actor=Actor("slack", "U02BOB", "bob"))
NOBODY = parse_policy(
    "roles: {viewer: [view], approver: [approve]}\nmembers: [{who: [U01ALICE], roles: [viewer]}, {who: [U02BOB], roles: [approver]}]"
)
ROLLING = Promotion(
    id="PABCDEFGHIJ",
    app="store",
    release="RABCDEFGHIJ",
    phase=Phase.UPDATING,
    requested_by=ALICE.actor,
    requested_at=NOW,
    started_at=NOW,
)
WAITING = replace(ROLLING, phase=Phase.AWAITING_APPROVAL, started_at=None, approvals_needed=1)
RELEASE = ReleaseEntry(
    id="RABCDEFGHIJ", app="store", sequence=2, build="BABCDEFGHIJ", description="", created_at=NOW
)


def meets(**facts: Any) -> ActionContext:
    return replace(ActionContext(policy=Policy.open(), now=NOW), **facts)


def why_not(kind: ActionKind, principal: Principal, context: ActionContext, **more: Any) -> str:
    told = explain(Action(kind=kind, app="store", **more), principal, context)
    assert told.allowed == (not told.why)
    return str(told.why)


def test_the_right_is_asked_before_anything_else_and_says_whom_to_ask():
    told = explain(Action(kind="approve", app="store"), ALICE, meets(policy=NOBODY, not_startable="disk"))
    assert isinstance(told.refusal, Forbidden)
    assert (
        str(told.why)
        == "you may not approve promotions of store: that needs the role approver for it (ask @U02BOB)"
    )
    assert told.ask == ("U02BOB",)


def test_who_is_no_member_and_who_could_not_be_looked_up_may_nothing():
    guest = replace(ALICE, stranger=Sentence.of("guests may not do this"))
    assert why_not("view", guest, meets()) == "guests may not do this"
    unknown = replace(ALICE, unchecked="Slack does not answer")
    told = "I cannot check whether you may view store: Slack does not answer; try again in a minute"
    assert why_not("view", unknown, meets()) == told


@pytest.mark.parametrize("kind", ["promote", "rollback", "restart", "approve"])
def test_nothing_starts_while_the_disk_is_full(kind: ActionKind):
    told = explain(Action(kind=kind, app="store"), BOB, meets(not_startable="the disk is full"))
    assert isinstance(told.refusal, Unavailable)
    with pytest.raises(Unavailable, match="the disk is full"):
        told.enforce()


@pytest.mark.parametrize("kind", ["view", "env", "decline"])
def test_what_starts_nothing_goes_on_while_the_disk_is_full(kind: ActionKind):
    explain(Action(kind=kind, app="store"), BOB, meets(not_startable="the disk is full")).enforce()


def test_while_something_rolls_out_only_what_takes_over_is_allowed():
    busy = meets(in_flight=ROLLING, release=RELEASE, active=RELEASE)
    assert why_not("promote", BOB, busy).startswith("app is currently updating: @alice promotes RABCDEFGHIJ")
    assert why_not("restart", BOB, busy).startswith("app is currently updating")
    assert why_not("promote", BOB, busy, force=True) == ""
    assert why_not("rollback", BOB, busy) == ""


def test_a_release_is_judged_by_convoxs_guards_and_again_is_a_pointer():
    held = meets(release=RELEASE, held=Sentence.of("its rollout failed"))
    assert why_not("promote", BOB, held).startswith("RABCDEFGHIJ is on hold: its rollout failed; ")
    assert why_not("promote", BOB, replace(held, waiting=WAITING)) == ""
    assert why_not("rollback", BOB, held).startswith("RABCDEFGHIJ is on hold")
    assert why_not("promote", BOB, meets()) == ""
    assert why_not("rollback", BOB, meets()) == ""


def test_there_is_nothing_to_restart_before_the_first_release():
    told = explain(Action(kind="restart", app="store"), BOB, meets())
    assert isinstance(told.refusal, NotFound)


def test_an_approval_is_for_somebody_else_while_it_waits():
    facts = meets(promotion=WAITING, rule=ApprovalRule(count=1))
    assert why_not("approve", BOB, facts) == ""
    assert "you asked for it" in why_not("approve", ALICE, facts)
    assert why_not("decline", ALICE, facts) == ""
    assert why_not("approve", BOB, meets()) == ""
    late = replace(facts, promotion=replace(WAITING, expires_at=NOW - timedelta(seconds=1)))
    assert why_not("approve", BOB, late) == "PABCDEFGHIJ has expired: nobody can approve it any more"
    assert why_not("decline", BOB, late) == "PABCDEFGHIJ has expired: nobody can approve it any more"


def test_what_goes_back_or_has_ended_is_not_cancelled():
    assert why_not("cancel", BOB, meets(promotion=ROLLING)) == ""
    back = replace(ROLLING, phase=Phase.ERROR)
    assert why_not("cancel", BOB, meets(promotion=back)) == "PABCDEFGHIJ is already going back"
    told = explain(Action(kind="cancel", app="store"), BOB, meets())
    assert isinstance(told.refusal, Conflict)
    assert str(told.why) == "app is not updating"
