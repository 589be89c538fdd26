"""The sender between the real outbox and a Slack that fails in every way: nothing lost, nothing twice, nobody starved."""

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.playground.slack.rate_limits import RateLimits, SlidingWindow
from bot.slack.cards import LONGEST_INTERVAL
from bot.slack.connection import SlackState
from bot.slack.pacing import UPDATE_BURST, UPDATE_RATE
from bot.slack.sender import Sender
from bot.slack.web_api import WebApi
from bot.slack.workspace_blocks import WorkspaceBlocks
from bot.views.notices import notice
from bot.views.thread import is_shown
from core.errors import Unavailable
from core.policy.rules import Verbosity
from core.ports.digests import JOINING_SECONDS, MOST_ROLLOUTS, Digest
from core.ports.notices import Notice
from core.ports.outbox import ThreadDue
from core.promotion import Phase
from core.records.line import Line
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.fakes import START, JumpingClock
from tests.storage.making import APP, make_app, make_line, make_promotion, make_release, moved

KEY = Keyring.generate()
P, Q = "PAAAAAAAAAA", "PBBBBBBBBBB"


class Slack:
    """What the sender's client talks to; `trouble` is asked before each call and may raise, or say "after"."""

    def __init__(self, clock: JumpingClock) -> None:
        self.clock = clock
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[dict[str, Any]] = []
        self.trouble: Callable[[str, dict[str, Any]], BaseException | None] = lambda _method, _body: None
        self.after: Callable[[str, dict[str, Any]], BaseException | None] = lambda _method, _body: None
        self.page = 200

    async def api_call(self, method: str, *, http_verb: str = "POST", json=None, params=None) -> Any:
        body = json or params
        self.calls.append((method, body))
        await asyncio.sleep(0)
        if error := self.trouble(method, body):
            raise error
        data = {
            "chat.postMessage": self._post,
            "chat.update": lambda body: {"ts": body["ts"]},
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }[method](body)
        if error := self.after(method, body):
            raise error
        return answer(200, {"ok": True, **data})

    def _post(self, body):
        ts = f"{self.clock.now().timestamp() + len(self.messages) / 1e3:.6f}"
        self.messages.append({**body, "ts": ts})
        return {"ts": ts}

    def _history(self, body):
        return self._page([m for m in reversed(self.messages) if "thread_ts" not in m], body)

    def _replies(self, body):
        return self._page([m for m in self.messages if m.get("thread_ts") == body["ts"]], body)

    def _page(self, found, body):
        found = [m for m in found if m["channel"] == body["channel"] and m["ts"] >= body["oldest"]]
        start = int(body.get("cursor") or 0)
        end = start + min(int(body["limit"]), self.page)
        cursor = str(end) if end < len(found) else ""
        return {"messages": found[start:end], "response_metadata": {"next_cursor": cursor}}

    def said(self, text: str) -> int:
        return sum(m["text"] == text for m in self.messages)


def answer(status: int, data: Any, headers: dict[str, str] | None = None) -> AsyncSlackResponse:
    return AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data=data,
        headers=headers or {},
        status_code=status,
    )


def refused(word: str, status: int = 200, **headers: str) -> SlackApiError:
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return SlackApiError(word, answer(status, {"ok": False, "error": word} if word else "<html>", headers))


