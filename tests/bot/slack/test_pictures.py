"""The picture of a failed rollout stands under its verdict, once, whatever Slack and the process do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground.slack import SlackWorkspace
from bot.playground.slack.context import BOT_SCOPES, AppCredentials
from bot.slack.connection import SlackState, new_client
from bot.slack.files import FileSender
from bot.slack.pacing import POST_BURST, POST_RATE, Pacing
from bot.slack.pictures import PictureSender
from bot.slack.web_api import WebApi
from core.errors import Unavailable
from core.failpoints import arm
from core.ports.pictures import PictureFailure
from core.promotion import Phase
from core.records.pod_sample import PodSample, ServicePods
from storage.keys import Keyring
from storage.store import open_store
from tests.fakes import START, JumpingClock
from tests.storage.making import make_app, make_promotion, make_release

KEY, P, CHANNEL = Keyring.generate(), "PAAAAAAAAAA", "C01DEPLOYS"
PNG = b"\x89PNG\r\n\x1a\n a picture"


class Stage:
    """A promotion that has failed, its card and verdict in the emulated Slack, and who brings the picture there."""

    def __init__(self, store, clock, slack, session):
        self.store, self.clock, self.slack = store, clock, slack
        self.drawn: list[dict[str, Any]] = []
        calls = WebApi(new_client(slack.credentials.bot_token, slack.api_url, session), SlackState())
        self.calls = calls

        async def draw(values):
            self.drawn.append(values)
            return PNG

        self.draw = draw
        self.pacing = Pacing(clock)
        self.files = FileSender(calls, session, self.pacing)

    def sender(self, draw=None):
        pictures, read = self.store.outbox.pictures, self.store.read
        return PictureSender(
            pictures,
            read,
            self.calls,
            self.files,
            self.pacing,
            SlackState(),
            self.clock,
            draw=draw or self.draw,
        )

    async def send(self, times=1, every=0.0):
        sender = self.sender()
        for _ in range(times):
            await sender.send_due()
            self.clock.jump(every)

    async def card(self):
        """Post the card and say in the outbox that its thread has ended."""
        self.ts = (await self.calls.post(CHANNEL, {"text": "a card"}, "nonce")).ts
        await self.store.outbox.card_posted(P, self.ts, 0)
        post = await self.store.outbox.claim_verdict(P, most=10, fits=lambda _: True)
        await self.store.outbox.post_sent(post.id, "1.0")
        await self.store.outbox.write_down()

    def shown(self):
        return [file for message in self.slack.thread(CHANNEL, self.ts) for file in message.files]

    async def open(self):
        return await self.store.outbox.pictures.open()


@asynccontextmanager
async def staged(path: Path, scopes=BOT_SCOPES, *, samples=True) -> AsyncIterator[Stage]:
    clock = JumpingClock()
    slack = SlackWorkspace(clock, credentials=AppCredentials(scopes=scopes))
    await slack.start()
    try:
        async with (
            open_store(path / "convox.db", Keyring([KEY]), clock, exclusive=False) as store,
            aiohttp.ClientSession() as session,
        ):
            counts = {"web": ServicePods(new=1, wanted=2, old_ready=2)}
            async with store.transaction() as tx:
                await tx.add_app(make_app())
                await tx.add_release(make_release("RAAAAAAAAAA"))
                ended = make_promotion(
                    "RAAAAAAAAAA",
                    P,
                    phase=Phase.REVERTED,
                    channel=CHANNEL,
                    started_at=START,
                    touched_at=START,
                    settled_at=START + timedelta(seconds=60),
                )
                await tx.add_promotion(ended)
                await tx.add_card(P, CHANNEL)
                await tx.add_terminal(P)
                if samples:
                    moment = START + timedelta(seconds=5)
                    await tx.add_samples(P, [PodSample(at=moment, stage="forward", services=counts)])
                await tx.add_picture(P)
                await tx.add_picture(P)
            yield Stage(store, clock, slack, session)
    finally:
        arm(None)
        await slack.stop()


async def test_it_waits_for_the_turn_of_its_channel_and_takes_one(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.card()
        post, workspace = s.pacing.post(CHANNEL), s.pacing.workspace()
        for _ in range(int(POST_BURST)):
            post.take()
        before, left = s.clock.monotonic(), workspace.tokens
        await s.send()
        assert len(s.shown()) == 1
        assert s.clock.monotonic() - before >= 1 / POST_RATE
        assert post.wait(s.clock.monotonic()) > 0
        assert workspace.tokens <= left


async def test_what_slack_put_off_puts_off_the_messages_of_that_channel_too(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.card()
        s.slack.fail_next("files.completeUploadExternal", 429)
        await s.send()
        assert s.shown() == []
        assert s.pacing.post(CHANNEL).wait(s.clock.monotonic()) > 0
        await s.send(times=2, every=60.0)
        assert len(s.shown()) == 1


async def test_it_stands_in_the_thread_with_words_for_who_cannot_see_it(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.send()
        assert s.drawn == []  # the verdict goes first
        await s.card()
        await s.send(times=2)
        (file,) = s.shown()
        assert file["content"].startswith("data:image/png;base64,")
        assert file["title"] == "myapp RAAAAAAAAAA: removed"
        assert "web, wanted 2: new pods ready 0; new pods not ready 1; old pods ready 2." in file["alt_txt"]
        assert s.drawn[0]["services"] == [{"name": "web", "points": [[5.0, 1, 0, 2, 2]]}]
        assert await s.open() == []


@pytest.mark.parametrize("place", ["outbox.after_sending", "outbox.after_post"])
async def test_a_process_that_dies_on_the_way_leaves_one_picture(tmp_path: Path, place: str):
    def die(passed: str) -> None:
        if passed == place:
            raise SystemExit

    async with staged(tmp_path) as s:
        await s.card()
        arm(die)
        with pytest.raises(SystemExit):
            await s.send()
        arm(None)
        await s.send(times=12, every=10)
        assert len(s.shown()) == 1
        assert len(s.drawn) == (2 if place == "outbox.after_sending" else 1)
        assert await s.open() == []


async def test_an_answer_that_is_lost_is_looked_for_before_anything_is_sent_again(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.card()
        s.slack.fail_next("files.completeUploadExternal", 502)
        s.slack.fail_next("conversations.replies", 502)
        await s.send(times=20, every=10)
        assert len(s.shown()) == 1
        assert await s.open() == []


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_slack_that_says_not_now_is_asked_again(tmp_path: Path, method: str):
    async with staged(tmp_path) as s:
        await s.card()
        s.slack.fail_next(method, "ratelimited")
        await s.send()
        assert s.shown() == []
        await s.send(times=5, every=10)
        assert len(s.shown()) == 1


async def test_without_the_scope_it_is_given_up_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with staged(tmp_path, BOT_SCOPES - {"files:write"}) as s:
        await s.card()
        sender, (due,) = s.sender(), await s.open()
        await sender.send_due()
        assert await s.open() == []
        await sender._send(due, s.draw)
        assert len(s.drawn) == 2
        assert caplog.text.count("lacks the scope files:write") == 1


async def test_it_goes_on_by_itself_and_over_a_database_in_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    async with staged(tmp_path) as s:
        await s.card()
        sender, opened = s.sender(), s.store.outbox.pictures.open
        troubles: list[Exception] = [Unavailable("the disk is full"), KeyError("a defect")]

        async def fail():
            if troubles:
                raise troubles.pop(0)
            return await opened()

        monkeypatch.setattr(s.store.outbox.pictures, "open", fail)
        sender._state.identified.set()
        running = asyncio.create_task(sender.run(), name="pictures")
        async with asyncio.timeout(60):
            while await opened():
                sender.wake()
                await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert len(s.shown()) == 1
        assert "pictures have to wait: the disk is full" in caplog.text
        assert "an error nobody foresaw" in caplog.text


async def test_a_channel_that_refuses_it_gets_none(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.card()
        s.slack.fail_next("files.completeUploadExternal", "not_in_channel")
        await s.send(times=5, every=10)
        assert (s.shown(), await s.open()) == ([], [])


async def test_what_cannot_be_drawn_is_said_in_the_log_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async def fail(_values):
        raise PictureFailure("it ended with 1: MemoryError")

    async with staged(tmp_path) as s:
        await s.card()
        await s.sender(fail).send_due()
        assert f"the picture of {P} was not drawn: it ended with 1: MemoryError" in caplog.text
        assert await s.open() == []


@pytest.mark.parametrize("why", ["nothing was seen", "too late", "off", "no thread"])
async def test_a_picture_that_nobody_can_have_is_ended(tmp_path: Path, why: str):
    async with staged(tmp_path, samples=why != "nothing was seen") as s:
        await s.card()
        sender = s.sender()
        if why == "too late":
            s.clock.jump(3601)
        elif why == "off":
            sender._draw = None
        elif why == "no thread":
            await s.store.outbox.card_failed(P, "not_in_channel")
        assert not await sender.send_due()
        assert (s.drawn, s.shown(), await s.open()) == ([], [], [])
