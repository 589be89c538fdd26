"""A thousand random histories, each against the contract; what goes wrong is shrunk and printed as a test."""

import pytest
from hypothesis import given, settings

from tests.histories.play import played
from tests.histories.steps import ALICE, CAROL, Build, Click, History, Type, Wait, histories
from tests.soak import times

# A thousand, in parts: every core takes the next one.
PARTS, EACH = 40, times(25, soak=1000)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_breaks_a_promise(part: int) -> None:
    @settings(max_examples=EACH)
    @given(histories)
    def never(history: History) -> None:
        wrong = played(history)
        assert not wrong, "\n".join([*wrong, "", history.script()])

    never()


def test_a_history_without_trouble_ends_well():
    assert played(History(0, 1, (Build("good"), Type(ALICE, "releases promote {0}"), Wait(60.0)))) == []


def test_a_click_that_is_slow_to_arrive_is_answered_while_slack_takes_an_answer():
    asked = Type(ALICE, "releases promote {0}")
    late = Click(user=CAROL, button="approve", card=0, slow=True)
    assert played(History(1, 273, (Build("good"), asked, late, Wait(1900.0), asked, Wait(60.0)))) == []