class Messages:
    """Payloads that say which promotion they are of; `defect` makes those of one fail, `room` is for lines beside an ending."""

    def __init__(self) -> None:
        self.defect = ""
        self.room = 0
        self.quiet: set[str] = set()

    async def card(self, promotion: str, without: Collection[str] = ()) -> dict[str, Any]:
        if promotion == self.defect:
            raise KeyError("a defect")
        return {"text": f"card {promotion}"}

    async def post(self, post) -> dict[str, Any]:
        if post.kind == "terminal":
            return {"text": f"end {post.subject}" + (f" + {len(post.lines)} lines" if post.lines else "")}
        return {"text": f"{len(post.lines)} lines"}

    def notice(self, due: Notice) -> dict[str, Any]:
        return notice(due)

    async def beside_ending(self, promotion: str) -> Callable[[Sequence[Line]], bool]:
        return lambda lines: len(lines) <= self.room

    def shown(self, due: ThreadDue) -> Callable[[Line], bool] | None:
        if not due.digested and due.channel not in self.quiet:
            return None
        verbosity: Verbosity = "quiet" if due.channel in self.quiet else "normal"
        return partial(is_shown, verbosity=verbosity, digested=due.digested)

    async def digest(self, due: Digest) -> dict[str, Any]:
        return {"text": f"digest {due.channel} {'over' if due.over else 'goes on'}"}


