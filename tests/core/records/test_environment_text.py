"""The text of an environment: Convox's lines, and values of several lines that come back as they were."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import Invalid
from core.records.environment import Environment
from core.records.environment_text import variable_lines

keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,10}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.lists(
    st.sampled_from(["EOF", "EOF_", "", "\r", "A=1", "# x", "B<<EOF"]), max_size=5
).map("\n".join)


def read(text: str) -> dict[str, str | None]:
    return {line.key: line.value for line in variable_lines(text)}


@given(st.dictionaries(keys, values, max_size=4))
@example({"PEM": "-----BEGIN X-----\nMIIabc\nZm9vYg==\n-----END X-----\n", "NEXT": "1"})
@example({"A": "EOF\nEOF_", "B": "x\r", "C": "\n"})
def test_what_is_written_is_read_again_as_it_was(variables: dict[str, str]):
    environment = Environment(tuple(variables.items()))
    assert read("\n".join(environment.lines)) == variables


def test_lines_are_read_as_convox_reads_them():
    assert read("A=1\r\nB = x \nA=2") == {"A": "2", "B": " x "}
    assert read("D=a=b") == {"D": "a=b"}
    assert read('E="q"') == {"E": '"q"'}
    assert read("A=\n") == {"A": ""}


def test_comments_and_empty_lines_are_left_out():
    assert read("# C=3\n\n  \n  # x\nA=1\n") == {"A": "1"}


def test_the_mark_with_which_windows_begins_a_file_is_no_part_of_a_name():
    assert [line.key for line in variable_lines("\ufeffA=1\r\nB=2")] == ["A", "B"]


def test_a_name_alone_has_no_value_yet():
    assert read("A\n B \nC=1") == {"A": None, "B": None, "C": "1"}


def test_a_file_of_windows_line_ends_has_none_of_them_in_its_values():
    assert read("PEM<<END\r\na\r\nb\r\nEND\r\nA=1\r\n") == {"PEM": "a\nb", "A": "1"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("=bad", "1"),
        ("A=1\nF/O\nnot a pair", "2, 3"),
        ("A<<EOF\nhunter2", "1"),
        ("A=1\nB<<EOF\nhunter2\nEOFS", "2"),
        ("\n".join(["h/2"] * 12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"),
    ],
)
def test_a_line_that_is_no_variable_is_named_by_its_number_and_never_shown(text: str, lines: str):
    with pytest.raises(Invalid) as raised:
        variable_lines(text)
    assert str(raised.value) == f"not KEY=VALUE: line {lines}"
    assert "hunter2" not in str(raised.value.hint)


def test_a_variable_says_no_value_of_itself():
    assert repr(variable_lines("A=hunter2")) == "[VariableLine(1, A)]"
