"""No line of a log is stored twice or lost."""

from core.building.reading_log import LogProgress, new_lines, past_the_second
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
