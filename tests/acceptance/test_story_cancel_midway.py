"""Somebody sees that a rollout goes nowhere and stops it from the card; the app runs as before."""

from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB
from tests.scenarios.harness import Stage


async def test_a_rollout_is_cancelled_in_the_middle(stage: Stage):
    first = await stage.running(web="v1")
    promotion = await stage.promote(await stage.build(web="v2-neverready"))
    await stage.phase(promotion, "Updating")
    assert "Cancelling deployment of myapp... OK" in await stage.click(promotion, "cancel", user=BOB)
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, first)
    assert (await stage.card(promotion)).text.startswith("↩️ Cancelled, rolled back · myapp · R")
    thread = await stage.thread(promotion)
    assert thread[-1].startswith(f"ERROR: cancelled by <@{BOB}>, rolled back to {first}")
    await stage.runs(first)

    late = await stage.command(f"cancel {promotion}", user=ALICE)
    assert f"app is not updating: {promotion} ended Reverted at " in late
