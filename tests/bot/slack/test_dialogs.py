"""A modal from the command that opens it to the answer, with Slack's three seconds and half an hour."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.slack.dialogs import Dialogs, opens_dialog
from bot.slack.web_api import CallResult
from core.policy.authorization import parse_policy
from tests.bot.api.asking import policy_of
from tests.bot.slack.test_inbox import Answers, Stage, inbox_of
from tests.core.world import ALICE, by, world

HOOK = "https://answers/typed"


@dataclass
class Web:
    """Slack's Web API as far as dialogs use it."""

    error: str = ""
    opened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    posted: list[tuple[str, str]] = field(default_factory=list)

    async def open(self, trigger: str, view: dict[str, Any]) -> CallResult:
        self.opened.append((trigger, view))
        return CallResult(error=self.error)

    async def post(self, channel: str, payload: dict[str, Any], _nonce: str) -> CallResult:
        self.posted.append((channel, payload["text"]))
        return CallResult(ts="1.0")


@dataclass
class Expired(Answers):
    """An answer comes too late for `response_url`."""

    @asynccontextmanager
    async def post(self, url: str, *, json: dict[str, Any]) -> AsyncGenerator[Any]:
        async def text() -> str:
            return "expired_url"

        yield type("Response", (), {"status": 404, "text": staticmethod(text)})()


@asynccontextmanager
async def staged(path: Path, web: Any, answers: Answers | None = None) -> AsyncGenerator[Stage]:
    async with world(path) as w:
        taken = answers or Answers()
        inbox = inbox_of(w, taken, dialogs=Dialogs(web))
        task = asyncio.create_task(inbox.run())
        try:
            yield Stage(w, inbox, taken, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def typed(s: Stage, text: str) -> None:
    s.typed += 1
    body = {
        "user_id": "U01ALICE",
        "channel_id": "C1",
        "text": text,
        "response_url": HOOK,
        "trigger_id": f"T{s.typed}",
    }
    await s.inbox.keep(f"command:{s.typed}", "command", orjson.dumps(body))


async def submit(s: Stage, view: dict[str, Any], entered: str) -> None:
    (block,) = view["blocks"]
    values = {block["block_id"]: {block["element"]["action_id"]: {"value": entered}}}
    body = {"user": {"id": "U01ALICE"}, "view": {**view, "id": "V1", "state": {"values": values}}}
    await s.inbox.keep("view:V1", "view", orjson.dumps(body))


async def opened(web: Web) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not web.opened:  # noqa: ASYNC110 - the fake calls nobody back
            await asyncio.sleep(0.005)
    return web.opened.pop()[1]


async def test_a_value_is_entered_set_and_answered_where_it_was_asked_for(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web) as s:
        await typed(s, "env set KEY")
        view = await opened(web)
        await submit(s, view, "a\nb  “&lt;”")
        assert "Setting KEY... OK\nRelease: R" in await s.answer(HOOK)
        (release,) = await s.world.store.read.releases("myapp", 9)
        assert release.environment.pairs == (("KEY", "a\nb  “&lt;”"),)
        assert (release.created_by.id, web.posted) == ("U01ALICE", [])
        await s.handled()


async def test_what_is_edited_offers_names_and_undoes_nothing_of_others(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web) as s:
        await s.world.registrar.set_environment(by(ALICE), "myapp", [("A", "hunter22"), ("B", "x")])
        await typed(s, "env edit")
        view = await opened(web)
        assert "hunter22" not in str(view)
        assert view["blocks"][0]["element"]["initial_value"] == "A\nB\n"
        await s.world.registrar.set_environment(by(ALICE), "myapp", [("C", "y")])
        await submit(s, view, "A\nB=z")
        assert "ERROR: the environment has changed meanwhile" in await s.answer(HOOK)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("trigger_expired", "I was too late to show the dialog, so nothing was done"),
        ("internal_error", "Slack did not show the dialog (internal_error), so nothing was done"),
    ],
)
async def test_a_modal_that_slack_does_not_show_is_said(tmp_path: Path, error: str, says: str):
    async with staged(tmp_path, Web(error=error)) as s:
        await typed(s, "env set KEY")
        assert f"ERROR: {says}" in await s.answer(HOOK)


async def test_who_may_not_set_it_is_not_asked_for_it(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web) as s:
        s.world.policy = parse_policy(policy_of("view", who="U01ALICE"))
        await typed(s, "env set KEY")
        assert "ERROR: you may not read or change the environment of myapp" in await s.answer(HOOK)
        assert web.opened == []


async def test_the_right_is_asked_for_again_when_it_is_submitted(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web) as s:
        await typed(s, "env set KEY")
        view = await opened(web)
        s.world.policy = parse_policy(policy_of("view", who="U01ALICE"))
        await submit(s, view, "x")
        assert "ERROR: you may not read or change the environment of myapp" in await s.answer(HOOK)
        assert await s.world.store.read.releases("myapp", 9) == []


async def test_a_modal_waits_for_nothing_else_of_its_channel(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web) as s:
        busy = s.inbox._locks.setdefault("C1", asyncio.Lock())
        async with busy:
            await typed(s, "env set KEY")
            assert (await opened(web))["type"] == "modal"


async def test_after_half_an_hour_who_submits_is_told_directly(tmp_path: Path):
    web = Web()
    async with staged(tmp_path, web, Expired()) as s:
        await typed(s, "env set KEY")
        await submit(s, await opened(web), "x")
        async with asyncio.timeout(20):
            while not web.posted:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        ((user, text),) = web.posted
        assert user == "U01ALICE"
        assert "Setting KEY... OK" in text


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("env set KEY", True),
        ("env edit -a x", True),
        ("env set A=1", False),
        ("apps", False),
        ("nope", False),
    ],
)
def test_which_commands_open_a_modal(text: str, opens: bool):
    assert opens_dialog(text) is opens
