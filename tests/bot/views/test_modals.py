"""A form as a modal: within Slack's limits, without a value, and read again as it was shown."""

import pytest

from bot.command.forms import EnvEdit, EnvSetForm, FormChoice
from bot.command.release_forms import RollbackForm
from bot.playground.slack.limits import problems
from bot.views.modals import LONGEST_INPUT, entered, modal, offered, with_refusal
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


def test_a_choice_that_is_refused_shows_why_and_nothing_of_the_one_before():
    first = FormChoice(value="RAAAAAAAAAA", label="RAAAAAAAAAA", about="● active")
    view = modal(RollbackForm(app="web").form(first, ("Build B1 → B2.",)), "{}")
    option = {"text": {"type": "plain_text", "text": "RBBBBBBBBBB"}, "value": "RBBBBBBBBBB"}
    state = {"release": {"entered": {"type": "external_select", "selected_option": option}}}
    sent = {**view, "id": "V1", "hash": "1.a", "team_id": "T1", "state": {"values": state}}
    changed = with_refusal(sent, "ERROR: RBBBBBBBBBB is on hold")

    assert problems({"view_id": "V1", "hash": "1.a", "view": changed}, method="views.update") == []
    assert changed.keys() == view.keys()
    release, variables, said = changed["blocks"]
    assert release["element"]["initial_option"] == option
    assert variables == view["blocks"][1]
    assert said["text"]["text"] == "ERROR: RBBBBBBBBBB is on hold"
    assert said["block_id"] == view["blocks"][2]["block_id"]
