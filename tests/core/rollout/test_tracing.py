"""What a rollout tells a trace: what was broken off by a stop of the process is told by the next life."""

import asyncio
from dataclasses import replace

import pytest

from core.promotion import Phase, Promotion
from core.records.progress import Completion, Progress
from core.rollout.tracing import RolloutTracer
from tests.core.world import ALICE
from tests.fakes import START, JumpingClock

PROMOTION = Promotion(
    id="PABCDEFGHIJ", app="myapp", release="RA", phase=Phase.UPDATING, requested_by=ALICE, requested_at=START
)


class Spans(list):
    """A tracer that keeps what it is told."""

    record = list.append


@pytest.fixture
def spans():
    return Spans()


@pytest.fixture
def clock():
    return JumpingClock()


def fail(told, clock, **said):
    told.update(said)
    clock.jump(3)
    raise ValueError("x")


def test_what_ends_with_an_error_is_told_with_it_and_what_is_stopped_is_not(spans, clock):
    tracer = RolloutTracer(spans, clock)
    with pytest.raises(ValueError, match="x"), tracer.span(PROMOTION, "apply", wave=1) as told:
        fail(told, clock)
    with pytest.raises(ValueError, match="x"), tracer.span(PROMOTION, "apply") as told:
        fail(told, clock, error="rejected")
    with pytest.raises(asyncio.CancelledError), tracer.span(PROMOTION, "apply"):
        raise asyncio.CancelledError
    assert [(each.error, dict(each.attributes)) for each in spans] == [
        ("broken off", {"convox.wave": 1}),
        ("rejected", {}),
    ]
    assert (spans[0].ended - spans[0].began).total_seconds() == 3


def test_a_service_is_watched_until_it_is_complete_and_no_span_ends_in_the_future(spans, clock):
    tracer = RolloutTracer(spans, clock)
    promotion = replace(PROMOTION, stage_at=clock.now())
    progress = Progress(
        services={"web": (2, 2), "worker": (0, 1)},
        complete={"web": Completion(at=4.0, pods=2), "cron": Completion(at=900.0, pods=0)},
    )
    clock.jump(10)
    tracer.watched(promotion, progress, "forward")
    assert [(each.name, (each.ended - each.began).total_seconds(), each.error) for each in spans] == [
        ("watch cron", 10, ""),
        ("watch web", 4, ""),
        ("watch worker", 10, "not complete"),
    ]
    spans.clear()
    tracer.watched(PROMOTION, progress, "forward")
    assert {each.began for each in spans} == {clock.now()}, (
        "of a stage that has not begun there is nothing to tell"
    )
