"""Two racks in one workspace: two bots, each with a command of its own, of which each answers its own and names it in every hint."""

from typing import Any

from bot.playground.slack import DeliveryResult
from bot.prefixes import name_slash_command
from core.promotion import Phase, Promotion
from tests.scenarios.arrangement import ALICE, APP, BOB, CAROL, CHANNEL
from tests.scenarios.conftest import Open
from tests.scenarios.harness import Stage

STAGING = {"CONVOX_COMMAND": "/convox-staging", "CONVOX_RACK": "staging"}


async def typed(stage: Stage, command: str, text: str) -> str:
    before = len(stage.slack.ephemerals(ALICE))
    assert (await stage.slack.command(ALICE, CHANNEL, text, command)).ok
    return await stage.answer(ALICE, before)


async def test_each_answers_its_own_command_with_hints_that_can_be_typed(open_stage: Open):
    try:
        async with (
            open_stage() as production,
            open_stage(more=STAGING, beside=production, command="/convox-staging") as staging,
        ):
            # Whoever types does not choose the bot: Slack knows whose command it is.
            assert "Creating shop" in await typed(staging, "/convox", "apps create shop")
            assert "Creating cart" in await typed(production, "/convox-staging", "apps create cart")
            assert [each.name for each in await production.bot.store.read.apps()] == ["shop"]
            assert [each.name for each in await staging.bot.store.read.apps()] == ["cart"]

            helped = await typed(production, "/convox", "help")
            assert "/convox " in helped
            assert "/convox-staging" not in helped
            helped = await typed(production, "/convox-staging", "help")
            assert "/convox-staging " in helped
            assert "/convox " not in helped
            missing = await typed(production, "/convox-staging", "releases promote -a cart")
            assert "/convox " not in missing
    finally:
        name_slash_command("/convox")


async def waiting(stage: Stage, command: str) -> Promotion:
    """Make an app of the same name in each rack, and ask for a release that somebody must approve."""
    assert f"Creating {APP}" in await typed(stage, command, f"apps create {APP}")
    stage.rule(approvals="{promote: {count: 2}}", unpinned="true")
    asked = await stage.promote(await stage.build(web="v1"))
    return await stage.phase(asked, Phase.AWAITING_APPROVAL)


def delivered_to(stage: Stage, delivery: DeliveryResult) -> bool:
    assert delivery.ok, delivery.error
    return delivery.envelope.payload["api_app_id"] == stage.slack.credentials.app_id


async def approvals(stage: Stage, promotion: Promotion) -> list[str]:
    return [each.actor.id for each in await stage.bot.store.read.approvals(promotion.id)]


async def home(stage: Stage, user: str) -> Any:
    assert delivered_to(stage, await stage.slack.views.open_home(user))
    return await stage.until(lambda: stage.slack.views.home(user))


async def test_what_is_clicked_reaches_the_bot_whose_card_dialog_or_tab_it_is_on(open_stage: Open):
    try:
        async with (
            open_stage() as production,
            open_stage(more=STAGING, beside=production, command="/convox-staging") as staging,
        ):
            live, tried = await waiting(production, "/convox"), await waiting(staging, "/convox-staging")
            # Their cards stand in one channel, and it is all the same in which window somebody clicks.
            live_card, tried_card = await production.card(live.id), await staging.card(tried.id)
            assert (live_card.channel, live_card.app_id) == (tried_card.channel, "A0CONVOX")
            assert tried_card.app_id == "A1SECOND"
            pressed = await staging.slack.click(BOB, CHANNEL, live_card.ts, "promotion.approve")
            assert delivered_to(production, pressed)
            await production.until(lambda: approvals(production, live))
            assert await approvals(production, live) == [BOB]
            assert await approvals(staging, tried) == []

            # A dialog belongs to whose button opened it, though one person has one before them at a time.
            assert delivered_to(
                staging, await production.slack.click(BOB, CHANNEL, tried_card.ts, "promotion.decline")
            )
            view = await staging.until(
                lambda: (v := staging.slack.views.modal(BOB)) and v.get("submit") and v
            )
            why = {"reason": {"entered": {"type": "plain_text_input", "value": "not on staging"}}}
            assert delivered_to(staging, await production.slack.submit(BOB, view["id"], why))
            declined = await staging.ended(tried.id)
            assert (declined.phase, str(declined.reason)) == (Phase.DECLINED, "not on staging")
            assert (await production.bot.store.read.promotion(live.id)).phase is Phase.AWAITING_APPROVAL

            # Each has a Home tab of its own with everybody.
            ours, theirs = await home(production, CAROL), await home(staging, CAROL)
            assert live.id in str(ours)
            assert live.id not in str(theirs)
            assert delivered_to(
                production, await staging.slack.views.press(CAROL, ours["id"], "home.approve")
            )
            assert (await production.ended(live.id)).phase is Phase.RUNNING
            assert await staging.bot.store.read.promotions(APP, 9) == [declined]
    finally:
        name_slash_command("/convox")
