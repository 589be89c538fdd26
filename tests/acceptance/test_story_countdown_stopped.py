"""What failed would go back in a minute; somebody stops that, from the card, and takes it in hand."""

from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB
from tests.scenarios.harness import Stage

COUNTING = {"deadline": "200s", "longest": "600s", "unpinned": "true", "rollback_after": "1h"}


async def test_a_countdown_is_stopped_over_a_restart(stage: Stage):
    first = await stage.running(web="v1")
    stage.rule(**COUNTING)
    promotion = await stage.promote(await stage.build(web="v2-notfound"))
    await stage.phase(promotion, "Countdown")
    card = await stage.card(promotion)
    await stage.restart()
    assert (await stage.bot.store.read.promotion(promotion)).phase is Phase.COUNTDOWN

    put_off = await stage.click(promotion, "snooze", user=ALICE)
    assert f"Snoozing {promotion} for 10 min... OK" in put_off
    answer = await stage.click(promotion, "stop", user=BOB)
    assert f"Stopping {promotion}... OK" in answer
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.stopped_by and ended.stopped_by.id) == (Phase.STOPPED, BOB)

    shown = await stage.card(promotion)
    assert shown.ts == card.ts
    assert shown.text.startswith("🛑 Stopped, needs a person · myapp · R")
    assert f"releases rollback {first} -a myapp" in shown.text
    assert (await stage.thread(promotion))[-1].startswith(
        f"ERROR: stopped by <@{BOB}>, not rolled back, a person is needed: "
    )
    back = await stage.command(f"releases rollback {first} -a myapp", user=BOB)
    assert "Rolling back to" in back
    assert (await stage.ended((await stage.newest()).id)).phase is Phase.RUNNING
