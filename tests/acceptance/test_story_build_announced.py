"""A build is announced, looked at, promoted by its button, and followed in its thread, without a command typed."""

from bot.playground.slack.state import Message
from tests.scenarios.arrangement import ALICE, BOB, CHANNEL
from tests.scenarios.harness import Stage


async def announced(stage: Stage, release: str) -> Message:
    """Return the message that announces a build, once it is posted."""
    return await stage.until(
        lambda: next((m for m in stage.slack.messages(CHANNEL) if f"Release {release}" in m.text), None)
    )


async def pressed(stage: Stage, message: Message, action: str, user: str) -> str:
    """Press a button and return the answer that only this person is shown."""
    before = len(stage.slack.ephemerals(user))
    assert (await stage.slack.click(user, CHANNEL, message.ts, action)).ok
    return await stage.answer(user, before)


async def written(stage: Stage, text: str, thread: str, user: str) -> str:
    """Write in a thread and return the answer that only this person is shown."""
    before = len(stage.slack.ephemerals(user))
    await stage.slack.say(user, CHANNEL, text, thread_ts=thread)
    return await stage.answer(user, before)


async def test_a_build_is_announced_and_promoted_by_its_button(stage: Stage):
    stage.rule(announce_builds="true", unpinned="true")
    first = await stage.running(web="v1")
    release = await stage.build(web="v2")
    message = await announced(stage, release)
    assert "<@" not in message.text, "it calls nobody"
    assert not message.is_reply

    assert f"→ {release}" in await pressed(stage, message, "build.diff", BOB)
    assert "Promoting" in await pressed(stage, message, "build.promote", BOB)
    promotion = await stage.newest()
    assert (promotion.release, promotion.requested_by.id, promotion.channel) == (release, BOB, CHANNEL)
    card = await stage.card(promotion.id)
    assert f"<@{BOB}>" not in card.text, "whoever asked knows that they asked"

    assert "Name        myapp" in await written(stage, "@convox status", card.ts, ALICE)
    ended = await stage.ended(promotion.id)
    assert ended.phase == "Running"
    ending = stage.ending(card.ts)
    assert ending.startswith("OK")
    assert ending.count("<@") == ending.count(f"<@{BOB}>") == 1, (
        "whoever asked is told, once, and nobody else"
    )

    # The shortcut of the older announcement promotes that build, as the button does.
    earlier = await announced(stage, first)
    before = len(stage.slack.ephemerals(ALICE))
    assert (await stage.slack.shortcut(ALICE, CHANNEL, earlier.ts, "promote_build")).ok
    assert first in await stage.answer(ALICE, before)
    before = len(stage.slack.ephemerals(ALICE))
    assert (await stage.slack.shortcut(ALICE, CHANNEL, card.ts, "promote_build")).ok
    assert "this message announces no build of mine" in await stage.answer(ALICE, before)
