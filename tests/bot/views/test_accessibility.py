"""Every card in every state can be read by whoever hears it, and used by whoever does not point (slack.md 7)."""

import json
from typing import get_args

import pytest

from bot.views.notices import notice
from core.ports.notices import NoticeKind
from tests.bot.views.accessible import barriers
from tests.bot.views.samples import GOLDEN, notice_with

CARDS = sorted(path.stem for path in GOLDEN.glob("card-*.json"))


@pytest.mark.parametrize("name", CARDS)
def test_a_card_keeps_nobody_out(name):
    blocks = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    text = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")

    assert barriers({"text": text, "blocks": blocks}) == []


@pytest.mark.parametrize("kind", get_args(NoticeKind))
def test_a_notice_keeps_nobody_out(kind):
    assert barriers(notice(notice_with("somebody", kind))) == []


def plain(text):
    return {"type": "plain_text", "text": text}


def button(label, spoken):
    return {
        "type": "actions",
        "elements": [{"type": "button", "text": plain(label), "accessibility_label": spoken}],
    }


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"blocks": [{"type": "section", "text": plain("live")}]}, "there is no text"),
        ({"text": "✅"}, "there is no text"),
        ({"text": "live\n✅ 🛑"}, "a symbol without a word"),
        ({"text": "web ▓▓▓░░ 3/5"}, "drawn and not said"),
        ({"text": "<!here> look"}, "it calls everybody"),
        ({"text": "at <!date^1^{time}|12:00>"}, "no zone"),
        ({"text": "<https://x.io|here> it is"}, "a link that says nothing"),
        (
            {"text": "live", "blocks": [{"type": "section", "text": plain("live, 2 of 3")}]},
            "shown and not said: 2 of 3",
        ),
        (
            {"text": "live", "blocks": [{"type": "section", "fields": [plain("live"), plain("by ana")]}]},
            "by ana",
        ),
        ({"text": "Approve", "blocks": [button("Approve", "")]}, "does not say what it is done to"),
        ({"text": "Approve", "blocks": [button("Approve", "Yes to R1")]}, "spoken of otherwise"),
        ({"text": "✅ yes", "blocks": [button("✅", "✅ R1")]}, "a button without a word"),
        ({"text": "x" + " go" * 20, "blocks": [button("go " * 20, "go on")]}, "Slack shows the beginning"),
        (
            {"text": "x", "blocks": [{"type": "image", "image_url": "u", "alt_text": " "}]},
            "a picture without words",
        ),
        ({"text": "x" * 4001}, "4001 characters"),
    ],
)
def test_each_barrier_is_found(payload, found):
    assert any(found in each for each in barriers(payload)), barriers(payload)


def test_a_symbol_with_its_word_a_moment_with_its_zone_and_a_link_with_its_name_are_none():
    text = "✅ Live · web\n<@U01ANA> at <!date^1^{time}|12:00 UTC>, see <https://x.io|the commit>"

    assert barriers({"text": text}) == []
