"""What Slack delivered is carried out once, in order, and answered whatever happens."""

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.slack.connection import SlackState
from bot.slack.dialogs import Dialogs
from bot.slack.files import FileSender
from bot.slack.inbox import DONE_BEFORE, FRESH, InboxWorker
from bot.slack.pacing import Pacing
from bot.slack.web_api import WebApi
from bot.slack.workspace import WorkspaceFilter, WorkspaceId
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.errors import Unavailable
from core.policy.authorization import parse_policy
from core.promotion import Phase
from tests.bot.api.asking import policy_of
from tests.bot.handling import handlers_of
from tests.core.world import ALICE, ONE_APPROVAL, World, by, world
from tests.fakes import progressing


class Refused:
    """What Slack says of blocks that it does not take."""

    status = 400

    async def text(self) -> str:
        return '{"ok":false,"error":"invalid_blocks"}'


@dataclass
class Answers:
    """Slack's end of `response_url`: takes every answer; those to a stuck address wait for `free`."""

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    no_tables: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def post(self, url: str, *, json: dict[str, Any]) -> AsyncGenerator[Any]:
        if "stuck" in url:
            await self.free.wait()
        if self.no_tables and "blocks" in json:
            yield Refused()
            return
        self.taken.append((url, json))
        yield type("Response", (), {"status": 200})()

    def to(self, url: str) -> list[str]:
        return [json["text"] for taken, json in self.taken if taken == url]


@dataclass
class Stage:
    world: World
    inbox: InboxWorker
    answers: Answers
    task: asyncio.Task[None]
    typed: int = 0

    async def command(self, text: str, *, user: str = "U01ALICE", url: str = "", channel: str = "C1") -> str:
        """Deliver a command; return its response_url."""
        self.typed += 1
        url = url or f"https://answers/{self.typed}"
        body = {"user_id": user, "channel_id": channel, "text": text, "response_url": url}
        await self.inbox.keep(f"command:{self.typed}", "command", orjson.dumps(body))
        return url

    async def click(
        self, promotion: str, name: str, *, ts: str | None, user: str = "U02BOB", value: str = ""
    ) -> str:
        self.typed += 1
        url = f"https://answers/{self.typed}"
        body = {
            "user": {"id": user},
            "channel": {"id": "C1"},
            "container": {"message_ts": ts},
            "actions": [
                {
                    "action_id": f"promotion.{name}",
                    "block_id": f"promotion:{promotion}:1",
                    "value": value or f"1 {name} {promotion}",
                }
            ],
            "response_url": url,
        }
        await self.inbox.keep(f"action:{self.typed}", "action", orjson.dumps(body))
        return url

    async def answer(self, url: str) -> str:
        async with asyncio.timeout(20):
            while not self.answers.to(url):  # noqa: ASYNC110 - the fake calls nobody back
                await asyncio.sleep(0.005)
        return self.answers.to(url)[0]

    async def handled(self) -> None:
        async with asyncio.timeout(20):
            while await self.world.store.inbox.pending():  # noqa: ASYNC110 - nor does the store
                await asyncio.sleep(0.005)


def inbox_of(
    w: World,
    answers: Any,
    home: WorkspaceId | None = None,
    dialogs: Any = None,
    files: FileSender | None = None,
    homes: Any = None,
) -> InboxWorker:
    known = asyncio.Event()
    known.set()
    return InboxWorker(
        w.store.inbox,
        handlers_of(w),
        w.store,
        answers,
        _Patient(w.clock),
        identified=known,
        announcer=w.announcer,
        dialogs=dialogs or Dialogs(None),
        workspaces=WorkspaceFilter(lambda: home),
        homes=homes,
        files=files or FileSender(WebApi(None, SlackState()), answers, Pacing(w.clock)),
        support=WorkspaceBlocks(w.store.refused_blocks, SlackState(), w.clock),
        link=lambda channel, ts: f"https://slack/{channel}/{ts}",
    )


class _Patient:
    """The world's clock, but nobody waits for long."""

    def __init__(self, clock: Any) -> None:
        self.now, self.monotonic = clock.now, clock.monotonic

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.001)


