"""docs/promotion.md says what core/promotion.py does, and the endings that core/lifecycle/outcome.py gives."""

import re
from dataclasses import replace

import pytest

from core.actor import Actor
from core.lifecycle.outcome import ending
from core.promotion import SETTLED, TRANSITIONS, UNTOUCHED, Phase, Promotion, PromotionEvent
from core.sentence import Sentence
from docs.draw_promotion import PAGE, PARTS, cells, diagram, drawn, events, phases
from tests.core.world import ALICE
from tests.fakes import START

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_tables_say_now():
    assert drawn(TEXT) == TEXT, "stale: run `.venv/bin/python -m docs.draw_promotion`"


def test_every_drawn_part_is_on_the_page_once():
    assert re.findall(r"<!-- drawn: ([a-z]+) -->", TEXT) == ["diagram", "phases", "events", "cells"]
    assert set(PARTS) == {"diagram", "phases", "events", "cells"}


def test_drawing_mends_a_stale_page():
    stale = TEXT.replace("--> Running: verified", "--> Running: hoped for")

    assert stale != TEXT
    assert drawn(stale) == TEXT


def test_every_transition_is_an_arrow_of_the_diagram():
    arrows = {(a, b): says for a, b, says in re.findall(r"(\w+) --> (\w+): (.+)", diagram())}
    for (phase, event), after in TRANSITIONS.items():
        assert event in arrows[phase, after].split(", ")
    for (phase, event), after in UNTOUCHED.items():
        assert event in arrows[phase, after].removesuffix(" (untouched)").split(", ")


def test_only_settled_phases_end_the_diagram():
    assert set(re.findall(r"(\w+) --> \[\*\]", diagram())) == set(SETTLED)


def test_every_cell_of_the_table_is_the_one_of_the_code():
    header, _, *rows = [line.strip("| ").split("|") for line in cells().splitlines()]
    assert [cell.strip() for cell in header] == list(PromotionEvent)
    assert len(rows) == len(Phase) - len(SETTLED)
    lines = [line.split("|")[1:-1] for line in cells().splitlines()[2:]]
    for name, *columns in lines:
        phase = Phase(name.strip(" *"))
        for event, cell in zip(PromotionEvent, columns, strict=True):
            expected = [TRANSITIONS.get((phase, event)), UNTOUCHED.get((phase, event))]
            found = [word for word in re.split(r" · |untouched: ", cell.strip()) if word]
            assert found == [after for after in expected if after]


def test_every_phase_and_event_is_explained():
    assert all(f"`{phase}`" in phases() for phase in Phase)
    assert all(f"`{event}`" in events() for event in PromotionEvent)


def ended(phase: Phase, **changes: object) -> Promotion:
    made = Promotion(
        id="PAAAAAAAAAA",
        app="myapp",
        release="RAAAAAAAAAA",
        phase=phase,
        requested_by=ALICE,
        requested_at=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


BY = Actor("slack", "U0X", "x")


@pytest.mark.parametrize(
    "promotion",
    [
        ended(Phase.RUNNING),
        ended(Phase.RUNNING, nothing_ran=True),
        ended(Phase.REVERTED, back_to="R…", cause=Sentence.of("<cause>")),
        ended(Phase.REVERTED, removed=True, cause=Sentence.of("<cause>")),
        ended(Phase.REVERTED, back_to="R…", cancelled_by=BY),
        ended(Phase.REVERTED, removed=True, cancelled_by=BY),
        ended(Phase.FAILURE, cause=Sentence.of("<cause>")),
        ended(Phase.FAILURE, cancelled_by=BY),
        ended(Phase.STOPPED, stopped_by=BY, cause=Sentence.of("<cause>")),
        ended(Phase.REFUSED, reason=Sentence.of("<reason>")),
        ended(Phase.REFUSED, cancelled_by=BY),
        ended(Phase.SUPERSEDED, superseded_by="R…", taken_over_by=BY),
        ended(Phase.SUPERSEDED, cause=Sentence.of("<who changed what>")),
        ended(Phase.DECLINED, declined_by=BY, reason=Sentence.of("<reason>")),
        ended(Phase.EXPIRED),
    ],
    ids=lambda promotion: str(ending(promotion)),
)
def test_every_ending_stands_on_the_page_beside_its_phase(promotion: Promotion):
    words = str(ending(promotion))
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| {promotion.phase} |")]

    assert f"`{words}`" in row
