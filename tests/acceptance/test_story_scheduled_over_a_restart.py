"""A promotion is asked for now and starts later; the process that took the request is gone by then."""

from datetime import timedelta

from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB
from tests.scenarios.harness import Stage


async def test_it_starts_at_its_time_though_the_bot_was_restarted(stage: Stage):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    clock = stage.cluster.clock
    # To the second, in words that say their zone: far enough for a restart, and for no test to wait for long.
    at = (clock.now() + timedelta(seconds=90)).replace(microsecond=0)
    answer = await stage.command(
        f"releases promote {release} at {at:%Y-%m-%dT%H:%M:%SZ} -a myapp", user=ALICE
    )
    assert f"Scheduled {release}: it starts at" in answer
    promotion = (await stage.newest()).id
    card = await stage.card(promotion)
    assert card.text.startswith(f"⏳ Scheduled · myapp · {release}\nstarts <!date^{int(at.timestamp())}^")

    await stage.restart()
    assert (await stage.bot.store.read.promotion(promotion)).phase is Phase.SCHEDULED
    ended = await stage.ended(promotion)
    assert ended.phase is Phase.RUNNING
    assert ended.started_at is not None
    assert ended.started_at >= at
    assert (await stage.card(promotion)).ts == card.ts


async def test_it_is_called_off_by_the_button_of_its_card(stage: Stage):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    await stage.command(f"releases promote {release} at tomorrow 12:00 -a myapp", user=ALICE)
    promotion = (await stage.newest()).id
    await stage.card(promotion)
    assert "Cancelling deployment of myapp... OK" in await stage.click(promotion, "cancel", user=BOB)
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.touched_at) == (Phase.REFUSED, None)
    assert (await stage.thread(promotion))[-1].startswith(
        f"ERROR: cancelled by <@{BOB}>, nothing was changed"
    )
