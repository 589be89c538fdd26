"""Alice freezes an app from the dialog, in her own zone; what she leaves out is said beside it, and nothing is frozen by then."""

import pytest

from tests.scenarios.arrangement import ALICE, CHANNEL, policy
from tests.scenarios.harness import Stage

pytestmark = pytest.mark.parametrize("plane", [None])


def entered(reason: str, until: str) -> dict[str, dict[str, dict[str, object]]]:
    """What Slack sends of the dialog's fields."""

    def text(value: str) -> dict[str, dict[str, object]]:
        return {"entered": {"type": "plain_text_input", "value": value or None}}

    option = {"value": "myapp", "text": {"type": "plain_text", "text": "myapp"}}
    return {
        "app": {"entered": {"type": "static_select", "selected_option": option}},
        "reason": text(reason),
        "from": text(""),
        "until": text(until),
    }


async def test_an_app_is_frozen_from_the_dialog_and_what_is_wrong_is_said_at_its_field(stage: Stage):
    await stage.running(web="v1")
    path = stage.settings.convox_policy
    assert path is not None
    path.write_text(policy(unpinned="true").replace("logs, admin]", "logs, admin, freeze]"), encoding="utf-8")
    stage.bot.policy.reload()

    await stage.slack.command(ALICE, CHANNEL, "freeze -a myapp")
    view = await stage.until(lambda: (v := stage.slack.views.modal(ALICE)) and v.get("submit") and v)
    assert view["title"]["text"] == "Freeze"
    wrong = await stage.slack.submit(ALICE, view["id"], entered("the launch", "tomorrow-ish"))
    assert "not a time" in wrong.ack["errors"]["until"]
    release = await stage.build(web="v2")
    assert "myapp is not frozen" in await stage.command(f"why {release} -a myapp")

    before = len(stage.slack.ephemerals(ALICE))
    assert (await stage.slack.submit(ALICE, view["id"], entered("the *launch*", "23:59"))).ack == {}
    assert "Freezing myapp... OK" in await stage.answer(ALICE, before)
    assert stage.slack.views.modal(ALICE) is None
    refused = await stage.command(f"releases promote {release} -a myapp")
    assert "myapp is frozen by" in refused
    assert "the *launch*" in refused
    assert "Unfreezing myapp... OK" in await stage.command("unfreeze myapp")
