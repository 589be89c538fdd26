"""What failed stands for as long as the policy says: then it goes back by itself, or a person has taken it in hand."""

from tests.scenarios.arrangement import ALONE, BOB
from tests.scenarios.harness import Stage


async def test_a_countdown_that_nobody_stops_ends_in_the_way_back(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    stage.rule(rollback_after="10s")
    promotion = await stage.promote(await stage.build(manifest=ALONE, web="v2-notfound"))
    await stage.phase(promotion, "Countdown")
    ended = await stage.ended(promotion)

    assert (ended.phase, ended.back_to) == ("Reverted", good)
    await stage.tells("countdown-ran-out", promotion)
    await stage.runs(good, count=1)


async def test_a_countdown_that_somebody_stops_leaves_what_is_there(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    stage.rule(rollback_after="1h")
    promotion = await stage.promote(await stage.build(manifest=ALONE, web="v2-notfound"))
    await stage.phase(promotion, "Countdown")
    asked = await stage.everything()
    answer = await stage.click(promotion, "stop", user=BOB)
    assert f"Stopping {promotion}... OK" in answer

    ended = await stage.ended(promotion)
    assert (ended.phase, ended.back_to) == ("Stopped", good)
    await stage.tells("countdown-stopped", promotion)
    assert await stage.everything() == asked
