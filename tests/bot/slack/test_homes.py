"""Home tabs: published for who looks, again only where something has changed, and never faster than Slack takes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.slack import homes
from bot.slack.connection import SlackState
from bot.slack.homes import MOST_KEPT, PUBLISH_BURST, PUBLISH_RATE, HomeSender
from bot.slack.web_api import CallResult
from core.errors import Unavailable
from tests.core.world import ONE_APPROVAL, World, world


@dataclass
class Web:
    """Slack's Web API as far as Home tabs use it; `answer` says what becomes of each call."""

    answer: Callable[[str], CallResult] = lambda _user: CallResult()
    tabs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def publish(self, user: str, view: dict[str, Any]) -> CallResult:
        self.tabs.append((user, view))
        return self.answer(user)

    @property
    def users(self) -> list[str]:
        return [user for user, _ in self.tabs]


def sender_of(w: World, web: Web) -> HomeSender:
    state = SlackState()
    state.identified.set()
    return HomeSender(w.store.homes, w.overviews, web, state, w.clock)  # type: ignore[arg-type]


async def test_a_tab_is_published_for_who_opens_it_and_again_only_once_something_has_changed(tmp_path):
    async with world(tmp_path, policy=ONE_APPROVAL) as w:
        web = Web()
        sender = sender_of(w, web)
        sender.opened("U01ALICE")
        await sender._round()
        await sender._round()
        assert web.users == ["U01ALICE"], "Slack shows just that"

        asked = (await w.ask((await w.build()).release.id)).promotion
        await sender._round()
        assert web.users == ["U01ALICE"] * 2
        assert asked.release in str(web.tabs[-1][1])


async def test_after_a_restart_the_tabs_of_the_last_day_are_kept_and_no_others(w: World):
    first = sender_of(w, Web())
    first.opened("U02BOB")
    await first._round()
    web = Web()
    await sender_of(w, web)._round()
    assert web.users == ["U02BOB"], "nobody knows what Slack shows since then"
    await w.clock.sleep(homes.KEPT_FOR.total_seconds())
    web.tabs.clear()
    await sender_of(w, web)._round()
    assert web.users == []


async def test_who_opens_theirs_does_not_wait_for_the_tabs_of_others(w: World):
    web = Web()
    sender = sender_of(w, web)
    for user in ("U02BOB", "U03CAROL"):
        await w.clock.sleep(1)
        sender.opened(user)
        await sender._round()
    again = sender_of(w, web)

    def meanwhile(_user: str) -> CallResult:
        again.opened("U01ALICE")
        return CallResult()

    web.answer = meanwhile
    web.tabs.clear()
    await again._round()
    assert web.users == ["U03CAROL"], "whoever opened theirs last comes first, then the round begins anew"
    assert again._fresh.is_set()
    web.answer = lambda _: CallResult()
    await again._round()
    assert web.users == ["U03CAROL", "U01ALICE", "U02BOB"]


@pytest.mark.parametrize(
    ("said", "tries"),
    [
        (CallResult(error="ratelimited", later=True, limited=True, retry_after=30.0), 2),
        (CallResult(error="timeout", unknown=True, retry_after=1.0), 2),
        (CallResult(error="invalid_blocks"), 1),
    ],
)
async def test_what_slack_puts_off_is_tried_again_after_its_pause_and_what_it_refuses_is_not(
    w: World, said: CallResult, tries: int
):
    answers = [said]
    web = Web(answer=lambda _: answers.pop() if answers else CallResult())
    sender = sender_of(w, web)
    sender.opened("U01ALICE")
    began = w.clock.monotonic()
    await sender._round()
    await sender._round()
    assert len(web.tabs) == tries
    assert w.clock.monotonic() - began >= (said.retry_after if tries == 2 else 0)


async def test_a_hundred_tabs_go_out_at_the_pace_that_slack_takes(w: World):
    web = Web()
    sender = sender_of(w, web)
    many = 2 * MOST_KEPT + 5
    for number in range(many):
        sender.opened(f"U{number:04}")
    began = w.clock.monotonic()
    await sender._round()
    assert len({*web.users}) == many
    assert w.clock.monotonic() - began >= (many - PUBLISH_BURST) / PUBLISH_RATE - 1
    assert len(sender._shown) <= 2 * MOST_KEPT, "what is remembered is bounded"


@pytest.mark.parametrize("error", [Unavailable("the disk gives errors"), KeyError("a defect")])
async def test_what_goes_wrong_leaves_the_tabs_as_they_are_and_is_tried_again(
    w: World, error: Exception, caplog, monkeypatch
):
    web = Web()
    sender = sender_of(w, web)
    real = w.overviews.of
    failed: list[Any] = []

    async def once(actor):
        if not failed:
            failed.append(actor)
            raise error
        return await real(actor)

    monkeypatch.setattr(w.overviews, "of", once)
    sender.opened("U01ALICE")
    running = asyncio.create_task(sender.run())
    try:
        async with asyncio.timeout(10):
            while not web.tabs:
                sender.wake()
                await asyncio.sleep(0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "Home tabs stay as they are for now" in caplog.text
    assert web.users[0] == "U01ALICE"


async def test_dead_credentials_end_it(w: World):
    sender = sender_of(w, Web())
    sender._state.bot_token_refused = True
    await asyncio.wait_for(sender.run(), 10)
