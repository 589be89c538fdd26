"""What is worth a picture, and what is on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.lifecycle.timeline import MOST_SERVICES, Span, is_unusual, timeline
from core.promotion import Phase
from core.records.pod_sample import PodSample, ServicePods
from tests.storage.making import ALICE, NOW, make_promotion


def ended(phase=Phase.REVERTED, took=90.0, **changes):
    end = NOW + timedelta(seconds=took)
    return make_promotion("R1", phase=phase, started_at=NOW, settled_at=end, **changes)


def sample(second, stage="forward", **services):
    return PodSample(at=NOW + timedelta(seconds=second), stage=stage, services=services)


def counts(new_ready, old_ready=0, *, new=2, wanted=2):
    return ServicePods(new=new, new_ready=new_ready, old_ready=old_ready, wanted=wanted)


def usual(*seconds):
    return [timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize("phase", [Phase.REVERTED, Phase.FAILURE, Phase.STOPPED])
def test_a_failure_is_worth_a_picture_unless_a_person_made_it(phase):
    assert is_unusual(ended(phase), [])
    assert not is_unusual(ended(phase, cancelled_by=ALICE), [])


@pytest.mark.parametrize(
    ("took", "earlier", "worth"),
    [
        (91, usual(20, 30, 40), True),
        (90, usual(20, 30, 40), False),
        (91, usual(30, 30), False),
        (9000, usual(), False),
    ],
)
def test_a_success_is_worth_one_from_three_times_the_median_of_three_on(took, earlier, worth):
    assert is_unusual(ended(Phase.RUNNING, took), earlier) is worth


def test_what_was_superseded_is_worth_none():
    assert not is_unusual(ended(Phase.SUPERSEDED, 9000), usual(1, 1, 1))


def test_without_anything_seen_there_is_nothing_to_draw():
    assert timeline(ended(), []) is None
    assert timeline(replace(ended(), started_at=None), [sample(1, web=counts(0))]) is None


def test_a_failure_is_marked_where_the_last_look_forward_was_and_what_follows_begins_there():
    seen = [
        sample(2, web=counts(0, 2)),
        sample(9, web=counts(0, 2)),
        sample(52, web=counts(0, 1)),
        sample(53, "countdown", web=counts(0, 1)),
        sample(60, "back", web=counts(0, 1)),
        sample(70, "back", web=counts(0, 2)),
    ]
    shown = timeline(ended(), seen)
    assert shown.failed_at == 52
    assert shown.spans == (Span("forward", 0, 52), Span("countdown", 52, 60), Span("back", 60, 90))
    (web,) = shown.tracks
    assert [second for second, _ in web.points] == [2, 52, 70]
    assert (web.at(0), web.at(60)) == (counts(0, 2), counts(0, 1))


def test_what_failed_before_it_was_looked_at_failed_at_the_first_look():
    shown = timeline(ended(), [sample(5, "back", web=counts(0, 2))])
    assert shown.failed_at == 5
    assert shown.spans == (Span("forward", 0, 5), Span("back", 5, 90))


def test_a_success_has_no_mark_and_a_look_back_in_it_none_either():
    shown = timeline(ended(Phase.RUNNING), [sample(1, web=counts(0)), sample(4, web=counts(2))])
    assert (shown.failed_at, shown.spans) == (None, (Span("forward", 0, 90),))


def test_of_many_services_those_that_were_not_complete_are_drawn_and_the_rest_is_counted():
    services = {f"s{n}": counts(2) for n in range(MOST_SERVICES + 1)} | {"bad": counts(1)}
    shown = timeline(ended(), [sample(1, **services)])
    assert [track.service for track in shown.tracks] == ["bad", "s0", "s1", "s2", "s3"]
    assert shown.left_out == 2


def test_a_service_that_is_seen_later_than_others_begins_with_what_was_seen_first():
    shown = timeline(ended(), [sample(1, web=counts(0)), sample(8, web=counts(0), worker=counts(1))])
    worker = next(track for track in shown.tracks if track.service == "worker")
    assert worker.at(3) == counts(1)
