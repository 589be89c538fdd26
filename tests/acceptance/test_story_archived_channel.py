"""The app's channel is archived in the middle: whoever asked hears the end, others where they ask next, and a new channel goes on."""

from bot.playground.slack.state import Conversation
from tests.scenarios.arrangement import ALICE, BOB, CHANNEL
from tests.scenarios.harness import VERDICTS, Stage

OTHER = "C02OTHER"


async def test_a_channel_is_archived_in_the_middle_and_another_takes_its_place(stage: Stage):
    stage.rule(deadline="200s", longest="600s")
    members = list(stage.slack.channel(CHANNEL).members)
    stage.slack.add_channel(Conversation(id=OTHER, name="other", members=members))
    release = await stage.build(web="v1")

    # Typed elsewhere, the card is in the app's channel, and the answer leads there.
    answer = await stage.command(f"releases promote {release} -a myapp", user=ALICE, channel=OTHER)
    promotion = (await stage.newest()).id
    card = await stage.card(promotion)
    assert card.channel == CHANNEL
    assert f"its card is in <#{CHANNEL}>" in answer
    assert f"/archives/{CHANNEL}/p{card.ts.replace('.', '')}" in answer
    assert [m for m in stage.slack.messages(OTHER) if m.bot_id] == []

    stage.slack.channel(CHANNEL).is_archived = True
    await stage.phase(promotion, "Running")

    async def told() -> str:
        here = await stage.bot.store.read.card(promotion)
        if here is None or not here.channel.startswith("D") or here.ts is None:
            return ""
        replies = [message.text for message in stage.slack.thread(here.channel, here.ts)]
        return next((text for text in replies if text.startswith(VERDICTS)), "")

    assert (await stage.until(told)).startswith("OK")

    assert f"the thread of {promotion} ended early there" in await stage.command(
        "releases -a myapp", user=BOB, channel=OTHER
    )
    again = await stage.build(web="v2")
    refused = await stage.command(f"releases promote {again} -a myapp", user=BOB, channel=OTHER)
    assert "this channel is archived, so nobody would see it" in refused
    assert f"its card belongs to <#{CHANNEL}>" in refused
    assert "Linking myapp to this channel... OK" in await stage.command(
        "link myapp", user=ALICE, channel=OTHER
    )
    await stage.command(f"releases promote {again}", user=BOB, channel=OTHER)
    newest = await stage.newest()
    assert newest.channel == OTHER
    assert (await stage.phase(newest.id, "Running", "Refused")).phase == "Running"