class Stage:
    def __init__(self, store: SqliteStore, clock: JumpingClock, slack: Slack | None = None) -> None:
        self.store, self.clock = store, clock
        self.slack, self.messages, self.state = slack or Slack(clock), Messages(), SlackState()
        calls = WebApi(self.slack, self.state)  # type: ignore[arg-type]
        support = WorkspaceBlocks(store.refused_blocks, self.state, clock)
        self.sender = Sender(store.outbox, self.messages, store, calls, self.state, clock, support)

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let the sender work for so many seconds of its clock."""
        passed = 0.0
        while passed < seconds:
            await self.sender._recover()
            if await self.sender._round() > 0:
                self.clock.jump(step)
                passed += step

    async def moves(self, *promotions: str) -> None:
        """Let something happen to these promotions, which their cards are to show."""
        for promotion in promotions:
            async with self.store.transaction() as tx:
                current = await tx.promotion(promotion)
                await tx.save_promotion(moved(current, current.phase), was=current.phase)

    def edits(self) -> list[str]:
        return [body["text"].removeprefix("card ") for method, body in self.slack.calls if "update" in method]

    async def promotion(
        self,
        promotion: str,
        channel: str = "C1",
        *,
        lines: int = 1,
        ended: bool = False,
        phase: Phase = Phase.AWAITING_APPROVAL,
        app: str = APP,
    ) -> None:
        release = promotion.replace("P", "R", 1)
        async with self.store.transaction() as tx:
            if app != APP:
                await tx.add_app(make_app(app))
            await tx.add_release(make_release(release, app=app, sequence=await tx.next_sequence(app)))
            made = make_promotion(release, promotion, phase=phase, app=app)
            await tx.add_promotion(made)
            await tx.add_card(promotion, channel)
            await tx.add_lines(promotion, [make_line(n) for n in range(lines)])
            if ended:
                await tx.save_promotion(moved(made, Phase.DECLINED), was=made.phase)
                await tx.add_terminal(promotion)


@asynccontextmanager
async def staged(path: Path) -> AsyncGenerator[Stage]:
    clock = JumpingClock(START)
    async with open_store(path / "convox.db", Keyring([KEY]), clock, exclusive=False) as store:
        async with store.transaction() as tx:
            await tx.add_app(make_app(APP))
        yield Stage(store, clock)


async def test_card_lines_and_ending_come_once_and_in_order(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, ended=True, lines=3)
        await s.pass_time(30)
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "3 lines", f"end {P}"]
        card = s.slack.messages[0]["ts"]
        assert [m.get("thread_ts") for m in s.slack.messages] == [None, card, card]


@pytest.mark.parametrize("text", [f"card {P}", "1 lines", f"end {P}"])
@pytest.mark.parametrize(
    "lookup", [refused("ratelimited", 429, Retry_After="30"), TimeoutError(), refused("", 503)]
)
async def test_a_look_up_that_fails_is_not_taken_for_not_there(tmp_path: Path, text: str, lookup: Exception):
    """The message is in Slack, its answer was lost, and for ten minutes nobody can look."""
    async with staged(tmp_path) as s:
        lost: list[str] = []

        def after(method: str, body: dict[str, Any]):
            if method == "chat.postMessage" and body["text"] == text and not lost:
                lost.append(text)
                return TimeoutError()
            return None

        s.slack.after = after
        s.slack.trouble = lambda method, _: (
            lookup if method.startswith("conversations") and s.clock.monotonic() < 600 else None
        )
        await s.promotion(P, ended=True)
        await s.pass_time(580)
        assert s.slack.said(text) == 1
        await s.pass_time(120)
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]


async def test_a_message_that_did_not_arrive_is_sent_again_after_two_looks(tmp_path: Path):
    async with staged(tmp_path) as s:
        lost: list[str] = []

        def trouble(method: str, body: dict[str, Any]):
            if method == "chat.postMessage" and body["text"] == "1 lines" and not lost:
                lost.append("1 lines")
                return TimeoutError()
            return None

        s.slack.trouble = trouble
        await s.promotion(P, ended=True)
        await s.pass_time(90)
        looks = [method for method, _ in s.slack.calls if method == "conversations.replies"]
        assert len(looks) == 2
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]


async def test_a_message_far_down_a_long_thread_is_found(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.slack.page = 2
        lost: list[str] = []

        def after(method: str, body: dict[str, Any]):
            if method == "chat.postMessage" and body["text"] == f"end {P}" and not lost:
                lost.append(P)
                return TimeoutError()
            return None

        s.slack.after = after
        await s.promotion(P)
        for _ in range(7):
            async with s.store.transaction() as tx:
                await tx.add_lines(P, [make_line(len(s.slack.messages) + 100)])
            await s.pass_time(5)
        async with s.store.transaction() as tx:
            made = await tx.promotion(P)
            await tx.save_promotion(moved(made, Phase.DECLINED), was=made.phase)
            await tx.add_terminal(P)
        await s.pass_time(200)
        assert s.slack.said(f"end {P}") == 1
        assert len([m for m, _ in s.slack.calls if m == "conversations.replies"]) > 1


async def test_one_promotion_that_cannot_be_told_keeps_no_other_waiting(tmp_path: Path, caplog):
    async with staged(tmp_path) as s:
        s.messages.defect = P
        await s.promotion(P)
        await s.promotion(Q, ended=True)
        with caplog.at_level(logging.CRITICAL):
            await s.pass_time(10)
        assert [m["text"] for m in s.slack.messages] == [f"card {Q}", "1 lines", f"end {Q}"]
        s.messages.defect = ""
        await s.pass_time(60)
        assert s.slack.said(f"card {P}") == 1


async def test_a_surprise_in_one_channel_posts_nothing_twice_in_another(tmp_path: Path, caplog):
    """The slow call of the second channel is still under way when the first has stumbled."""
    async with staged(tmp_path) as s:
        s.messages.defect = P
        await s.promotion(P, "C1")
        await s.promotion(Q, "C2", lines=0)
        slow, real = asyncio.Event(), s.slack.api_call

        async def api_call(method: str, **how: Any):
            await slow.wait()
            return await real(method, **how)

        s.slack.api_call = api_call
        with caplog.at_level(logging.CRITICAL):
            first = asyncio.create_task(s.sender._round())
            for _ in range(200):
                await asyncio.sleep(0.001)
            assert not first.done()
            slow.set()
            await first
            await s.pass_time(5)
        assert s.slack.said(f"card {Q}") == 1


async def test_a_slow_channel_holds_up_no_other_and_is_told_in_order(tmp_path: Path, monkeypatch):
    """One call without an answer made every other channel wait for its time-out."""
    monkeypatch.setattr("bot.slack.sender.PATIENCE_SECONDS", 0.01)
    async with staged(tmp_path) as s:
        await s.promotion(P, "C1", ended=True)
        await s.promotion(Q, "C2", ended=True)
        slow, real = asyncio.Event(), s.slack.api_call

        async def api_call(method: str, **how: Any):
            if (how.get("json") or how.get("params"))["channel"] == "C1":
                await slow.wait()
            return await real(method, **how)

        s.slack.api_call = api_call
        await s.pass_time(30)
        assert [m["text"] for m in s.slack.messages] == [f"card {Q}", "1 lines", f"end {Q}"]
        slow.set()
        await s.sender._fresh.wait()
        await s.pass_time(30)
        assert [m["text"] for m in s.slack.messages if m["channel"] == "C1"] == [
            f"card {P}",
            "1 lines",
            f"end {P}",
        ]


async def test_what_a_stumble_is_recovered_from_leaves_calls_that_are_under_way_alone(
    tmp_path: Path, monkeypatch, caplog
):
    """Their outcome will be known: to look them up would be to doubt them, and to send them again."""
    monkeypatch.setattr("bot.slack.sender.PATIENCE_SECONDS", 0.01)
    async with staged(tmp_path) as s:
        await s.promotion(P, "C1", lines=0)
        await s.promotion(Q, "C2", lines=0)
        await s.pass_time(5)
        async with s.store.transaction() as tx:
            await tx.add_lines(P, [make_line(1)])
        slow, real = asyncio.Event(), s.slack.api_call

        async def api_call(method: str, **how: Any):
            if (how.get("json") or how.get("params"))["channel"] == "C1":
                await slow.wait()
            return await real(method, **how)

        s.slack.api_call = api_call
        await s.sender._round()
        s.messages.defect = Q
        await s.moves(Q)
        with caplog.at_level(logging.CRITICAL):
            await s.pass_time(5)
        slow.set()
        await s.sender._fresh.wait()
        await s.pass_time(120)
        assert s.slack.said("1 lines") == 1
        assert not [method for method, _ in s.slack.calls if "conversations" in method]


async def test_what_is_under_way_when_it_stops_is_let_go_of(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P)
        begun = asyncio.Event()

        async def api_call(method: str, **how: Any):
            begun.set()
            await asyncio.Event().wait()

        s.slack.api_call = api_call
        s.state.identified.set()
        running = asyncio.create_task(s.sender.run())
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not s.sender._sending


async def test_what_was_sent_and_could_not_be_written_down_is_not_sent_again(tmp_path: Path, caplog):
    async with staged(tmp_path) as s:
        real, failed = s.store._database.transaction, list[str]()

        @asynccontextmanager
        async def transaction(*work, urgent: bool = False):
            if s.slack.said("1 lines") and not failed:
                failed.append(s.slack.messages[-1]["text"])
                raise Unavailable("the disk is full")
            async with real(*work, urgent=urgent) as connection:
                yield connection

        s.store._database.transaction = transaction  # type: ignore[assignment]
        await s.promotion(P, ended=True)
        with caplog.at_level(logging.WARNING):
            await s.pass_time(200)
        assert failed
        assert "the disk is full" in caplog.text
        assert not any(record.exc_info for record in caplog.records), "a sentence, no traceback"
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]


@pytest.mark.parametrize(
    "error", [refused("", 403), refused("", 407), refused("request_timeout"), refused("team_added_to_org")]
)
async def test_what_stands_between_us_and_slack_loses_nothing(tmp_path: Path, error: Exception):
    async with staged(tmp_path) as s:
        s.slack.trouble = lambda *_: error if s.clock.monotonic() < 3600 else None
        await s.promotion(P, ended=True)
        await s.pass_time(3600, step=10)
        assert not s.slack.messages
        await s.pass_time(120)
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]


async def test_a_call_that_never_left_is_made_again_without_a_look(tmp_path: Path):
    async with staged(tmp_path) as s:
        error = aiohttp.ClientConnectorError(None, OSError("refused"))
        s.slack.trouble = lambda *_: error if s.clock.monotonic() < 20 else None
        await s.promotion(P, ended=True)
        await s.pass_time(40)
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]
        assert not [m for m, _ in s.slack.calls if m.startswith("conversations")]


async def test_a_retry_after_holds_for_its_channel_and_for_no_other(tmp_path: Path):
    async with staged(tmp_path) as s:
        limited: list[float] = []

        def trouble(method: str, body: dict[str, Any]):
            if body["channel"] == "C1" and not limited:
                limited.append(s.clock.monotonic())
                return refused("ratelimited", 429, Retry_After="30")
            return None

        s.slack.trouble = trouble
        await s.promotion(P, "C1")
        await s.promotion(Q, "C2", ended=True)
        await s.pass_time(25)
        assert [m["channel"] for m in s.slack.messages] == ["C2"] * 3
        assert sum(body["channel"] == "C1" for _, body in s.slack.calls) == 1
        await s.pass_time(15)
        assert s.slack.said(f"card {P}") == 1


async def test_at_most_one_message_a_second_and_channel_after_a_burst(tmp_path: Path):
    async with staged(tmp_path) as s:
        for number in range(20):
            await s.promotion(f"P{chr(65 + number) * 10}", lines=0)
        await s.pass_time(10, step=0.1)
        second: defaultdict[int, int] = defaultdict(int)
        for message in s.slack.messages:
            second[int(float(message["ts"]))] += 1
        first, *later = (second[k] for k in sorted(second))
        assert first <= 4
        assert max(later) <= 2
        assert 11 <= len(s.slack.messages) <= 14


async def test_dead_credentials_lose_nothing_and_stop_the_sender(tmp_path: Path, caplog):
    async with staged(tmp_path) as s:
        s.slack.trouble = lambda *_: refused("invalid_auth")
        await s.promotion(P, ended=True)
        s.state.identified.set()
        with caplog.at_level(logging.CRITICAL):
            await asyncio.wait_for(s.sender.run(), 10)
        s.state.bot_token_refused = False
        s.slack.trouble = lambda *_: None
        await s.pass_time(30)
        assert [m["text"] for m in s.slack.messages] == [f"card {P}", "1 lines", f"end {P}"]


async def for_good(seconds: float) -> None:
    await asyncio.Event().wait()


async def test_everybody_who_waits_for_a_card_is_told(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P)
        waits = [asyncio.create_task(s.sender.wait_for_card(P, 1e9)) for _ in range(2)]
        s.clock.sleep = for_good
        for _ in range(50):
            await asyncio.sleep(0.001)
        await s.sender._round()
        cards = await asyncio.wait_for(asyncio.gather(*waits), 10)
        assert all(card is not None and card.ts for card in cards)
        assert not s.sender._waiting


def ids(count: int) -> list[str]:
    return [f"P{chr(65 + number) * 10}" for number in range(count)]


async def running(s: Stage, count: int) -> list[str]:
    """Post the cards of so many rollouts, each in a channel of its own; an hour later every bucket is full again."""
    for promotion in ids(count):
        await s.promotion(
            promotion, f"C{promotion}", lines=0, phase=Phase.UPDATING, app=f"app-{promotion.lower()}"
        )
    await s.pass_time(3600, step=60)
    assert len(s.slack.messages) == count
    return ids(count)


async def test_edits_of_many_channels_share_one_bucket_also_when_they_come_at_once(tmp_path: Path):
    async with staged(tmp_path) as s:
        rollouts = await running(s, 20)
        await s.moves(*rollouts)
        assert await s.sender._round() == 0
        assert len(s.edits()) == UPDATE_BURST
        await s.pass_time(15, step=0.5)
        assert len(s.edits()) <= UPDATE_BURST + 15 * UPDATE_RATE + 1


async def test_a_round_reads_the_same_however_many_cards_are_due(tmp_path: Path):
    """Whatever the choice among them needs travels with the cards: no promotion is read, and unsealed, for each."""
    async with staged(tmp_path) as s:
        statements: list[str] = []
        await s.store._database.reader.set_trace_callback(statements.append)
        asked: list[int] = []
        for count in (1, 20):
            for promotion in ids(count)[len(asked) :]:
                await s.promotion(promotion, lines=0, app=f"app-{promotion.lower()}")
            statements.clear()
            await s.sender._due()
            asked.append(len(statements))
        assert asked[0] == asked[1] > 0


async def test_a_verdict_takes_the_lines_of_its_thread_along(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.messages.room = 2
        await s.promotion(P, ended=True, lines=2)
        await s.promotion(Q, "C2", ended=True, lines=3)
        await s.pass_time(30)
        assert [m["text"] for m in s.slack.messages if m["channel"] == "C1"] == [
            f"card {P}",
            f"end {P} + 2 lines",
        ]
        assert [m["text"] for m in s.slack.messages if m["channel"] == "C2"] == [
            f"card {Q}",
            "3 lines",
            f"end {Q}",
        ]


async def test_a_hundred_verdicts_given_at_once_are_said_within_25_seconds(tmp_path: Path):
    """However many lines of others wait: Slack's budget for a workspace is the only thing that they wait for."""
    async with staged(tmp_path) as s:
        s.messages.room = 37
        budget = RateLimits(s.clock)
        s.slack.trouble = lambda method, body: (
            refused("ratelimited", 429, Retry_After=str(after))
            if (after := budget.refuse(method, body.get("channel", "")))
            else None
        )
        everybody = [f"P{chr(65 + n // 10)}{chr(65 + n % 10)}{'C' * 8}" for n in range(110)]
        for number, promotion in enumerate(everybody):
            await s.promotion(
                promotion, f"C{number}", lines=1, phase=Phase.UPDATING, app=f"app-{promotion.lower()}"
            )
        await s.pass_time(130, step=0.25)
        ended, talking = everybody[:100], everybody[100:]
        assert len(s.slack.messages) == 220
        async with s.store.transaction() as tx:
            for promotion in talking:
                await tx.add_lines(promotion, [make_line(n) for n in range(100, 900)])
        began = s.clock.now().timestamp()
        async with s.store.transaction() as tx:
            for promotion in ended:
                current = await tx.promotion(promotion)
                await tx.save_promotion(moved(current, Phase.RUNNING), was=current.phase)
                await tx.add_lines(promotion, [make_line(100)])
                await tx.add_terminal(promotion)
        await s.pass_time(30, step=0.25)
        said = sorted(float(m["ts"]) - began for m in s.slack.messages if m["text"].startswith("end "))
        assert len(said) == 100
        assert said[-1] <= 25
        assert all(m["text"].endswith("+ 1 lines") for m in s.slack.messages if m["text"].startswith("end "))
        refusals = [m for m, _ in s.slack.calls if m == "chat.postMessage"]
        assert len(refusals) == len(s.slack.messages), "what we keep ourselves Slack need not refuse"


