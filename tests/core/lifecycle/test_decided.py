"""What whoever comes too late is told: what became of it, by whom and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.lifecycle.decided import no_longer_waits, not_counting_down, not_running, stopping
from core.promotion import Phase, Promotion
from core.sentence import Sentence
from tests.core.lifecycle.test_approvals import ALICE, BOB, NOW, decided, promotion

LATER = NOW + timedelta(minutes=5)


def ended(phase: Phase, **changes: object) -> Promotion:
    return replace(promotion(1), phase=phase, settled_at=NOW, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (promotion(1), ""),
        (replace(promotion(1), expires_at=NOW), "has expired: nobody can approve it any more"),
        (ended(Phase.EXPIRED), "has expired: nobody can approve it any more"),
        (ended(Phase.DECLINED, declined_by=BOB), "already declined by"),
        (ended(Phase.RUNNING, started_at=NOW), "needed no approval: it is Running"),
        (ended(Phase.SUPERSEDED, superseded_by="RNEWERONEXX"), "was superseded by RNEWERONEXX"),
        (ended(Phase.SUPERSEDED, superseded_by="RNEWERONEXX", taken_over_by=BOB), ", asked for by "),
        (ended(Phase.REFUSED, cancelled_by=BOB), "was cancelled by"),
        (ended(Phase.REFUSED, reason=Sentence.of("no such namespace")), "was refused at"),
        (replace(promotion(1), phase=Phase.PENDING), "was refused: "),
    ],
)
def test_whoever_decides_too_late_is_told_what_became_of_it(asked: Promotion, told: str):
    found = str(no_longer_waits(asked, (), LATER))
    assert told in found
    assert bool(told) == bool(found)


def test_what_has_started_was_approved_by_whoever_came_last():
    started = replace(promotion(1), phase=Phase.UPDATING, started_at=NOW)
    assert "already approved by" in str(no_longer_waits(started, [decided(ALICE), decided(BOB)], LATER))


def test_what_is_being_stopped_is_told_with_its_thread_where_it_has_one():
    going = replace(promotion(1), phase=Phase.ERROR)
    assert str(stopping(replace(going, channel="C1")).hint) == "its thread tells how far it is"
    alone = stopping(replace(going, channel=None))
    assert (str(alone), str(alone.hint)) == (f"{going.id} is already going back", "")
    back = stopping(replace(going, kind="rollback", channel="C1"))
    assert "a rollback does not go back" in str(back)


@pytest.mark.parametrize(
    ("asked", "told", "hint"),
    [
        (None, "nothing of myapp is about to go back by itself", ""),
        (replace(promotion(1), phase=Phase.ROLLBACK), "is already going back", None),
        (ended(Phase.FAILURE, stopped_by=BOB), "already stopped by", ""),
        (replace(promotion(1), phase=Phase.UPDATING), "it is Updating", "stops the rollout"),
        (ended(Phase.RUNNING), "it is Running", ""),
    ],
)
def test_nothing_counts_down_is_said_with_what_does_instead(
    asked: Promotion | None, told: str, hint: str | None
):
    error = not_counting_down(asked, "myapp")
    assert told in str(error)
    if hint is not None:
        assert hint in str(error.hint)
        assert bool(hint) == bool(str(error.hint or ""))


def test_what_does_not_run_is_told_by_how_it_ended():
    assert str(not_running(None)) == "app is not updating"
    assert str(not_running(promotion(1))) == "app is not updating"
    assert "ended Running at" in str(not_running(ended(Phase.RUNNING)))
