"""The threat model names tests that are there: an answer without a test is a hope."""

import re

import pytest

from tests.docs.pages import ROOT, page

TEXT = page("threat-model.md")
# What issue and reader ask for, in the words of the headings.
THREATS = (
    "A stolen Slack account",
    "A foreign workspace, or a guest of Slack Connect",
    "Replay",
    "A forwarded or an old card",
    "A confused deputy",
    "Log injection",
    "A leaked token",
    "A webhook that leads inwards",
    "A stolen database",
    "A rewritten audit",
    "A stolen kubeconfig",
)
PARTS = dict(re.findall(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", TEXT, re.MULTILINE))
WRITTEN = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_every_threat_has_its_part_and_no_other_is_there():
    assert [title for title in PARTS if title != "What is protected"] == list(THREATS)


@pytest.mark.parametrize("threat", THREATS)
def test_a_threat_says_what_stops_it_what_is_left_and_which_tests_hold_that(threat: str):
    part = PARTS[threat]
    said, _, tests = part.partition("\nTests: ")
    named = re.findall(r"`(test_\w+)`", tests)

    assert "\n* " in said
    assert "\nLeft: " in said
    assert len(named) >= 4
    assert [name for name in named if name not in WRITTEN] == []
