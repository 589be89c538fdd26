"""What the trace of a promotion holds beside its rollout: made of records, whatever became of it."""

from dataclasses import replace
from datetime import timedelta

from core.lifecycle.promotion_spans import promotion_spans
from core.promotion import Phase, Promotion
from core.records.approval import Approval
from core.records.waits_for import WaitsFor
from tests.core.world import ALICE, BOB
from tests.fakes import START


def minute(number):
    return START + timedelta(minutes=number)


LIVE = Promotion(
    id="PABCDEFGHIJ",
    app="myapp",
    release="RA",
    phase=Phase.RUNNING,
    requested_by=ALICE,
    requested_at=START,
    started_at=minute(5),
    settled_at=minute(7),
    cause_kind="verified",
)


def told(promotion, *approvals):
    """Return name → (from minute, to minute)."""
    spans = promotion_spans(promotion, approvals)
    assert spans[0].root
    assert not any(each.root for each in spans[1:])
    return {
        each.name: tuple((m - START).total_seconds() / 60 for m in (each.began, each.ended)) for each in spans
    }


def test_what_waits_for_nothing_is_asked_for_and_is():
    assert told(LIVE) == {"promote myapp": (0, 7), "request": (0, 0)}
    assert promotion_spans(LIVE, ())[0].error == ""
    assert promotion_spans(replace(LIVE, phase=Phase.REVERTED, cause_kind="crash"), ())[0].error == "crash"


def test_what_waits_for_people_and_then_for_a_time_tells_both():
    waits = WaitsFor(what="time", at=minute(5))
    approved = Approval(promotion=LIVE.id, actor=BOB, decision="approve", at=minute(2))
    asked = replace(LIVE, approvals_needed=1, waits_for=waits)
    assert told(asked, approved) == {
        "promote myapp": (0, 7),
        "request": (0, 0),
        "approval wait": (0, 2),
        "scheduled": (2, 5),
    }
    assert told(replace(LIVE, waits_for=waits))["scheduled"] == (0, 5)


def test_what_nobody_approved_waited_until_its_end():
    expired = replace(LIVE, approvals_needed=2, phase=Phase.EXPIRED, started_at=None)
    assert told(expired)["approval wait"] == (0, 7)
