"""How one promotion reads on somebody's Home tab."""

from dataclasses import replace

from bot.views.home import home_view
from core.usecases.overview import Overview, PromotionItem
from tests.bot.views.samples import WAITING


def test_when_and_where_it_was_asked_for_are_words_of_their_own():
    item = PromotionItem(promotion=replace(WAITING, channel="C01"), approvals=(), may=frozenset())
    texts = [
        block["text"]["text"] for block in home_view(Overview(waiting=[item]))["blocks"] if "text" in block
    ]
    (line,) = [text for text in texts if "<#C01>" in text]
    assert "> in <#C01>" in line


def test_what_an_approver_has_to_know_stands_there_too_and_the_click_tells_what_they_saw():
    """Whoever approves from here has seen no card."""
    asked = replace(WAITING, overwrite=True, anyway="it was the registry", revision=7)
    item = PromotionItem(promotion=asked, approvals=(), may=frozenset({"approve"}))
    blocks = home_view(Overview(waiting=[item]))["blocks"]
    text = "".join(block["text"]["text"] for block in blocks if "text" in block)
    assert "takes away what others have set by hand (--overwrite)" in text
    assert "was on hold, promoted anyway: “it was the registry”" in text
    values = [each["value"] for block in blocks if block["type"] == "actions" for each in block["elements"]]
    assert f"7 approve {WAITING.id}" in values
