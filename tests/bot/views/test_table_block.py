"""A list as Slack's table: every cell has a character, what does not fit is counted, and the text stays whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.slack.limits import problems
from bot.views.answers import Answer, slack_answer
from bot.views.builds import build_list
from bot.views.history import history_list
from bot.views.processes import process_list, timer_list
from bot.views.releases import release_list
from bot.views.table_block import MOST_ROWS, table_block
from bot.views.tables import table
from core.errors import Conflict
from tests.bot.views.samples import NOW

HEADER = ("ID", "STATUS", "DESCRIPTION")
ROWS = [("RA", "active", "one"), ("RB", "", "two")]


def test_a_list_is_a_table_with_the_same_in_its_text():
    payload = slack_answer(
        Answer(text=table(HEADER, ROWS), hint="on hold: RB", warnings=("a flag was ignored",)), tables=True
    )
    above, block, below = payload["blocks"]

    assert above["text"]["text"] == "Note: a flag was ignored"
    assert [[cell["text"] for cell in row] for row in block["rows"]] == [
        ["ID", "STATUS", "DESCRIPTION"],
        ["RA", "active", "one"],
        ["RB", "–", "two"],
    ]
    assert below["text"]["text"] == "on hold: RB"
    assert (
        payload["text"]
        == slack_answer(
            Answer(text=table(HEADER, ROWS), hint="on hold: RB", warnings=("a flag was ignored",))
        )["text"]
    )
    assert problems(payload, method="response_url") == []


def test_what_matters_stands_first_and_the_text_keeps_the_order_of_convox():
    header = ("ID", "STATUS", "BUILD", "CREATED", "DESCRIPTION")
    made = table(
        header, [("RA", "active", "BA", "1 hour ago", "one")], essential=("ID", "STATUS", "DESCRIPTION")
    )
    found = table_block(made)

    assert found is not None
    head, row = ([cell["text"] for cell in cells] for cells in found[0]["rows"])
    assert head == ["ID", "STATUS", "DESCRIPTION", "BUILD", "CREATED"]
    assert row == ["RA", "active", "one", "BA", "1 hour ago"]
    assert [each["is_wrapped"] for each in found[0]["column_settings"]] == [False, False, True, False, False]
    assert made.startswith("ID  STATUS  BUILD  CREATED")


def test_each_list_names_columns_that_it_has():
    """A phone of 390 pixels shows two or three of them."""
    for each in (
        release_list([], None, NOW),
        build_list([], NOW),
        history_list([], [], NOW),
        process_list([], NOW),
        timer_list([], NOW),
    ):
        assert len(each.essential) == 3
        assert set(each.essential) < set(each.header)


def test_what_a_table_does_not_hold_is_counted_with_the_command_that_shows_it():
    many = table(HEADER, [(f"R{n}", "", "x") for n in range(150)])
    payload = slack_answer(Answer(text=many, whole="releases -a web -l 150"), tables=True)

    assert len(payload["blocks"][0]["rows"]) == MOST_ROWS
    said = payload["blocks"][1]["text"]["text"]
    assert (
        said == "… 51 more rows not shown; all of it, from a terminal: convox-bot do releases -a web -l 150"
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="R1"),
        Answer(text=table(HEADER, [])),
        Answer(text=table([str(n) for n in range(21)], [["x"] * 21])),
        Answer(text=table(HEADER, ROWS), refusal=Conflict("half of it was done")),
    ],
)
def test_what_is_no_list_or_has_no_place_in_a_table_is_text(answer):
    assert "blocks" not in slack_answer(answer, tables=True)


def test_a_workspace_without_tables_gets_the_block_of_code():
    assert "blocks" not in slack_answer(Answer(text=table(HEADER, ROWS)))


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(*[st.text(max_size=400)] * 3), max_size=120))
def test_slack_takes_any_list(rows):
    payload = slack_answer(Answer(text=table(HEADER, rows)), tables=True)

    assert problems(payload, method="response_url") == []
    made = table_block(table(HEADER, rows))
    assert made is None or len(made[0]["rows"]) - 1 + made[1] == len(rows)
