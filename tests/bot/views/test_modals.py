"""A form as a modal: within Slack's limits, without a value, and read again as it was shown."""

import pytest

from bot.command.forms import EnvEdit, EnvSetForm
from bot.playground.slack.limits import problems
from bot.views.modals import LONGEST_INPUT, entered, modal, offered
from core.errors import Invalid

LONG = "a" * 30


@pytest.mark.parametrize(
    "form",
    [
        EnvSetForm(app=LONG, key="K" * 253).form(),
        EnvSetForm(app=LONG).form(),
        EnvEdit(app=LONG).form(("A", "B"), "RABCDEFGHIJ"),
        EnvEdit(app="web").form((), ""),
    ],
)
def test_slack_takes_it(form):
    view = modal(form, "{}")
    assert problems({"trigger_id": "1", "view": view}, method="views.open") == []


def test_what_stands_in_it_at_first_and_what_was_entered_come_back_by_name():
    view = modal(EnvEdit(app="web").form(("A", "B"), "R1"), "{}")
    assert offered(view) == {"variables": "A\nB\n"}
    state = {"variables": {"entered": {"type": "plain_text_input", "value": "A\nB=1"}}}
    assert entered(view | {"state": {"values": state}}) == {"variables": "A\nB=1"}
    empty = {"variables": {"entered": {"type": "plain_text_input", "value": None}}}
    assert entered(view | {"state": {"values": empty}}) == {"variables": ""}


def test_more_names_than_slack_takes_are_for_a_terminal():
    names = tuple(f"VARIABLE_NUMBER_{n}" for n in range(200))
    with pytest.raises(Invalid, match=f"dialogs take \\({LONGEST_INPUT:,} characters"):
        modal(EnvEdit(app="web").form(names, "R1"), "{}")
