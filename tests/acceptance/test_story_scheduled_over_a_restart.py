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


async def test_it_is_called_off_by_the_button_of_the_message_ten_minutes_before(stage: Stage):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    at = (stage.cluster.clock.now() + timedelta(minutes=10, seconds=30)).replace(microsecond=0)
    await stage.command(f"releases promote {release} at {at:%Y-%m-%dT%H:%M:%SZ} -a myapp", user=ALICE)
    promotion = (await stage.newest()).id
    card = await stage.card(promotion)

    soon = await stage.until(
        lambda: next((m for m in stage.slack.thread(card.channel, card.ts) if "starts at" in m.text), None)
    )
    assert soon.text.startswith(f"{release} of myapp starts at {at:%H:%M} UTC, asked for by @alice")
    assert f"Buttons: Cancel (`/convox cancel {promotion}`)" in soon.text
    assert "<@" not in soon.text, "it calls nobody"
    await stage.restart()
    before = len(stage.slack.ephemerals(BOB))
    assert (await stage.slack.click(BOB, card.channel, soon.ts, "soon.cancel")).ok
    assert "Cancelling deployment of myapp... OK" in await stage.answer(BOB, before)

    ended = await stage.ended(promotion)
    assert (ended.phase, ended.touched_at) == (Phase.REFUSED, None)
    told = [m.text for m in stage.slack.thread(card.channel, card.ts)]
    assert sum("starts at" in text for text in told) == 1, "once, over a restart too"
    assert told[-1].startswith(f"ERROR: cancelled by <@{BOB}>, nothing was changed")
