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
