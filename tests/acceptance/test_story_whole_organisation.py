"""An app that is installed for a whole Enterprise organisation: Slack is told which workspace is meant where it must be."""

from bot.playground.slack.state import TEAM_ID
from bot.slack.directory import NO_TEAM
from core.promotion import Phase
from tests.scenarios.arrangement import ALICE, BOB, CHANNEL, GUEST, STRANGER
from tests.scenarios.conftest import Open

ENTERPRISE = "E01ACME"
RULES = {"unpinned": "true", "approvals": '{promote: {count: 1, from: ["group:S01DEVS"]}}'}


async def test_members_of_the_organisation_approve_and_guests_and_strangers_do_not(open_stage: Open):
    async with open_stage(enterprise=ENTERPRISE, more={"SLACK_TEAM_ID": TEAM_ID}) as stage:
        await stage.create_app()
        stage.rule(**RULES)
        promotion = await stage.promote(await stage.build(web="v1"))
        for user, why in (
            (GUEST, "guests may not do this"),
            (STRANGER, "people from other workspaces may not"),
        ):
            stage.slack.invite(CHANNEL, user)
            assert why in await stage.command(f"approve {promotion}", user=user)
        assert f"Approving {promotion}... OK" in await stage.click(promotion, "approve", user=BOB)
        assert (await stage.ended(promotion)).phase is Phase.RUNNING
        asked = [each.args for each in stage.slack.calls if each.method == "usergroups.users.list"]
        assert {each["team_id"] for each in asked} == {TEAM_ID}


async def test_without_its_workspace_nobody_is_taken_for_a_member_of_a_group_and_the_setting_is_named(
    open_stage: Open,
):
    async with open_stage(enterprise=ENTERPRISE) as stage:
        await stage.create_app()
        stage.rule(**RULES)
        before = len(stage.slack.ephemerals(ALICE))
        release = await stage.build(web="v1")
        assert (await stage.slack.command(ALICE, CHANNEL, f"releases promote {release} -a myapp")).ok
        said = await stage.answer(ALICE, before)
        if NO_TEAM not in said:
            said = await stage.click((await stage.newest()).id, "approve", user=BOB)
        assert NO_TEAM in said
        answers = [each.answer for each in stage.slack.calls if each.method == "usergroups.users.list"]
        assert answers
        assert {each["error"] for each in answers} == {"missing_argument"}
