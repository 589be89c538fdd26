"""`releases history` and what it says of a moment."""

from dataclasses import replace
from datetime import timedelta

from bot.views.history import history_list, live_then
from core.lifecycle.history import live_spans
from core.promotion import Phase, Promotion
from core.sentence import Sentence
from tests.core.world import ALICE
from tests.fakes import START

GOOD = Promotion(
    id="PAAAAAAAAAA",
    app="myapp",
    release="RAAAAAAAAAA",
    phase=Phase.RUNNING,
    requested_by=ALICE,
    requested_at=START,
    settled_at=START + timedelta(minutes=1),
)
NEXT = replace(
    GOOD, id="PBBBBBBBBBB", release="RBBBBBBBBBB", settled_at=START + timedelta(minutes=5), kind="rollback"
)
BAD = replace(
    GOOD,
    id="PCCCCCCCCCC",
    release="RCCCCCCCCCC",
    phase=Phase.REVERTED,
    back_to="RBBBBBBBBBB",
    cause=Sentence.of("container main of web exits 1"),
    settled_at=START + timedelta(minutes=7),
)
ROLLING = replace(GOOD, id="PDDDDDDDDDD", release="RDDDDDDDDDD", phase=Phase.UPDATING, settled_at=None)


def test_the_list_says_who_what_how_long_and_how_it_ended():
    promotions = [ROLLING, BAD, NEXT, GOOD]
    rows = history_list(promotions, live_spans(promotions), START + timedelta(minutes=10)).splitlines()
    assert rows[0].split() == ["ID", "RELEASE", "KIND", "BY", "REQUESTED", "LIVE", "ENDING"]
    assert rows[1].split()[-1] == "Updating"
    assert "  ERROR: rolled back to RBBBBBBBBBB: container main of web exits 1" in rows[2]
    assert "  rollback  " in rows[3]
    assert "  5 min so far  OK" in rows[3]
    assert "  4 min         OK" in rows[4]


def test_an_app_without_promotions_has_a_header_alone():
    assert len(history_list([], [], START).splitlines()) == 1


def test_a_moment_is_answered_in_a_sentence():
    first, second = live_spans([GOOD, NEXT])
    at = START + timedelta(minutes=2)
    assert live_then(first, "myapp", at) == (
        "RAAAAAAAAAA was live at 2026-01-01T12:02:00Z: since 2026-01-01T12:01:00Z (PAAAAAAAAAA)"
        " until 2026-01-01T12:05:00Z"
    )
    assert live_then(second, "myapp", at).endswith("(PBBBBBBBBBB), and is still")
    assert live_then(None, "myapp", at) == "No release of myapp was live at 2026-01-01T12:02:00Z"
