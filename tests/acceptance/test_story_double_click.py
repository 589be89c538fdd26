"""Two fingers, two people, one deed: a click that comes twice acts once, and everybody is told."""

import asyncio

from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB, CAROL
from tests.scenarios.harness import Stage

TWO_APPROVALS = {
    "deadline": "200s",
    "longest": "600s",
    "unpinned": "true",
    "approvals": "{promote: {count: 2}}",
}


async def both(stage: Stage, promotion: str, button: str, *people: str) -> list[str]:
    """Press a button of one card at the same moment, each of these people once; return the answers, sorted."""
    card = await stage.card(promotion)
    before = {person: len(stage.slack.ephemerals(person)) for person in people}
    clicks = [stage.slack.click(person, card.channel, card.ts, f"promotion.{button}") for person in people]
    assert all(delivery.ok for delivery in await asyncio.gather(*clicks))

    def answers() -> list[str]:
        shown = [m.text for person in before for m in stage.slack.ephemerals(person)[before[person] :]]
        return shown if len(shown) == len(people) else []

    return sorted(await stage.until(answers))


async def test_a_click_that_comes_twice_acts_once(stage: Stage):
    first = await stage.running(web="v1")
    stage.rule(**TWO_APPROVALS)
    promotion = await stage.promote(await stage.build(web="v2"))

    counted, told = await both(stage, promotion, "approve", BOB, BOB)
    assert counted.startswith(f"```\nApproving {promotion}... OK\n1 more approval is needed")
    assert "ERROR: " in told
    assert "already" in told
    waiting = await stage.bot.store.read.promotion(promotion)
    assert (waiting.phase, len(await stage.bot.store.read.approvals(promotion))) == (
        Phase.AWAITING_APPROVAL,
        1,
    )

    answers = await both(stage, promotion, "approve", CAROL, CAROL)
    assert sum(answer.startswith(f"```\nApproving {promotion}... OK") for answer in answers) == 1
    assert (await stage.ended(promotion)).phase is Phase.RUNNING
    assert len(await stage.bot.store.read.approvals(promotion)) == 2

    back, told = await both(stage, promotion, "rollback", ALICE, BOB)
    assert "Rolling back to" in back or "Rolling back to" in told
    assert f"myapp is going back to {first} already" in back + told
    rollback = await stage.ended((await stage.newest()).id)
    assert (rollback.kind, rollback.phase) == ("rollback", Phase.RUNNING)
    assert [p.kind for p in await stage.bot.store.read.promotions("myapp", 9)] == [
        "rollback",
        "promote",
        "promote",
    ]
    await stage.runs(rollback.release)
