"""The bot is restarted while a card is open, twice: the same card goes on, and its buttons with it."""

from core.promotion import Phase
from tests.scenarios.arrangement import CAROL, CHANNEL
from tests.scenarios.harness import VERDICTS, Stage

ONE_APPROVAL = {
    "deadline": "200s",
    "longest": "600s",
    "unpinned": "true",
    "approvals": "{promote: {count: 1}}",
}


async def test_a_card_outlives_the_process_that_posted_it(stage: Stage):
    stage.rule(**ONE_APPROVAL)
    promotion = await stage.promote(await stage.build(web="v1"))
    card = await stage.card(promotion)
    assert card.text.startswith("⏳ Waiting for approval 0/1 · myapp · R")

    await stage.stop()
    lost = await stage.slack.click(CAROL, card.channel, card.ts, "promotion.approve")
    assert not lost.ok, "nobody is there, and Slack says so to whoever has clicked"
    await stage.start()
    assert (await stage.bot.store.read.promotion(promotion)).phase is Phase.AWAITING_APPROVAL

    assert f"Approving {promotion}... OK" in await stage.click(promotion, "approve", user=CAROL)
    await stage.phase(promotion, "Updating")
    await stage.restart()
    ended = await stage.ended(promotion)
    assert ended.phase is Phase.RUNNING

    shown = await stage.card(promotion)
    assert shown.ts == card.ts
    assert shown.text.startswith("✅ Live · myapp · R")
    assert [m.ts for m in stage.slack.messages(CHANNEL) if not m.is_reply] == [card.ts]
    thread = await stage.thread(promotion)
    assert [text.startswith(VERDICTS) for text in thread].count(True) == 1
    assert thread[-1].startswith("OK")
