"""A description is one line of at most 500 characters; what it was cut from is kept whole, up to 64 KiB."""

from datetime import UTC, datetime

import pytest

from core.errors import Invalid
from core.records.build import MAX_DESCRIPTION_CHARS, MAX_MESSAGE_BYTES, described, moment_of_commit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "")),
        ("  \n \n", ("", "")),
        ("Fix it", ("Fix it", "")),
        (" Fix \t it \n", ("Fix it", "")),
        ("Fix it\n\nIt was broken.\r\n  - twice", ("Fix it", "Fix it\n\nIt was broken.\n  - twice")),
        ("\n\nFix it\nand that", ("Fix it", "Fix it\nand that")),
        ("a\n\x1b[31mb\t c", ("a", "a\n [31mb   c")),
    ],
)
def test_the_first_line_is_the_description_and_the_whole_is_the_message(text, expected):
    assert described(text) == expected


def test_a_first_line_that_is_too_long_is_cut_and_kept_whole():
    line, message = described("x" * (MAX_DESCRIPTION_CHARS + 1))

    assert line == "x" * (MAX_DESCRIPTION_CHARS - 1) + "…"
    assert message == "x" * (MAX_DESCRIPTION_CHARS + 1)


def test_the_longest_one_is_taken_and_a_longer_one_refused_with_its_limit():
    assert described("x" * MAX_DESCRIPTION_CHARS) == ("x" * MAX_DESCRIPTION_CHARS, "")
    assert len(described("ü" * (MAX_MESSAGE_BYTES // 2))[1].encode()) == MAX_MESSAGE_BYTES
    with pytest.raises(Invalid, match="larger than 64 KiB"):
        described("x" * (MAX_MESSAGE_BYTES + 1))


def test_the_time_of_a_commit_is_what_git_wrote_with_its_zone():
    assert moment_of_commit("2026-01-31T15:00:00+01:00") == datetime(2026, 1, 31, 14, tzinfo=UTC)
    for said in ("", "yesterday", "2026-01-31T15:00:00"):
        assert moment_of_commit(said) is None
