"""The line that is rewritten: what is awaited, of whom, since when and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.views.awaited import WaitingState, build_awaits, counted, promotion_awaits
from core.build_run import BuildRequest, BuildRun
from core.promotion import Phase, Promotion
from core.records.build import BuildStatus
from core.records.countdown import Countdown
from core.records.progress import Progress, Settling
from core.records.waits_for import WaitsFor
from core.sentence import EMPTY_SENTENCE
from core.usecases.build_queue import QueuedBuild
from core.usecases.viewer import OpenSeats
from tests.core.world import ALICE
from tests.fakes import START

LATER = START + timedelta(minutes=5)


def promotion(phase, **more):
    made = Promotion(
        id="P",
        app="myapp",
        release="R",
        phase=phase,
        requested_by=ALICE,
        requested_at=START,
        started_at=LATER,
    )
    return replace(made, **more)


def told(awaits):
    return str(awaits.text), awaits.since, awaits.until


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"people": ()}, "Waiting for 2 approvals by whoever may approve"),
        ({"people": ("U1", "group:S1")}, "Waiting for 2 approvals by @U1 or group:S1"),
        ({"seats": [("U1", "U2"), ("U3",), ("U3",)]}, "Waiting for 2 approvals by @U1 or @U2; @U3"),
        ({"missing": 1, "people": ("U1",)}, "Waiting for 1 approval by @U1"),
    ],
)
def test_who_is_asked_is_named(asked, text):
    who = OpenSeats(**{"missing": 2, "seats": (), "people": (), **asked})
    assert told(promotion_awaits(promotion(Phase.AWAITING_APPROVAL), who)) == (text, START, None)


@pytest.mark.parametrize(
    ("awaits", "expected"),
    [
        (WaitsFor(what="free"), ("Queued until nothing else of myapp rolls out", START, None)),
        (WaitsFor(what="time", at=LATER), ("Scheduled", None, LATER)),
        (WaitsFor(what="window", at=LATER), ("Waiting for the freeze to end", None, LATER)),
        (WaitsFor(what="window"), ("Waiting for the freeze to end", START, None)),
    ],
)
def test_what_has_to_come_before_it_starts(awaits, expected):
    assert told(promotion_awaits(promotion(Phase.SCHEDULED, waits_for=awaits), None)) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (promotion(Phase.AWAITING_APPROVAL), ("Waiting for approval 0/0", START, None)),
        (promotion(Phase.PENDING), ("Starting", LATER, None)),
        (
            promotion(Phase.UPDATING, progress=Progress(waiting="web 1/2")),
            ("Rolling out: web 1/2", LATER, None),
        ),
        (
            promotion(
                Phase.UPDATING, progress=Progress(settling=Settling(service="web", seconds=9, until=LATER))
            ),
            ("web is complete, watching", None, LATER),
        ),
        (
            promotion(Phase.COUNTDOWN, countdown=Countdown(until=1, at=LATER)),
            ("Failed, goes back", None, LATER),
        ),
        (promotion(Phase.ROLLBACK, stage_at=START, back_to="R"), ("Rolling back", START, None)),
    ],
)
def test_what_a_rollout_is_at(at, expected):
    assert told(promotion_awaits(at, None)) == expected


def test_what_has_ended_awaits_nothing():
    assert promotion_awaits(promotion(Phase.RUNNING), None) is None
    assert build_awaits(build(BuildStatus.COMPLETE)) is None


def build(status, ahead=0, waits=""):
    run = BuildRun(
        id="B", app="myapp", request=BuildRequest(), status=status, created_at=START, created_by=ALICE,
        started_at=LATER, waits=waits,
    )  # fmt: skip
    return QueuedBuild(run=run, ahead=ahead)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (build(BuildStatus.CREATED), ("B is queued", START, None)),
        (build(BuildStatus.CREATED, ahead=2), ("B is queued: 2 of myapp before it", START, None)),
        (build(BuildStatus.RUNNING), ("Building B", LATER, None)),
        (build(BuildStatus.RUNNING, waits="no node has room"), ("Building B: no node has room", LATER, None)),
    ],
)
def test_what_a_build_is_at(at, expected):
    assert told(build_awaits(at)) == expected


def test_it_is_counted_by_our_clock():
    at = START + timedelta(seconds=7)
    assert counted(WaitingState(text=EMPTY_SENTENCE, since=START), at) == {"seconds": 7.0}
    assert counted(WaitingState(text=EMPTY_SENTENCE, until=LATER), at) == {"left": 293.0}
