"""Two people must approve, and whoever asked is not one of them; what changes meanwhile voids it, and what nobody approves expires."""

from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB, CAROL
from tests.scenarios.harness import Stage

RULES = {"deadline": "200s", "longest": "600s", "unpinned": "true"}


async def test_two_others_approve_and_the_one_who_asked_is_told_why_not(stage: Stage):
    stage.rule(**RULES, approvals="{promote: {count: 2}}")
    promotion = await stage.promote(await stage.build(web="v1"))
    refused = await stage.click(promotion, "approve", user=ALICE)
    assert "you asked for it, and somebody else must approve it" in refused
    assert "1 more approval is needed" in await stage.click(promotion, "approve", user=BOB)
    assert "no, you have already approved" in await stage.command("waiting", user=BOB)
    assert "approve it yourself: yes" in await stage.command("waiting", user=CAROL)
    assert f"Approving {promotion}... OK" in await stage.click(promotion, "approve", user=CAROL)
    assert (await stage.ended(promotion)).phase is Phase.RUNNING


async def test_who_changed_what_goes_out_does_not_approve_it(stage: Stage):
    await stage.running(web="v1")
    stage.rule(**RULES, approvals="{promote: {count: 1}}")
    await stage.command("env set LEVEL=debug -a myapp", user=BOB)
    promotion = await stage.promote()
    assert "it brings what you have made or added" in await stage.click(promotion, "approve", user=BOB)
    assert f"Approving {promotion}... OK" in await stage.click(promotion, "approve", user=CAROL)
    assert (await stage.ended(promotion)).phase is Phase.RUNNING


async def test_what_nobody_approves_in_time_expires(stage: Stage):
    stage.rule(**RULES, approvals="{promote: {count: 1, expires: 5s}}")
    promotion = await stage.promote(await stage.build(web="v1"))
    assert (await stage.ended(promotion)).phase is Phase.EXPIRED
    assert "has expired" in await stage.command(f"approve {promotion}", user=BOB)
