"""Two racks in one workspace: two bots, each with a command of its own, of which each answers its own and names it in every hint."""

from bot.prefixes import name_slash_command
from tests.scenarios.arrangement import ALICE, CHANNEL
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
