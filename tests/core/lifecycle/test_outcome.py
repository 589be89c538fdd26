"""The first line of every terminal message, word by word as the contract has it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.actor import Actor
from core.lifecycle.outcome import ending, unproved
from core.promotion import SETTLED, Phase, Promotion
from core.sentence import Sentence

ANA = Actor("slack", "U01ANA", "ana")
CAUSE = "container main of web exits 1"
BACK = "RAAAAAAAAAA"


def ended(phase: Phase, **changes) -> Promotion:
    base = Promotion(
        id="PABCDEFGHIJ",
        app="myapp",
        release="RABCDEFGHIJ",
        phase=phase,
        requested_by=Actor("token", "ci"),
        requested_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(base, **changes)


TABLE = [
    (ended(Phase.RUNNING), "OK"),
    (ended(Phase.RUNNING, back_to=BACK), "OK"),
    (ended(Phase.RUNNING, nothing_ran=True), "OK (not verified: nothing ran)"),
    (ended(Phase.REVERTED, back_to=BACK, cause=Sentence.of(CAUSE)), f"ERROR: rolled back to {BACK}: {CAUSE}"),
    (ended(Phase.REVERTED, back_to=BACK), f"ERROR: rolled back to {BACK}"),
    (
        ended(Phase.REVERTED, back_to=BACK, cancelled_by=ANA),
        f"ERROR: cancelled by @ana, rolled back to {BACK}",
    ),
    (
        ended(Phase.REVERTED, back_to=BACK, cancelled_by=ANA, cause=Sentence.of(CAUSE)),
        f"ERROR: cancelled by @ana, rolled back to {BACK}",
    ),
    (
        ended(Phase.REVERTED, removed=True, cause=Sentence.of(CAUSE)),
        f"ERROR: removed, there was no release to go back to: {CAUSE}",
    ),
    (
        ended(Phase.REVERTED, removed=True, cancelled_by=ANA),
        "ERROR: cancelled by @ana, removed, there was no release to go back to",
    ),
    (ended(Phase.SUPERSEDED, superseded_by="RNEWERONEXX"), "ERROR: superseded by RNEWERONEXX"),
    (
        ended(Phase.SUPERSEDED, cause=Sentence.of("kubectl-set changed web")),
        "ERROR: superseded, nothing more was changed: kubectl-set changed web",
    ),
    (
        ended(Phase.SUPERSEDED, superseded_by="RNEWERONEXX", taken_over_by=ANA),
        "ERROR: superseded by RNEWERONEXX",
    ),
    (ended(Phase.FAILURE, cause=Sentence.of(CAUSE)), f"ERROR: rollback failed, a person is needed: {CAUSE}"),
    (
        ended(Phase.FAILURE, kind="rollback", cause=Sentence.of(CAUSE)),
        f"ERROR: rollback failed, a person is needed: {CAUSE}",
    ),
    (
        ended(Phase.FAILURE, cancelled_by=ANA, cause=Sentence.of(CAUSE)),
        "ERROR: cancelled by @ana, not rolled back, a person is needed",
    ),
    (
        ended(Phase.STOPPED, stopped_by=ANA, cause=Sentence.of(CAUSE)),
        f"ERROR: stopped by @ana, not rolled back, a person is needed: {CAUSE}",
    ),
    (
        ended(Phase.DECLINED, declined_by=ANA, reason=Sentence.of("not on a Friday")),
        "ERROR: declined by @ana: not on a Friday",
    ),
    (ended(Phase.DECLINED, declined_by=ANA), "ERROR: declined by @ana"),
    (ended(Phase.EXPIRED), "ERROR: approval expired"),
    (
        ended(Phase.REFUSED, reason=Sentence.of("app is currently updating")),
        "ERROR: refused, nothing was changed: app is currently updating",
    ),
    (
        ended(Phase.REFUSED, cause=Sentence.of("no such namespace")),
        "ERROR: refused, nothing was changed: no such namespace",
    ),
    (ended(Phase.REFUSED, cancelled_by=ANA), "ERROR: cancelled by @ana, nothing was changed"),
]


@pytest.mark.parametrize(("promotion", "line"), TABLE, ids=[line for _, line in TABLE])
def test_an_ending_says_exactly_what_the_contract_promises(promotion, line):
    assert str(ending(promotion)) == line


def test_the_table_has_every_phase_that_ends_a_promotion():
    assert {promotion.phase for promotion, _ in TABLE} == SETTLED


@pytest.mark.parametrize("phase", sorted(set(Phase) - SETTLED))
@pytest.mark.parametrize("by", [None, ANA])
def test_nothing_may_be_said_of_the_end_before_there_is_one(phase, by):
    with pytest.raises(ValueError, match="has not ended"):
        ending(ended(phase, cancelled_by=by))


def test_whoever_is_named_is_a_part_that_each_door_shows_in_its_own_way():
    lost = Sentence.of("an approval no longer counts: ", ANA, " (guests may not do this)")

    assert ending(ended(Phase.DECLINED, declined_by=ANA)) == Sentence.of("ERROR: declined by ", ANA)
    assert ending(ended(Phase.REFUSED, reason=lost)) == Sentence.of(
        "ERROR: refused, nothing was changed: ", lost
    )


def test_a_cause_of_many_lines_stays_on_the_first_line():
    reverted = ended(Phase.REVERTED, back_to=BACK, cause=Sentence.of(" one\n  two\r\nthree\n"))

    assert str(ending(reverted)) == f"ERROR: rolled back to {BACK}: one two three"


@pytest.mark.parametrize(
    ("idle", "named"),
    [(["web"], "web is"), (["web", "worker"], "web and worker are"), (["a", "b", "c"], "a, b and c are")],
)
def test_what_nothing_has_proved_is_named(idle, named):
    assert unproved(idle, "R1", nothing_ran=False) == f"not proved: {named} scaled to 0, nothing of it ran"
    assert f"nothing was proved: {named} scaled to 0, so no pod of R1 ran." in unproved(
        idle, "R1", nothing_ran=True
    )