@asynccontextmanager
async def staged(path: Path, *, home: WorkspaceId | None = None, **more: Any) -> AsyncGenerator[Stage]:
    async with world(path, **more) as w:
        answers = Answers()
        inbox = inbox_of(w, answers, home)
        task = asyncio.create_task(inbox.run())
        try:
            yield Stage(w, inbox, answers, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_command_is_answered_once_and_its_words_are_wiped(tmp_path: Path):
    async with staged(tmp_path) as s:
        url = await s.command("releases")
        assert "ID" in await s.answer(url)
        await s.handled()
        await s.inbox.keep("command:1", "command", b"{}")
        await asyncio.sleep(0.05)
        assert len(s.answers.to(url)) == 1


async def test_a_list_is_a_table_where_slack_takes_one_and_a_block_of_code_from_one_refusal_on(
    tmp_path: Path,
):
    async with staged(tmp_path) as s:
        await s.world.build()
        first = await s.command("releases")
        await s.answer(first)
        assert s.answers.taken[-1][1]["blocks"][0]["type"] == "table"
        s.answers.no_tables = True
        assert (await s.answer(await s.command("releases"))).startswith("```\nID")
        assert "blocks" not in s.answers.taken[-1][1]
        s.answers.no_tables = False
        await s.answer(await s.command("releases"))
        assert "blocks" not in s.answers.taken[-1][1]
        again = WorkspaceBlocks(s.world.store.refused_blocks, SlackState(), s.world.clock)
        assert not await again.takes("table")
        assert await again.takes("plan")


async def test_what_another_workspace_has_sent_before_ours_was_known_is_not_carried_out(tmp_path: Path):
    async with staged(tmp_path, home=WorkspaceId("T1")) as s:
        url = await s.command("env set A=1")
        assert "this came from another workspace" in await s.answer(url)
        assert await s.world.store.read.releases("myapp", 9) == []


async def test_commands_of_one_channel_are_carried_out_in_order(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.world.build()
        for number in range(10):
            await s.command(f"env set N{number}=1")
        await s.handled()
        newest, *older = await s.world.store.read.releases("myapp", 20)
        assert list(newest.environment) == [f"N{number}" for number in range(10)]
        assert len(older) == 10


@pytest.mark.parametrize("deed", ["command", "click"])
async def test_an_error_nobody_foresaw_is_answered_and_not_tried_again_unasked(
    tmp_path: Path, deed: str, caplog
):
    async with staged(tmp_path) as s:

        async def defect(*_: Any, **__: Any) -> Any:
            raise KeyError("a defect")

        if deed == "command":
            s.inbox._handlers.linked_app = defect
            url = await s.command("releases")
        else:
            s.inbox._reader._store = type("Store", (), {"read": type("Read", (), {"card": defect})()})()
            url = await s.click("PAAAAAAAAAA", "approve", ts="1.0")
        with caplog.at_level(logging.CRITICAL):
            assert "something went wrong here" in await s.answer(url)
        await s.handled()


async def test_the_cancel_button_answers_an_error_too(tmp_path: Path, caplog):
    async with staged(tmp_path) as s:
        w = s.world
        asked = await w.ask((await w.build()).release.id)
        await w.end(asked.promotion.id)
        await w.store.outbox.card_posted(asked.promotion.id, "1.0", 0)

        async def defect(*_: Any, **__: Any) -> Any:
            raise KeyError("a defect")

        w.decider.cancel = defect
        with caplog.at_level(logging.CRITICAL):
            url = await s.click(asked.promotion.id, "cancel", ts="1.0")
            assert "something went wrong here" in await s.answer(url)


async def test_an_answer_that_slack_is_slow_to_take_keeps_no_other_command_waiting(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.command("releases", url="https://answers/stuck")
        assert "ID" in await s.answer(await s.command("releases"))
        assert not s.answers.to("https://answers/stuck")
        s.answers.free.set()
        await s.answer("https://answers/stuck")


async def test_a_promotion_that_nobody_can_see_is_refused_to_who_asked(tmp_path: Path):
    async with staged(tmp_path) as s:
        made = await s.world.build()
        s.world.announcer.failed = "not_in_channel"
        answer = await s.answer(await s.command(f"releases promote {made.release.id}"))
        assert answer == "```\nERROR: I am not in this channel: /invite @convox\n```"
        newest = (await s.world.store.read.promotions("myapp", 1))[0]
        assert (await s.world.end(newest.id)).phase is Phase.REFUSED


async def test_a_click_on_a_card_of_which_the_answer_was_lost_counts(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        asked = await s.world.ask((await s.world.build()).release.id)
        answer = await s.answer(await s.click(asked.promotion.id, "approve", ts="5.0"))
        assert answer.startswith(f"```\nApproving {asked.promotion.id}... OK")
        await s.world.end(asked.promotion.id)


async def test_a_click_on_a_card_that_did_not_show_yet_what_was_added_approves_nothing(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        asked = (await s.world.ask((await s.world.build()).release.id)).promotion
        await s.world.ask(asked.release, overwrite=True)
        old = f"{asked.revision} approve {asked.id}"
        answer = await s.answer(await s.click(asked.id, "approve", ts="5.0", value=old))
        assert f"{asked.id} asks for more than when its card was shown to you: `--overwrite`" in answer
        assert (await s.world.store.read.promotion(asked.id)).phase is Phase.AWAITING_APPROVAL


async def test_a_click_on_a_message_that_is_no_card_does_nothing(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        asked = await s.world.ask((await s.world.build()).release.id)
        await s.world.store.outbox.card_posted(asked.promotion.id, "1.0", 0)
        answer = await s.answer(await s.click(asked.promotion.id, "approve", ts="5.0"))
        assert "this button belongs to no card of mine" in answer
        waits = await s.world.store.read.promotion(asked.promotion.id)
        assert waits.phase is Phase.AWAITING_APPROVAL


@pytest.mark.parametrize(
    "text",
    [
        "releases",
        "releases promote RABCDEFGHIJ",
        "releases promote --force --anyway='a &amp; b'",
        "env --reveal",
        "env set FOO=bar --promote",
        "builds -a other",
        "approve {waiting}",
        "cancel {waiting}",
        "cancel {waiting} -a other",
        "cancel PZZZZZZZZZZ",
        "apps cancel",
        "apps create fresh",
        "unlink",
        "help",
        "fly away",
    ],
)
async def test_a_click_is_answered_and_judged_as_if_its_command_had_been_typed(tmp_path: Path, text: str):
    """By somebody who may only look, so that nothing between the two changes what the second is told."""
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        w = s.world
        waiting = (await w.ask((await w.build()).release.id)).promotion.id
        w.policy = parse_policy(policy_of("view", who="U02BOB", apps="myapp"))
        text = text.format(waiting=waiting)
        typed = await s.answer(await s.command(text, user="U02BOB"))
        clicked = await s.answer(await s.click(waiting, "approve", ts="1.0", value=f"1 {text}"))
        assert clicked == typed
        assert (await w.store.read.promotion(waiting)).phase is Phase.AWAITING_APPROVAL


async def test_the_cancel_button_stops_its_own_promotion_for_who_may(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        w = s.world
        older = (await w.ask((await w.build()).release.id)).promotion.id
        newer = (await w.ask((await w.build()).release.id)).promotion.id
        told = await s.answer(await s.click(older, "cancel", ts="1.0"))
        assert f"ERROR: app is not updating: {older} ended Superseded" in told
        assert (await w.store.read.promotion(newer)).phase is Phase.AWAITING_APPROVAL
        told = await s.answer(await s.click(newer, "cancel", ts="2.0"))
        assert told == "```\nCancelling deployment of myapp... OK\n```"
        assert (await w.store.read.promotion(newer)).cancelled_by.id == "U02BOB"


async def test_a_click_on_what_an_old_card_offers_is_told_what_runs_by_now(tmp_path: Path):
    async with staged(tmp_path) as s:
        w = s.world
        first = await w.good()
        second = await w.promote((await w.build()).release.id)
        back = f"1 releases rollback {first} -a myapp"
        third = await w.good()
        told = await s.answer(await s.click(second.id, "rollback", ts="2.0", value=back))
        assert (
            f"ERROR: this card offers that no longer: myapp runs {third} by now, so nothing was done" in told
        )
        assert (await w.store.read.promotions("myapp", 1))[0].release == third


async def test_a_button_of_before_is_told_to_use_the_newest_card(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        asked = await s.world.ask((await s.world.build()).release.id)
        old = await s.click(asked.promotion.id, "approve", ts="1.0", value=f"{asked.promotion.id}:1")
        answer = await s.answer(old)
        assert "ERROR: this button belongs to no card of mine" in answer
        assert "use the newest card, or the command" in answer


async def test_a_delivery_of_an_unknown_kind_is_answered_and_the_others_go_on(tmp_path: Path, caplog):
    async with staged(tmp_path) as s:
        with caplog.at_level(logging.CRITICAL):
            unknown: Any = "event"
            await s.inbox.keep("event:1", unknown, _body("", "https://answers/view"))
            assert "something went wrong here" in await s.answer("https://answers/view")
        assert "ID" in await s.answer(await s.command("releases"))


async def test_an_approval_that_starts_nothing_says_why(tmp_path: Path):
    async with staged(tmp_path, policy=ONE_APPROVAL) as s:
        w = s.world
        asked = await w.ask((await w.build()).release.id)
        nobody = {"drive": lambda self, promotion: None, "wake": lambda self, app: None}
        w.decider._runner = type("Nobody", (), nobody)()
        async with w.store.transaction() as tx:
            await tx.save_app(replace(await tx.app("myapp"), namespace_uid="somewhere-else"))
        answer = await s.answer(await s.command(f"approve {asked.promotion.id}", user="U02BOB"))
        assert f"ERROR: {asked.promotion.id} was refused: what was approved has changed since" in answer
        assert "Promoting" not in answer


async def test_a_change_whose_promotion_is_refused_says_both(tmp_path: Path):
    async with staged(tmp_path) as s:
        w = s.world
        slow = (await w.build()).release.id
        w.cluster.behaves[slow] = lambda _: progressing()
        asked = await w.ask(slow)
        while (await w.store.read.promotion(asked.promotion.id)).phase is not Phase.UPDATING:
            await w.clock.sleep(0)
        answer = await s.answer(await s.command("env set FOO=bar --promote"))
        made = (await w.store.read.releases("myapp", 1))[0]
        who = "<@U01ALICE> promotes"
        assert f"Setting FOO... OK\nRelease: {made.id}\nERROR: app is currently updating: {who}" in answer
        assert f"or take over: `/convox releases promote {made.id} --force -a myapp`" in answer
        await w.decider.cancel_app(by(asked.promotion.requested_by), "myapp")
        await w.end(asked.promotion.id)


async def test_a_link_says_what_it_took_from_where(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.world.registrar.create_app(by(ALICE, "C2"), "other")
        answer = await s.answer(await s.command("link myapp", channel="C2"))
        assert "Linking myapp to this channel... OK" in answer
        assert "Note: myapp was linked to <#C1>, which has no app now" in answer
        assert "Note: this channel was linked to other, which has no channel now" in answer
        again = await s.answer(await s.command("link myapp", channel="C2"))
        assert "Note" not in again


async def test_a_value_that_slack_cannot_be_shown_exactly_says_so(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.world.registrar.set_environment(by(ALICE), "myapp", [("T", "a```b"), ("U", "plain")])
        answer = await s.answer(await s.command("env get T"))
        assert "Note: invisible characters stand between backticks here" in answer
        assert "shown by: convox-bot do env get T -a myapp" in answer
        assert "Note" not in await s.answer(await s.command("env get U"))
        assert "Note" not in await s.answer(await s.command("env"))


async def test_what_a_crash_left_unanswered_is_not_done_a_second_time(tmp_path: Path):
    async with staged(tmp_path) as s:
        w = s.world
        await w.build()

        async def handled(*_: Any, **__: Any) -> None:
            raise Unavailable("the disk is full")

        real, w.store.inbox.handled = w.store.inbox.handled, handled
        first = await s.answer(await s.command("env set FOO=bar"))
        assert "Setting FOO... OK" in first
        s.task.cancel()
        await asyncio.gather(s.task, return_exceptions=True)
        w.store.inbox.handled = real
        again = inbox_of(w, s.answers)
        task = asyncio.create_task(again.run())
        await s.handled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(await w.store.read.releases("myapp", 9)) == 2
        assert s.answers.taken[-1][1]["text"] == DONE_BEFORE


async def test_what_is_older_than_minutes_is_refused_and_not_carried_out(tmp_path: Path, caplog):
    """As after a start with a good token, hours after the bad one was found out."""
    async with staged(tmp_path) as s:
        await s.world.build()
        s.task.cancel()
        await asyncio.gather(s.task, return_exceptions=True)
        newest = (await s.world.store.read.releases("myapp", 1))[0].id
        url = await s.command(f"releases promote {newest}")
        s.world.clock.jump(FRESH.total_seconds() + 3600)
        task = asyncio.create_task(inbox_of(s.world, s.answers).run())
        with caplog.at_level(logging.WARNING):
            await s.handled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (answer,) = s.answers.to(url)
        assert "and I could not see to it in time, so nothing was done" in answer
        assert "ask again if you still want it" in answer
        assert await s.world.store.read.promotions("myapp", 9) == []
        assert "is not carried out" in caplog.text


async def test_a_command_that_a_full_disk_refused_stays_refused_once_there_is_room(tmp_path: Path, caplog):
    """Marking it as handled failed with it; that is tried until it succeeds, and the command is not."""
    async with staged(tmp_path) as s:
        w = s.world
        await w.build()
        writer = w.store._database._writer
        typed = await s.command("env set FOO=bar")
        await s.answer(typed)
        await s.handled()
        full, real = asyncio.Event(), w.store.inbox.handled

        async def handled(*of: Any, **more: Any) -> None:
            full.set()
            await real(*of, **more)

        w.store.inbox.handled = handled
        await s.inbox._inbox.keep(
            "command:late", "command", _body("env set LATE=1", "https://answers/late"), w.clock.now()
        )
        await writer.execute_fetchall("PRAGMA query_only = ON")
        s.inbox._fresh.set()
        with caplog.at_level(logging.CRITICAL):
            answer = await s.answer("https://answers/late")
            await asyncio.wait_for(full.wait(), 10)
            assert "the database cannot be used: it is read-only" in answer
            assert len(await w.store.inbox.pending()) == 1
            await writer.execute_fetchall("PRAGMA query_only = OFF")
            await s.handled()
        newest = (await w.store.read.releases("myapp", 1))[0]
        assert "LATE" not in newest.environment


def _body(text: str, url: str) -> bytes:
    return orjson.dumps({"user_id": "U01ALICE", "channel_id": "C1", "text": text, "response_url": url})


@pytest.mark.parametrize(
    "payload",
    [b"{", b"[1]", b"null", b'{"channel": null}', b'{"channel": 1, "actions": [], "response_url": 7}'],
)
@pytest.mark.parametrize("kind", ["command", "action"])
async def test_an_odd_delivery_is_put_aside_and_the_others_go_on(
    tmp_path: Path, kind: Any, payload: bytes, caplog
):
    async with staged(tmp_path) as s:
        with caplog.at_level(logging.ERROR):
            await s.inbox.keep("odd", kind, payload)
            await s.handled()
        assert "E-" in caplog.text
        assert "ID" in await s.answer(await s.command("releases"))


async def test_a_database_that_cannot_be_read_for_a_while_ends_nothing(w: World, caplog):
    kept = w.store.inbox
    pending, left = kept.pending, [3]

    async def failing(**more: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise Unavailable("its disk gives errors")
        return await pending(**more)

    kept.pending = failing
    answers = Answers()
    inbox = inbox_of(w, answers)
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(inbox.run())
        s = Stage(w, inbox, answers, task)
        assert "ID" in await s.answer(await s.command("releases"))
    assert "what Slack delivered cannot be read; trying again: its disk gives errors" in caplog.text
    assert not any(record.exc_info for record in caplog.records), "a sentence, no traceback"
    assert not task.done()
    assert not left[0]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_remembered_of_what_is_handled(tmp_path: Path):
    async with staged(tmp_path) as s:
        for number in range(5):
            await s.command("releases", channel=f"C{number}")
        await s.handled()
        await asyncio.sleep(0)
        gc.collect()
        assert not s.inbox._locks


async def test_each_delivery_is_looked_at_once_and_only_so_many_are_in_hand(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("bot.slack.inbox.MOST_IN_HAND", 7)
    async with staged(tmp_path) as s:
        kept = s.world.store.inbox
        at_once: list[int] = []
        seen: list[int] = []
        pending = kept.pending

        async def counted(**more: Any) -> Any:
            found = await pending(**more)
            seen.extend(each.id for each in found)
            at_once.append(
                sum(t.get_name().startswith("delivery ") for t in asyncio.all_tasks()) + len(found)
            )
            return found

        kept.pending = counted
        urls = await asyncio.gather(*(s.command("help", channel=f"C{n % 3}") for n in range(60)))
        for url in urls:
            await s.answer(url)
        kept.pending = pending
        await s.handled()
    assert sorted(seen) == sorted(set(seen)), "none is read and unsealed again for those that come after it"
    assert len(seen) == 60
    assert max(at_once) <= 7


async def test_what_there_was_no_room_for_is_taken_up_although_hands_became_free_during_the_look(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("bot.slack.inbox.MOST_IN_HAND", 3)
    async with staged(tmp_path) as s:
        kept = s.world.store.inbox
        pending, all_kept = kept.pending, asyncio.Event()

        async def slow(**more: Any) -> Any:
            await all_kept.wait()
            found = await pending(**more)
            while any(t.get_name().startswith("delivery ") for t in asyncio.all_tasks()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            return found

        kept.pending = slow
        urls = [await s.command("help", channel=f"C{n}") for n in range(10)]
        all_kept.set()
        for url in urls:
            await s.answer(url)
