"""Modals that answer while they are filled: options that fit, and what a choice would change; nothing of it is kept."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from bot.slack import live_forms
from bot.slack.live_forms import MOST_WAITING, LiveForms
from bot.slack.web_api import CallResult
from core.errors import Unavailable
from tests.bot.handling import handlers_of
from tests.core.world import World

DIALOG = "releases rollback --ask -a myapp"


@dataclass
class Web:
    """Slack's Web API as far as open modals use it."""

    error: str = ""
    changed: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def change(self, view_id: str, view_hash: str, view: dict[str, Any]) -> CallResult:
        self.changed.append((view_id, view_hash, view))
        self.called.set()
        return CallResult(error=self.error)


def forms_of(w: World, web: Web) -> LiveForms:
    return LiveForms(handlers_of(w), w.chooser, web, w.clock)  # type: ignore[arg-type]


def body(typed: str, *, value: str = "", chosen: str = "", user: str = "U01ALICE") -> dict[str, Any]:
    """What Slack sends while a modal that a command has opened stands there."""
    values = {"release": {"entered": {"selected_option": {"value": chosen}}}} if chosen else {}
    origin = {"typed": typed, "seen": "", "channel": "C1", "response_url": None}
    view = {
        "id": "V1",
        "hash": "h1",
        "title": {"type": "plain_text", "text": "Roll back myapp"},
        "submit": {"type": "plain_text", "text": "Roll back"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "type": "modal",
        "callback_id": "form",
        "blocks": [{"type": "input", "block_id": "release", "element": {"type": "external_select"}}],
        "private_metadata": orjson.dumps(origin).decode(),
        "state": {"values": values},
    }
    return {"user": {"id": user, "name": "alice"}, "value": value, "view": view}


async def test_the_options_are_the_releases_that_fit_what_was_typed(w: World):
    first, second = await w.good(), await w.good()
    forms = forms_of(w, Web())
    offered = [each["value"] for each in await forms.options(body(DIALOG))]
    assert first in offered
    assert [each["value"] for each in await forms.options(body(DIALOG, value=first))] == [first]
    assert second not in offered or offered[0] != second, "where it runs already is no way back"


@pytest.mark.parametrize("typed", ["releases -a myapp", "env set KEY", "no such command"])
async def test_a_menu_of_something_else_has_no_options(w: World, typed: str):
    assert await forms_of(w, Web()).options(body(typed)) == []
    assert await forms_of(w, Web()).options({"user": {"id": "U01ALICE"}}) == []


async def test_a_menu_stays_empty_where_nobody_can_say_in_time_what_is_in_it(w: World, monkeypatch, caplog):
    forms = forms_of(w, Web())

    async def slow(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(live_forms, "OPTIONS_SECONDS", 0.01)
    monkeypatch.setattr(w.chooser, "choices", slow)
    assert await forms.options(body(DIALOG)) == []

    async def away(*_: Any) -> Any:
        raise Unavailable("the disk gives errors")

    monkeypatch.setattr(w.chooser, "choices", away)
    assert await forms.options(body(DIALOG)) == []
    assert caplog.text.count("a menu of releases stays empty") == 2


async def shown(forms: LiveForms, web: Web, *bodies: dict[str, Any], changes: int = 1) -> None:
    """Let these choices be shown, until modals were changed so often."""
    running = asyncio.create_task(forms.run())
    try:
        for each in bodies:
            forms.chosen(each)
        async with asyncio.timeout(10):
            while len(web.changed) < changes:
                web.called.clear()
                await web.called.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("error", ["", "not_found"])
async def test_a_choice_shows_what_it_would_change_in_the_modal_as_it_stood(w: World, error: str, caplog):
    caplog.set_level("INFO")
    first = await w.good()
    await w.good()
    web = Web(error=error)
    await shown(forms_of(w, web), web, body(DIALOG, chosen=first))
    ((view_id, view_hash, view),) = web.changed
    assert (view_id, view_hash) == ("V1", "h1")
    assert first in str(view)
    assert ("a modal was not changed: not_found" in caplog.text) is bool(error)


async def test_what_is_no_choice_of_ours_changes_no_modal_and_what_is_refused_says_why(w: World, caplog):
    caplog.set_level("INFO")
    first = await w.good()
    web = Web()
    nothing = [body("releases -a myapp", chosen=first), body(DIALOG)]
    refused = [
        body(DIALOG, chosen="RNOSUCHRELE"),
        body(DIALOG.replace("myapp", "nowhere"), chosen=first),
    ]
    await shown(forms_of(w, web), web, *nothing, *refused, body(DIALOG, chosen=first), changes=3)
    said = [str(view["blocks"]) for _, _, view in web.changed]
    assert sum("no such release: RNOSUCHRELE" in each for each in said) == 1
    assert sum("no such app: nowhere" in each or "app not found: nowhere" in each for each in said) == 1
    assert caplog.text.count("would change is not shown") == 2


async def test_after_a_defect_the_modal_says_that_nothing_is_known_and_the_next_choice_is_shown(
    w: World, caplog, monkeypatch
):
    first = await w.good()
    web = Web()
    forms = forms_of(w, web)
    real = forms._handlers.form
    failed: list[Any] = []

    async def once(*asked: Any) -> Any:
        if not failed:
            failed.append(asked)
            raise KeyError("a defect")
        return await real(*asked)

    monkeypatch.setattr(forms._handlers, "form", once)
    await shown(forms, web, body(DIALOG, chosen=first), body(DIALOG, chosen=first), changes=2)
    said = [str(view["blocks"]) for _, _, view in web.changed]
    assert sum("is not known now. Choose it once more." in each for each in said) == 1
    assert f"what {first} would change is not shown" in caplog.text


async def test_a_modal_that_cannot_be_read_keeps_no_other_from_being_shown(w: World, caplog):
    first = await w.good()
    web = Web()
    broken = body(DIALOG, chosen="RNOSUCHRELE")
    del broken["view"]["blocks"]
    await shown(forms_of(w, web), web, broken, body(DIALOG, chosen=first))
    assert len(web.changed) == 1
    assert "a modal was left as it was" in caplog.text


async def test_choices_beyond_what_can_wait_are_left_out_and_said(w: World, caplog):
    forms = forms_of(w, Web())
    for _ in range(MOST_WAITING + 1):
        forms.chosen(body(DIALOG))
    assert "too many wait" in caplog.text
