"""Decisions are short, numbered, and of one form, so that they get read."""

import pytest

from tests.docs.pages import ROOT, headings

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_they_are_numbered_without_a_gap():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert DECISIONS


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_what_and_what_follows_on_one_screen(path):
    text = path.read_text(encoding="utf-8")

    assert headings(text, 1)[0].startswith(f"{int(path.name[:4])}. ")
    assert headings(text, 2) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 40
