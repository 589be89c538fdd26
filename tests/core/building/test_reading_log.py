"""No line of a log is stored twice or lost, and the one that matters is found."""

import pytest

from core.building.reading_log import LONGEST_CAUSE, LogProgress, cause_in, new_lines, past_the_second
from core.ports.builds import JobLogLine

A, B, C = "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.2Z", "2026-01-01T00:00:01.5Z"


def read(*lines: tuple[str, str]) -> list[JobLogLine]:
    return [JobLogLine(at, text) for at, text in lines]


def test_each_answer_begins_with_what_is_known_and_nothing_of_that_is_new():
    first, progress = new_lines(LogProgress(), read((A, "one"), (B, "two")))
    assert first == ["one", "two"]
    again, progress = new_lines(progress, read((A, "one"), (B, "two"), (B, "three"), (C, "four")))
    assert again == ["three", "four"]
    nothing, same = new_lines(progress, read((C, "four")))
    assert (nothing, same) == ([], progress)
    last, progress = new_lines(progress, read((C, "four"), (C, "five")))
    assert last == ["five"]
    assert new_lines(progress, read((C, "four"), (C, "five"))) == ([], progress)


def test_a_second_that_is_full_is_gone_past():
    assert past_the_second(LogProgress(since=A)).since == "2026-01-01T00:00:01Z"
    assert past_the_second(LogProgress()) == LogProgress()


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["#7 ERROR: exit code: 2", "error: failed to solve: exit code: 2", "x"], "exit code: 2"),
        (["error: a", "error: b"], "b"),
        (["ERROR: failed to solve: c", "error: d"], "c"),
        (["#7 ERROR: not at the beginning"], ""),
        ([], ""),
        (["error: " + "x" * 400], "x" * LONGEST_CAUSE + "…"),
    ],
)
def test_the_line_that_says_why(lines: list[str], cause: str):
    assert cause_in(lines) == cause
