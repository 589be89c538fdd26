"""Carol declines with a reason, in a dialog; the card and the thread say it, and who may not is told so in the dialog."""

import pytest

from tests.scenarios.arrangement import ALICE, BOB, CAROL
from tests.scenarios.harness import Stage

pytestmark = pytest.mark.parametrize("plane", [None])


async def test_a_decline_asks_why_and_the_card_says_it(stage: Stage):
    stage.rule(approvals="{promote: {count: 1}}", unpinned="true")
    promotion = await stage.promote(await stage.build(web="v1"))
    card = await stage.card(promotion)
    assert (await stage.slack.click(CAROL, card.channel, card.ts, "promotion.decline")).ok
    view = await stage.until(lambda: (v := stage.slack.views.modal(CAROL)) and v.get("submit") and v)
    assert view["title"]["text"] == "Decline"
    assert f"<@{ALICE}> asked to promote" in view["blocks"][-1]["text"]["text"]
    before = len(stage.slack.ephemerals(CAROL))
    why = {"reason": {"entered": {"type": "plain_text_input", "value": "not on\na *Friday*"}}}
    assert (await stage.slack.submit(CAROL, view["id"], why)).ack == {}
    assert f"Declining {promotion}... OK" in await stage.answer(CAROL, before)
    ended = await stage.ended(promotion)
    assert (ended.phase, str(ended.reason)) == ("Declined", "not on a *Friday*")
    assert stage.slack.views.modal(CAROL) is None
    assert f"ERROR: declined by <@{CAROL}>: not on a" in (await stage.thread(promotion))[-1]
    # Who comes too late is told so where they look: in the dialog that has opened.
    late = stage.slack.command_envelope(BOB, "C01DEPLOYS", f"decline {promotion} --ask")
    await stage.slack.deliver(late, times=2)
    said = await stage.until(
        lambda: (v := stage.slack.views.modal(BOB)) and "already" in str(v["blocks"]) and v
    )
    assert f"already declined by <@{CAROL}>" in said["blocks"][0]["text"]["text"]
