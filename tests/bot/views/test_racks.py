"""Which rack speaks is said where there may be several."""

from bot.views.racks import on_rack


def test_the_usual_rack_goes_without_saying():
    assert on_rack({"text": "OK"}, "convox") == {"text": "OK"}


def test_another_is_named_in_the_text_and_below_the_blocks():
    said = on_rack({"text": "OK", "blocks": [{"type": "divider"}]}, "staging")
    assert said["text"] == "OK\nrack `staging`"
    assert [block["type"] for block in said["blocks"]] == ["divider", "context"]
    assert on_rack({"text": "OK"}, "staging") == {"text": "OK\nrack `staging`"}
