"""A channel that is archived, left or deleted in the middle: whoever asked is told directly, and others where they ask (rule 60)."""

from collections.abc import AsyncIterator

import pytest

from bot.playground.slack.state import Conversation, Message
from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB, CHANNEL
from tests.scenarios.conftest import Open
from tests.scenarios.harness import VERDICTS, Stage

PATIENT = {"deadline": "200s", "longest": "600s"}
OTHER = "C02OTHER"


@pytest.fixture
def plane():
    """The cluster makes no difference to Slack."""


@pytest.fixture
async def stage(open_stage: Open) -> AsyncIterator[Stage]:
    async with open_stage() as made:
        made.rule(**PATIENT)
        await made.create_app()
        members = list(made.slack.channel(CHANNEL).members)
        made.slack.add_channel(Conversation(id=OTHER, name="other", members=members))
        yield made


def close(stage: Stage, how: str) -> None:
    if how == "archived":
        stage.slack.channel(CHANNEL).is_archived = True
    elif how == "left":
        stage.slack.remove(CHANNEL, "convox")
    else:
        stage.slack.channel(CHANNEL).is_private = True
        stage.slack.remove(CHANNEL, "convox")


async def verdict_in_direct_messages(stage: Stage, promotion: str) -> tuple[Message, str]:
    """Return the card and the last message of the thread that the requester has got directly."""

    async def told() -> tuple[Message, str] | None:
        card = await stage.bot.store.read.card(promotion)
        if card is None or not card.channel.startswith("D") or card.ts is None:
            return None
        replies = [message.text for message in stage.slack.thread(card.channel, card.ts)]
        shown = stage.slack.store.find(card.channel, card.ts)
        return (shown, replies[-1]) if shown and replies and replies[-1].startswith(VERDICTS) else None

    return await stage.until(told)


@pytest.mark.parametrize("how", ["archived", "left", "gone"])
async def test_the_requester_gets_the_card_and_the_verdict_directly(stage: Stage, how: str):
    promotion = await stage.promote(await stage.build(web="v1"), user=ALICE)
    before = await stage.card(promotion)
    close(stage, how)

    await stage.phase(promotion, "Running")
    card, ending = await verdict_in_direct_messages(stage, promotion)
    assert ending.startswith("OK")
    assert set(stage.slack.channel(card.channel).members) >= {ALICE}
    assert f"<#{CHANNEL}>" in card.text
    assert "so the rest is told to you here" in card.text
    assert card.ts != before.ts
    ends = [m for c in (CHANNEL, card.channel) for m in stage.slack.store.messages if m.channel == c]
    assert sum(m.text.startswith(VERDICTS) for m in ends) == 1, "one verdict"

    answer = await stage.command("releases -a myapp", user=BOB, channel=OTHER)
    assert f"so the thread of {promotion} ended early there" in answer
    assert f"<#{CHANNEL}>" in answer
    assert "ended early" not in await stage.command("apps", user=BOB, channel=OTHER), (
        "of no app in particular"
    )


async def test_a_button_of_the_card_in_direct_messages_works(stage: Stage):
    stage.rule(**PATIENT, approvals="{promote: {count: 1}}", unpinned="true")
    promotion = await stage.promote(await stage.build(web="v1"), user=ALICE)
    await stage.card(promotion)
    close(stage, "archived")
    await stage.bot.store.outbox.channel_closed(promotion, "is_archived")
    stage.bot.sender.wake()

    async def moved() -> Message | None:
        card = await stage.bot.store.read.card(promotion)
        found = stage.slack.store.find(card.channel, card.ts) if card and card.ts else None
        return found if found and found.channel.startswith("D") else None

    card = await stage.until(moved)
    await stage.slack.click(ALICE, card.channel, card.ts, "promotion.cancel")
    await stage.phase(promotion, "Refused")
    _, ending = await verdict_in_direct_messages(stage, promotion)
    assert "cancelled by" in ending


async def test_a_terminal_is_refused_where_nobody_would_see_the_card(stage: Stage):
    """The first time Slack may be slower than the cluster; from then on it is known, and waited for."""
    close(stage, "archived")
    first = (await stage.do(f"releases promote {await stage.build(web='v1')} -a myapp"))[1]["promotion"]
    await stage.phase(first, "Refused", "Running")

    second = (await stage.do(f"releases promote {await stage.build(web='v2')} -a myapp"))[1]["promotion"]
    ended = await stage.phase(second, "Refused")
    assert (
        str(ended.reason)
        == "this channel is archived, so nobody would see it: unarchive it, or link another one"
    )
    assert ended.touched_at is None

    stage.slack.channel(CHANNEL).is_archived = False
    third = (await stage.do(f"releases promote {await stage.build(web='v3')} -a myapp"))[1]["promotion"]
    assert (await stage.phase(third, "Running")).phase is Phase.RUNNING


async def test_a_card_that_somebody_deletes_comes_again_and_the_verdict_stands_under_it(stage: Stage):
    promotion = await stage.promote(await stage.build(web="v1"), user=ALICE)
    deleted = await stage.card(promotion)
    stage.slack.store.remove(deleted)
    await stage.phase(promotion, "Running")
    await stage.quiet()

    card = await stage.card(promotion)
    assert (card.channel, card.ts == deleted.ts) == (CHANNEL, False)
    assert (await stage.thread(promotion))[-1].startswith("OK")
    # A line may have gone under the old one, before an edit told that it is gone.
    stage.slack.violations[:] = [v for v in stage.slack.violations if deleted.ts not in v]