async def test_a_limit_of_the_workspace_that_is_lower_than_ours_is_learned(tmp_path: Path):
    async with staged(tmp_path) as s:
        allowed = SlidingWindow(30)

        def trouble(method: str, body: dict[str, Any]):
            if method != "chat.postMessage" or not (after := allowed.take(s.clock.monotonic())):
                return None
            return refused("ratelimited", 429, Retry_After=str(math.ceil(after)))

        s.slack.trouble = trouble
        for number, promotion in enumerate(ids(4)):
            await s.promotion(promotion, f"C{number}", lines=0, app=f"app-{promotion.lower()}")
        for second in range(150):
            async with s.store.transaction() as tx:
                for promotion in ids(4):
                    await tx.add_lines(promotion, [make_line(second)])
            await s.pass_time(1)
        tried = sum(method == "chat.postMessage" for method, _ in s.slack.calls)
        assert 75 <= len(s.slack.messages) <= 90
        assert tried - len(s.slack.messages) <= 12, "few are tried that Slack refuses"


async def test_heartbeats_do_not_hold_up_the_card_of_an_approval(tmp_path: Path):
    async with staged(tmp_path) as s:
        *rollouts, approval = [*await running(s, 20), Q.replace("B", "Z")]
        await s.promotion(approval, "CZ", lines=0)
        await s.pass_time(5)
        await s.moves(*rollouts)
        await s.sender._round()
        assert approval not in s.edits(), "every token of the heartbeats is gone"
        assert await s.sender._round() > 0
        await s.moves(approval)
        await s.sender._round()
        assert s.edits()[-1] == approval


