"""Every cell of phase × event: it leads where the table says, or it is refused by name."""

from dataclasses import replace

import pytest

from core.errors import Conflict
from core.promotion import (
    GOING_BACK,
    IN_FLIGHT,
    SETTLED,
    TRANSITIONS,
    UNTOUCHED,
    WAITING,
    Phase,
    Promotion,
    PromotionEvent,
    advance,
)
from core.records.progress import Progress
from tests.core.world import ALICE
from tests.fakes import START

# What the engine rules allow, written down a second time on purpose: "phase event → phase", `!` where untouched.
EXPECTED = {
    "AwaitingApproval": "approved Pending, scheduled Scheduled, declined Declined, expired Expired, superseded Superseded, "
    "refused Refused, cancelled Refused",
    "Scheduled": "due Pending, superseded Superseded, refused Refused, cancelled Refused",
    "Pending": "applied Updating, broken Error, failing Countdown, overdue Deadline, cancelled Cancelled, superseded Superseded",
    "Pending!": "applied Updating, failing Countdown, refused Refused, broken Refused, overdue Refused, cancelled Refused, "
    "superseded Superseded",
    "Updating": "verified Running, broken Error, failing Countdown, overdue Deadline, cancelled Cancelled, superseded Superseded",
    "Countdown": "due Error, stopped Stopped, superseded Superseded",
    "Error": "rolled back Rollback, stuck Failure, superseded Superseded",
    "Deadline": "rolled back Rollback, stuck Failure, superseded Superseded",
    "Cancelled": "rolled back Rollback, stuck Failure, superseded Superseded",
    "Rollback": "verified Reverted, broken Failure, overdue Failure, stuck Failure, superseded Superseded",
}


def promotion(phase: Phase, *, touched: bool = True) -> Promotion:
    return Promotion(
        id="PAAAAAAAAAA",
        app="myapp",
        release="RAAAAAAAAAA",
        phase=phase,
        requested_by=ALICE,
        requested_at=START,
        touched_at=START if touched else None,
        progress=Progress(watched=700.0, services={"web": (1, 2)}),
    )


def expected(phase: Phase, event: PromotionEvent, *, touched: bool) -> Phase | None:
    row = EXPECTED.get(phase if touched or phase is not Phase.PENDING else "Pending!", "")
    cells = dict(cell.rsplit(" ", 1) for cell in row.split(", ") if cell)
    return Phase(cells[event]) if event in cells else None


@pytest.mark.parametrize("touched", [True, False])
@pytest.mark.parametrize("event", PromotionEvent)
@pytest.mark.parametrize("phase", Phase)
def test_a_cell_of_the_table(phase: Phase, event: PromotionEvent, touched: bool):
    before = promotion(phase, touched=touched)
    after = expected(phase, event, touched=touched)
    if after is None:
        with pytest.raises(Conflict, match=f"is {phase}: {event} does not apply"):
            advance(before, event, now=START)
        return
    moved = advance(before, event, now=START)
    assert moved.phase is after
    assert moved.revision == before.revision + 1
    assert moved.settled_at == (START if after in SETTLED else None)


def test_a_settled_promotion_never_moves_again():
    assert not {phase for phase, _ in TRANSITIONS} & SETTLED
    assert not {phase for phase, _ in UNTOUCHED} & SETTLED


def test_every_phase_can_be_reached_and_every_open_one_can_be_left():
    reached = set(TRANSITIONS.values()) | set(UNTOUCHED.values())
    assert reached | {Phase.AWAITING_APPROVAL} == set(Phase)
    assert {phase for phase, _ in TRANSITIONS} == set(Phase) - SETTLED


def test_whoever_may_touch_the_cluster_holds_the_app():
    assert set(Phase) - SETTLED - WAITING == IN_FLIGHT


def test_a_countdown_goes_on_with_the_clock_of_the_rollout_and_the_way_back_does_not():
    counting = advance(promotion(Phase.UPDATING), PromotionEvent.FAILING, now=START)
    assert counting.progress == promotion(Phase.UPDATING).progress
    assert advance(counting, PromotionEvent.DUE, now=START).progress == Progress(services={"web": (1, 2)})


@pytest.mark.parametrize("event", [PromotionEvent.BROKEN, PromotionEvent.OVERDUE, PromotionEvent.CANCELLED])
def test_the_way_back_has_a_clock_of_its_own(event: PromotionEvent):
    turned = advance(promotion(Phase.UPDATING), event, now=START)
    assert turned.phase in GOING_BACK
    assert turned.progress == Progress(services={"web": (1, 2)})


def test_moving_on_changes_nothing_else():
    before = promotion(Phase.PENDING)
    moved = advance(before, PromotionEvent.APPLIED, now=START)
    assert replace(moved, phase=before.phase, revision=before.revision) == before
