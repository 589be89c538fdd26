"""A second rack in the same workspace has a command of its own, and every answer names it."""

from bot.prefixes import name_slash_command
from tests.scenarios.arrangement import ALICE, CHANNEL
from tests.scenarios.conftest import Open


async def test_the_command_has_another_name_and_answers_name_the_rack(open_stage: Open):
    more = {"CONVOX_COMMAND": "/convox-staging", "CONVOX_RACK": "staging"}
    try:
        async with open_stage(more=more) as stage:
            before = len(stage.slack.ephemerals(ALICE))
            assert (await stage.slack.command(ALICE, CHANNEL, "releases -a nosuch", "/convox-staging")).ok
            answer = await stage.answer(ALICE, before)
            assert "app not found: nosuch" in answer
            assert answer.endswith("rack `staging`")
            before = len(stage.slack.ephemerals(ALICE))
            assert (await stage.slack.command(ALICE, CHANNEL, "help", "/convox-staging")).ok
            assert "/convox-staging" in await stage.answer(ALICE, before)
            # The other rack's command is not this one's: nothing of it arrives here.
            before = len(stage.slack.ephemerals(ALICE))
            await stage.slack.command(ALICE, CHANNEL, "releases -a nosuch", "/convox")
            assert [m.text for m in stage.slack.ephemerals(ALICE)[before:] if "app not found" in m.text] == []
    finally:
        name_slash_command("/convox")
