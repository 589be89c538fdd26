"""The words of a picture tell all that it shows, in what Slack has room for."""

from datetime import timedelta

from bot.views.timeline import MOST_ALT, alt_text, drawing
from core.lifecycle.timeline import Timeline, timeline
from core.promotion import Phase
from core.records.pod_sample import PodSample, ServicePods
from tests.storage.making import NOW, make_promotion

FAILED = make_promotion(
    "RABCDEFGHIJ",
    "PABCDEFGHIJ",
    phase=Phase.REVERTED,
    back_to="RGOOD",
    started_at=NOW,
    settled_at=NOW + timedelta(seconds=95),
)
SLOW = make_promotion(
    "RABCDEFGHIJ", phase=Phase.RUNNING, started_at=NOW, settled_at=NOW + timedelta(seconds=600)
)


def sample(second, stage, **services):
    counts = {
        name: ServicePods(new=new, new_ready=ready, old_ready=old, wanted=2)
        for name, (new, ready, old) in services.items()
    }
    return PodSample(at=NOW + timedelta(seconds=second), stage=stage, services=counts)


SEEN = (
    sample(2, "forward", web=(1, 0, 2)),
    sample(9, "forward", web=(1, 1, 1)),
    sample(52, "forward", web=(2, 1, 1)),
    sample(60, "back", web=(1, 1, 1)),
    sample(70, "back", web=(0, 0, 2)),
)


def shown(promotion=FAILED, seen=SEEN) -> Timeline:
    found = timeline(promotion, seen)
    assert found is not None
    return found


def test_the_words_tell_the_way_and_every_change_of_every_count():
    assert alt_text(FAILED, shown()) == (
        "Pods over time. myapp RABCDEFGHIJ: rolled back. rolling out from 0 s to 52 s, failed after 52 s, then going back "
        "from 52 s to 1 min 35 s. web, wanted 2: new pods ready 0, 1 from 9 s, 0 from 1 min 10 s; new pods not ready 1, 0 "
        "from 9 s, 1 from 52 s, 0 from 1 min; old pods ready 2, 1 from 9 s, 2 from 1 min 10 s."
    )


def test_what_is_drawn_is_what_is_said():
    values = drawing(FAILED, shown())
    assert values == {
        "title": "myapp RABCDEFGHIJ: rolled back",
        "seconds": 95.0,
        "spans": [
            {"name": "rolling out", "start": 0.0, "end": 52.0},
            {"name": "going back", "start": 52.0, "end": 95.0},
        ],
        "mark": {"at": 52.0, "text": "failed after 52 s"},
        "services": [
            {
                "name": "web",
                "points": [
                    [2.0, 1, 0, 2, 2],
                    [9.0, 1, 1, 1, 2],
                    [52.0, 2, 1, 1, 2],
                    [60.0, 1, 1, 1, 2],
                    [70.0, 0, 0, 2, 2],
                ],
            }
        ],
        "left_out": "",
    }


def test_a_slow_success_says_so_and_marks_nothing():
    slow = shown(SLOW, SEEN[:2])
    assert drawing(SLOW, slow)["mark"] is None
    assert alt_text(SLOW, slow).startswith(
        "Pods over time. myapp RABCDEFGHIJ: live, slower than usual. rolling out from 0 s to 10 min. web"
    )


def test_one_service_that_has_no_room_is_counted():
    services = {f"s{n}": (1, 0, 2) for n in range(6)}
    assert drawing(FAILED, shown(seen=[sample(1, "forward", **services)]))["left_out"] == "and 1 more service"


def test_where_not_every_change_has_room_beginning_failure_and_end_are_told():
    flapping = [sample(n, "forward", web=(2, n % 2, 1)) for n in range(200)]
    text = alt_text(FAILED, shown(seen=flapping))
    assert len(text) <= MOST_ALT
    assert "web, wanted 2: new pods ready 0, 1 from 3 min 19 s;" in text
    steady = alt_text(SLOW, shown(SLOW, flapping))
    assert len(steady) <= MOST_ALT


def test_names_that_fill_the_room_leave_the_last_services_uncounted_but_named_as_more():
    names = {f"{n}-{'x' * 250}": (2, 0, 1) for n in range(8)}
    text = alt_text(FAILED, shown(seen=[sample(1, "forward", **names)]))
    assert len(text) <= MOST_ALT
    assert text.endswith("and 6 more services.")