async def test_a_retry_after_for_an_edit_closes_both_lanes(tmp_path: Path):
    async with staged(tmp_path) as s:
        (rollout,) = await running(s, 1)
        await s.promotion(Q, "CZ", lines=0)
        await s.pass_time(5)
        s.slack.trouble = lambda method, _: (
            refused("ratelimited", 429, Retry_After="30") if method == "chat.update" else None
        )
        await s.moves(rollout)
        await s.sender._round()
        await s.moves(Q)
        s.slack.calls.clear()
        await s.pass_time(25)
        assert s.edits() == []


async def test_what_was_edited_long_ago_is_forgotten(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P)
        await s.pass_time(5)
        assert s.sender._cards._edited
        s.clock.jump(LONGEST_INTERVAL)
        await s.sender._round()
        assert not s.sender._cards._edited


async def test_a_quiet_thread_has_the_proof_and_the_verdict_and_no_step(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.messages.quiet = {"C1"}
        await s.promotion(P, lines=9)
        await s.promotion(Q, "C2", lines=2)
        await s.pass_time(10)
        async with s.store.transaction() as tx:
            proof = replace(make_line(100), kind="evidence")
            await tx.add_lines(P, [make_line(99), proof, make_line(101)])
            made = await tx.promotion(P)
            await tx.save_promotion(moved(made, Phase.DECLINED), was=made.phase)
            await tx.add_terminal(P)
        s.messages.room = 1
        await s.pass_time(20)
        texts = {c: [m["text"] for m in s.slack.messages if m["channel"] == c] for c in ("C1", "C2")}
        assert texts == {"C1": [f"card {P}", f"end {P} + 1 lines"], "C2": [f"card {Q}", "2 lines"]}
        assert len(await s.store.read.lines(P, after=0, limit=99)) == 12, "the records have every line"
        assert await s.store.outbox.threads_due() == []


async def test_what_a_thread_does_not_show_takes_nobodys_turn(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.messages.quiet = {"C1"}
        await s.promotion(P, lines=3)
        await s.pass_time(5)
        before = len(s.slack.calls)
        async with s.store.transaction() as tx:
            await tx.add_lines(P, [make_line(n) for n in range(10, 15)])
        tasks, _ = await s.sender._due()
        assert [task.priority.name for task in tasks] == []
        assert len(s.slack.calls) == before


async def crowd(s: Stage, number: int, channel: str = "C1", *, start: int = 0, **how: Any) -> list[str]:
    """Let so many promotions of as many apps roll out in a channel."""
    ids = [f"P{channel}{n:0{10 - len(channel)}}" for n in range(start, start + number)]
    for promotion in ids:
        app = f"app-{promotion.lower()}"
        await s.promotion(promotion, channel, app=app, phase=Phase.UPDATING, **how)
    return ids


async def settle(s: Stage, *promotions: str, phase: Phase = Phase.RUNNING) -> None:
    for promotion in promotions:
        async with s.store.transaction() as tx:
            current = await tx.promotion(promotion)
            await tx.save_promotion(moved(current, phase), was=current.phase)
            await tx.add_terminal(promotion)


def digests(s: Stage) -> list[str]:
    return [m["text"] for m in s.slack.messages if m["text"].startswith("digest")]


async def test_above_twenty_rollouts_one_message_tells_of_all_and_cards_change_with_their_phase_only(
    tmp_path: Path,
):
    """Engine rule 39: heartbeats of many cards would be minutes behind; milestones are not."""
    async with staged(tmp_path) as s:
        ids = await crowd(s, MOST_ROLLOUTS + 1, lines=3)
        async with s.store.transaction() as tx:
            await tx.add_lines(ids[0], [replace(make_line(50), object="atom/app")])
        await s.pass_time(60)
        assert digests(s) == ["digest C1 goes on"]
        assert sum(m["text"].startswith("card ") for m in s.slack.messages) == len(ids), "each card is there"
        threads = [m for m in s.slack.messages if "thread_ts" in m]
        assert [m["text"] for m in threads] == ["1 lines"], "a milestone, and no single step"

        s.slack.calls.clear()
        await s.moves(*ids)
        await s.pass_time(30)
        assert {*s.edits()} == {"digest C1 goes on"}, "what goes on within a phase only the digest tells"
        await settle(s, ids[0])
        await s.pass_time(30)
        assert ids[0] in s.edits(), "a verdict stands on its card at once"
        assert s.slack.said(f"end {ids[0]}") == 1

        await settle(s, *ids[1:])
        await s.pass_time(120)
        assert s.edits().count("digest C1 over") == 1
        assert await s.store.outbox.digests.due() == []
        assert digests(s) == ["digest C1 goes on"], "one message, edited"


async def test_twenty_rollouts_in_each_of_two_channels_are_told_by_their_cards(tmp_path: Path):
    async with staged(tmp_path) as s:
        ids = [*await crowd(s, MOST_ROLLOUTS, "C1"), *await crowd(s, 2, "C2")]
        await s.pass_time(30)
        await s.moves(*ids)
        await s.pass_time(90)
        assert digests(s) == []
        assert {*s.edits()} == {*ids}


async def test_a_digest_whose_post_had_no_answer_is_looked_for_also_after_a_restart(tmp_path: Path):
    async with staged(tmp_path) as s:
        lost: list[str] = []

        def after(method: str, body: dict[str, Any]):
            if method == "chat.postMessage" and body["text"].startswith("digest") and not lost:
                lost.append(body["text"])
                return TimeoutError()
            return None

        s.slack.after = after
        ids = await crowd(s, MOST_ROLLOUTS + 1, lines=0)
        await s.pass_time(3)
        assert lost
        again = Stage(s.store, s.clock, s.slack)
        await again.pass_time(120)
        assert len(digests(again)) == 1, "it was there, so it is edited and not posted again"
        await again.moves(ids[0])
        again.slack.calls.clear()
        await again.pass_time(20)
        assert "digest C1 goes on" in again.edits()


async def test_a_digest_that_slack_does_not_take_leaves_its_rollouts_to_their_cards(tmp_path: Path):
    async with staged(tmp_path) as s:
        s.slack.trouble = lambda method, body: (
            refused("msg_too_long") if str(body.get("text", "")).startswith("digest") else None
        )
        ids = await crowd(s, MOST_ROLLOUTS + 1)
        await s.pass_time(60)
        assert digests(s) == []
        await s.moves(*ids)
        s.slack.calls.clear()
        await s.pass_time(120)
        assert {*s.edits()} == {*ids}


async def test_what_starts_within_an_hour_joins_and_what_starts_later_does_not(tmp_path: Path):
    async with staged(tmp_path) as s:
        await crowd(s, MOST_ROLLOUTS + 1, lines=0)
        await s.pass_time(5)
        await crowd(s, 1, start=50, lines=0)
        await s.sender._due()
        assert len(await s.store.read.digest_cards(1)) == MOST_ROLLOUTS + 2
        s.clock.jump(JOINING_SECONDS)
        await crowd(s, 1, start=60, lines=0)
        await s.pass_time(5)
        assert len(await s.store.read.digest_cards(1)) == MOST_ROLLOUTS + 2
        await crowd(s, MOST_ROLLOUTS, start=61, lines=0)
        await s.pass_time(60)
        assert len(digests(s)) == 2, "that many are told of by a new message, at the end of the channel"
