"""A text of any size among facts: a commit message is shown, a generated one is cut and says so."""

import pytest

from bot.views.tables import MOST_PASSAGE_CHARS, MOST_PASSAGE_ROWS, facts, passage


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one", "one"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("\n".join("x" * (MOST_PASSAGE_ROWS + 1)), "\n".join("x" * MOST_PASSAGE_ROWS) + "\n… 1 more row"),
        (f"one\n{'x' * MOST_PASSAGE_CHARS}\ntwo", "one\n… 2 more rows"),
        ("x" * MOST_PASSAGE_CHARS, "x" * (MOST_PASSAGE_CHARS - 1) + "…"),
    ],
)
def test_as_much_is_shown_as_is_read(text, shown):
    assert passage(text) == shown


def test_its_rows_stand_under_the_first():
    assert facts([("Id", "R1"), ("Description", passage("Fix\n\n  it"))]) == (
        "Id           R1\nDescription  Fix\n             \n               it"
    )
