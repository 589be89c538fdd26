"""A notice comes once, whatever Slack and the network do, and holds nothing up."""

from pathlib import Path
from typing import Any

import pytest

from core.sentence import Sentence
from tests.bot.slack.test_sender import P, Stage, refused, staged
from tests.storage.making import ALICE

SAID = Sentence.of(ALICE, " scaled web of myapp from 2 to 3")
TEXT = "@alice scaled web of myapp from 2 to 3"


async def say(s: Stage, channel: str = "C1") -> None:
    async with s.store.transaction() as tx:
        await tx.add_notice(channel, SAID)


async def test_it_is_posted_in_its_channel_and_under_nothing(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, ended=True)
        await say(s)
        await s.pass_time(30)
        (message,) = [m for m in s.slack.messages if m["text"] == TEXT]
        assert (message["channel"], message.get("thread_ts")) == ("C1", None)
        assert await s.store.outbox.notices.due() == []


@pytest.mark.parametrize("lost", ["the call", "its answer"])
async def test_one_without_an_answer_is_looked_for_before_it_is_posted_again(tmp_path: Path, lost: str):
    async with staged(tmp_path) as s:
        once: list[str] = []

        def fail(method: str, _body: dict[str, Any]):
            if method == "chat.postMessage" and not once:
                once.append(method)
                return TimeoutError()
            return None

        if lost == "the call":
            s.slack.trouble = fail
        else:
            s.slack.after = fail
        await say(s)
        await s.pass_time(5)
        assert (await s.store.outbox.backlog()).posts == 1
        await s.pass_time(100)
        assert s.slack.said(TEXT) == 1
        assert (await s.store.outbox.backlog()).posts == 0
        looks = [method for method, _ in s.slack.calls if method == "conversations.history"]
        assert len(looks) == (2 if lost == "the call" else 1)


async def test_while_nobody_can_look_it_is_not_posted_again(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.slack.after = lambda method, _: TimeoutError() if method == "chat.postMessage" else None
        s.slack.trouble = lambda method, _: (
            refused("ratelimited", 429, Retry_After="30") if method.startswith("conversations") else None
        )
        await say(s)
        await s.pass_time(300)
        assert s.slack.said(TEXT) == 1


async def test_a_process_that_dies_while_it_posts_looks_first(tmp_path: Path):
    async with staged(tmp_path) as s:
        await say(s)
        (due,) = await s.store.outbox.notices.due()
        await s.store.outbox.notices.sending(due.id, "a nonce")
        await s.pass_time(9)
        assert s.slack.said(TEXT) == 0
        await s.pass_time(90)
        assert s.slack.said(TEXT) == 1


async def test_a_retry_after_is_kept(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.slack.trouble = lambda _method, _body: (
            refused("ratelimited", 429, Retry_After="40") if s.clock.monotonic() < 10 else None
        )
        await say(s)
        await s.pass_time(30)
        assert s.slack.said(TEXT) == 0
        await s.pass_time(60)
        assert s.slack.said(TEXT) == 1


async def test_a_channel_that_takes_none_is_said_in_the_log_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with staged(tmp_path) as s:
        s.slack.trouble = lambda _method, body: (
            refused("not_in_channel") if body.get("channel") == "C2" else None
        )
        await say(s, "C2")
        await say(s, "C1")
        await s.pass_time(30)
        assert s.slack.said(TEXT) == 1
        assert "Slack does not take a notice for C2: not_in_channel" in caplog.text
        assert await s.store.outbox.notices.due() == []
