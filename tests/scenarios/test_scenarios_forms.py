"""What belongs into no line, with the whole process: typed in Slack, entered in a modal, carried out, answered."""

from typing import Any

import pytest

from tests.scenarios.arrangement import ALICE, BOB
from tests.scenarios.harness import Stage

pytestmark = pytest.mark.parametrize("plane", [None])
PEM = "-----BEGIN X-----\nMIIabc==\n-----END X-----\n"


async def opened(stage: Stage, text: str, *, user: str = ALICE) -> dict[str, Any]:
    """Type a command and return the modal that opens, once it is known what it asks for."""
    assert (await stage.slack.command(user, "C01DEPLOYS", text)).ok

    def filled() -> dict[str, Any] | None:
        view = stage.slack.views.modal(user)
        return view if view and "submit" in view else None

    found: dict[str, Any] = await stage.until(filled)
    return found


async def submitted(stage: Stage, view: dict[str, Any], text: str, *, user: str = ALICE) -> Any:
    (block,) = view["blocks"]
    entered = {"type": "plain_text_input", "value": text}
    values = {block["block_id"]: {block["element"]["action_id"]: entered}}
    return await stage.slack.submit(user, view["id"], values)


async def test_a_value_of_several_lines_is_entered_and_comes_back_to_a_terminal_as_it_was(stage: Stage):
    view = await opened(stage, "env set TLS_KEY")
    assert "initial_value" not in view["blocks"][0]["element"]
    before = len(stage.slack.ephemerals(ALICE))
    assert (await submitted(stage, view, PEM)).ack == {}
    assert "Setting TLS_KEY... OK\nRelease: R" in await stage.answer(ALICE, before)
    status, answer = await stage.do("env get TLS_KEY -a myapp")
    assert (status, answer["text"]) == (200, PEM)
    assert "MIIabc" not in stage.slack.transcript()


async def test_all_variables_are_edited_by_their_names_and_mistakes_are_said_in_the_modal(stage: Stage):
    await stage.command("env set A=hunter22 B=x C=y")
    view = await opened(stage, "env edit", user=BOB)
    assert view["blocks"][0]["element"]["initial_value"] == "A\nB\nC\n"
    wrong = await submitted(stage, view, "A\nNEW\n", user=BOB)
    assert wrong.ack["errors"] == {"variables": "no such variable yet, so it needs a value: line 2"}
    before = len(stage.slack.ephemerals(BOB))
    assert (await submitted(stage, view, "A\nB=2\n", user=BOB)).ok
    assert "Editing B... OK" in await stage.answer(BOB, before)
    _, answer = await stage.do("env --reveal -a myapp")
    assert answer["text"] == "A=hunter22\nB=2"
    assert "hunter22" not in stage.slack.transcript()


async def test_an_app_is_deleted_by_its_name_typed_once_more(stage: Stage):
    await stage.running(web="v1")
    view = await opened(stage, "apps delete myapp")
    wrong = await submitted(stage, view, "my app")
    assert wrong.ack["errors"] == {"name": "that is not the name of myapp, so nothing was deleted"}
    before = len(stage.slack.ephemerals(ALICE))
    assert (await submitted(stage, view, "myapp")).ok
    assert "Deleting myapp... OK" in await stage.answer(ALICE, before)
    assert await stage.until(lambda: gone(stage))
    assert "app not found: myapp" in await stage.command("releases -a myapp")


async def gone(stage: Stage) -> bool:
    return not (await stage.items("deployments") or await stage.items("services"))


async def test_a_choice_that_cannot_be_had_takes_the_comparison_of_the_one_before_away(stage: Stage):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    view = await opened(stage, "releases promote --ask")
    assert "Build B" in view["blocks"][-1]["text"]["text"]

    def shown() -> dict[str, Any]:
        found = stage.slack.views.modal(ALICE)
        assert found is not None
        return found

    async def chosen(release_id: str) -> str:
        option = {"text": {"type": "plain_text", "text": release_id}, "value": release_id}
        state = {"release": {"entered": {"type": "external_select", "selected_option": option}}}
        before = shown()["hash"]
        assert await stage.slack.views.choose(ALICE, view["id"], "release", state)
        await stage.until(lambda: shown()["hash"] != before)
        return str(shown()["blocks"][-1]["text"]["text"])

    assert await chosen("RZZZZZZZZZZ") == "ERROR: no such release: RZZZZZZZZZZ"
    assert "Build B" in await chosen(release)
