"""Every ending has a reason from the list, and every milestone of a rollout is timed from its start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.actor import Actor
from core.lifecycle.measuring import REASONS, ending_reason, milestones
from core.promotion import SETTLED, Phase, Promotion, PromotionEvent
from core.records.milestone import BOUNDS, Milestone, RolloutTimes
from core.records.progress import Completion, Progress

START = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = Actor("slack", "U1", "alice")


def promotion(phase, **fields):
    made = Promotion(
        id="P1",
        app="myapp",
        release="R1",
        phase=phase,
        requested_by=ALICE,
        requested_at=START,
        started_at=START,
        stage_at=START,
    )
    return replace(made, **fields)


@pytest.mark.parametrize(
    ("phase", "fields", "reason"),
    [
        ("Running", {}, "verified"),
        ("Running", {"nothing_ran": True}, "nothing_ran"),
        ("Reverted", {"cause_kind": "image"}, "image"),
        ("Reverted", {"cause_kind": "image", "cancelled_by": ALICE}, "cancelled"),
        ("Failure", {}, "deadline"),
        ("Failure", {"cause_kind": "unrouted"}, "unrouted"),
        ("Stopped", {"cause_kind": "crash"}, "crash"),
        ("Refused", {}, "rejected"),
        ("Refused", {"cause_kind": "conflict"}, "conflict"),
        ("Refused", {"cause_kind": "image"}, "rejected"),
        ("Refused", {"cancelled_by": ALICE}, "cancelled"),
        ("Superseded", {}, "by_hand"),
        ("Superseded", {"taken_over_by": ALICE}, "taken_over"),
        ("Superseded", {"taken_over_by": ALICE, "started_at": None}, "newer"),
        ("Declined", {}, "declined"),
        ("Expired", {}, "expired"),
    ],
)
def test_why_a_promotion_ended_is_one_word_of_the_list(phase, fields, reason):
    found = ending_reason(promotion(Phase(phase), **fields))

    assert found == reason
    assert found in REASONS[Phase(phase)]


def test_every_ending_has_its_reasons():
    assert REASONS.keys() == SETTLED


def reached(before, event, after, seconds, **fields):
    was = promotion(Phase(before), stage_at=START + timedelta(seconds=2))
    now = replace(was, phase=Phase(after), **fields)
    return milestones(was, now, event, START + timedelta(seconds=seconds))


def test_what_was_verified_was_complete_before():
    progress = Progress(complete={"web": Completion(at=7, pods=2), "worker": Completion(at=9, pods=1)})

    found = reached("Updating", PromotionEvent.VERIFIED, "Running", 32, progress=progress)

    assert found == {Milestone.VERDICT: 32, Milestone.VERIFIED: 32, Milestone.COMPLETE: 11}


def test_a_release_of_which_nothing_ran_is_no_time_of_a_verified_one():
    assert reached("Updating", PromotionEvent.VERIFIED, "Running", 3, nothing_ran=True) == {
        Milestone.VERDICT: 3
    }


@pytest.mark.parametrize(
    ("before", "event", "after", "found"),
    [
        ("Updating", PromotionEvent.BROKEN, "Error", {Milestone.VERDICT: 40}),
        ("Updating", PromotionEvent.OVERDUE, "Deadline", {Milestone.VERDICT: 40}),
        ("Updating", PromotionEvent.FAILING, "Countdown", {Milestone.VERDICT: 40}),
        ("Pending", PromotionEvent.BROKEN, "Error", {Milestone.VERDICT: 40}),
        ("Pending", PromotionEvent.BROKEN, "Refused", {}),
        ("Updating", PromotionEvent.CANCELLED, "Cancelled", {}),
        ("Countdown", PromotionEvent.DUE, "Error", {}),
        ("Rollback", PromotionEvent.VERIFIED, "Reverted", {Milestone.ROLLED_BACK: 40}),
        ("Rollback", PromotionEvent.BROKEN, "Failure", {}),
    ],
)
def test_each_verdict_is_timed_once(before, event, after, found):
    assert reached(before, event, after, 40) == found


def test_what_has_not_started_has_reached_nothing():
    waiting = promotion(Phase.AWAITING_APPROVAL, started_at=None)
    declined = replace(waiting, phase=Phase.DECLINED)
    assert milestones(waiting, declined, PromotionEvent.DECLINED, START) == {}


def test_buckets_add_up_and_keep_bounds_of_before():
    times = RolloutTimes(counts={10.0: 2, 15.0: 1, float("inf"): 1}, seconds=4000.0)

    found = times.buckets()

    assert [found[each] for each in ("5.0", "10.0", "15.0", "20.0", "3600.0", "+Inf")] == [0, 2, 3, 3, 3, 4]
    assert len(found) == len(BOUNDS) + 2
