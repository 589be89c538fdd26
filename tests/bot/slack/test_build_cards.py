"""The card of a build goes the way of a promotion's: posted once, edited, its thread in order, its buttons known as its own."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.slack.connection import SlackState
from bot.slack.invocations import InvocationReader
from bot.slack.render import MessageRenderer
from bot.slack.sender import Sender
from bot.slack.web_api import WebApi
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.errors import UserError
from core.policy.authorization import parse_policy
from core.ports.builds import JobLogLine
from core.records.line import Line
from tests.bot.slack.test_sender import Slack, refused
from tests.core.building.nursery import DONE, FAILED, MANIFEST, RUNS, Builds, builds, start
from tests.core.world import ALICE, by


@dataclass
class Told:
    """Builds whose cards a real sender brings to an emulated Slack."""

    b: Builds
    slack: Slack
    sender: Sender

    async def ask(self) -> str:
        given: dict[str, Any] = {"manifest": MANIFEST, "source": self.b.sources.add()}
        return (await start(self.b.starter, by(ALICE, "C1"), "myapp", **given)).run.id

    async def pass_time(self, seconds: float = 30.0) -> None:
        passed = 0.0
        while passed < seconds:
            await self.sender._recover()
            if await self.sender._round() > 0:
                self.b.w.clock.jump(1)
                passed += 1

    def first_lines(self) -> list[str]:
        return [each["text"].split("\n")[0] for each in self.slack.messages]

    def edits(self) -> list[str]:
        return [body["text"].split(" · ")[0] for method, body in self.slack.calls if "update" in method]

    @property
    def card(self) -> dict[str, Any]:
        return self.slack.messages[0]


@pytest.fixture
async def told(tmp_path: Path) -> AsyncGenerator[Told]:
    async with builds(tmp_path) as b:
        yield sending(b, Slack(b.w.clock))


def sending(b: Builds, slack: Slack) -> Told:
    """Return a sender as after a start; what Slack has stays there."""
    w, state = b.w, SlackState()
    calls = WebApi(slack, state)  # type: ignore[arg-type]
    messages = MessageRenderer(w.store, w.cluster, w.promoter._access, w.clock, lambda _channel, _ts: "")
    support = WorkspaceBlocks(w.store.refused_blocks, state, w.clock)
    return Told(b, slack, Sender(w.store.outbox, messages, w.store, calls, state, w.clock, support))


LOG = [
    JobLogLine("1", "#5 [1/2] FROM alpine"),
    JobLogLine("2", "#6 [2/2] RUN make"),
    JobLogLine("3", "#6 ERROR: exit code: 2 <!channel>"),
]


async def test_one_card_follows_a_build_to_its_end_and_its_thread_has_steps_proof_and_ending(told: Told):
    b = told.b
    b.hold()
    first, build = await told.ask(), await told.ask()
    await told.pass_time(10)
    # Both were asked for at one moment, so either may be the first.
    assert set(told.first_lines()) == {
        f"⏳ Queued, next · myapp · {first}",
        f"⏳ Queued, 1 ahead · myapp · {build}",
    }
    b.jobs.looks, b.jobs.lines = [RUNS, FAILED], LOG
    await b.end(build)
    await told.pass_time()
    assert told.edits()[-1] == "🛑 Build failed"
    (card,) = [each["ts"] for each in told.slack.messages if each["text"].split("\n")[0].endswith(build)]
    steps, proof, ending = [each for each in told.slack.messages if each.get("thread_ts") == card]
    assert "[1/2] FROM alpine" in steps["text"]
    assert "[2/2] RUN make" in steps["text"]
    assert f"the last lines of {build}:" in proof["text"]
    assert "&lt;!channel&gt;" in proof["text"]
    assert ending["text"].startswith(f"ERROR: build `{build}` of myapp failed: ")
    assert "asked for by <@U01ALICE>" in ending["text"]
    # Nothing more is said or edited for it.
    said = len(told.slack.calls)
    await told.pass_time()
    assert len(told.slack.calls) == said


async def test_an_answer_that_was_lost_and_a_restart_make_no_second_card(told: Told):
    lost: list[str] = []

    def after(method: str, body: dict[str, Any]):
        if method == "chat.postMessage" and not lost:
            lost.append(body["text"])
            return TimeoutError()
        return None

    told.slack.after = after
    told.b.hold()
    build = await told.ask()
    await told.pass_time(3)
    again = sending(told.b, told.slack)
    await again.pass_time(90)
    assert len(told.slack.messages) == 1
    await told.b.end(build)
    await again.pass_time()
    assert again.edits()[-1] == "✅ Built"


async def test_a_quiet_channel_has_the_card_and_the_ending_and_a_verbose_one_hears_it(told: Told):
    b = told.b
    b.jobs.lines = LOG[:2]
    for verbosity, loud in (("quiet", False), ("verbose", True)):
        b.w.policy = parse_policy(f"apps:\n  - match: ['*']\n    verbosity: {verbosity}\n", open_to_all=True)
        b.jobs.looks = [RUNS, DONE]
        seen = len(told.slack.messages)
        build = await told.ask()
        await b.end(build)
        await told.pass_time()
        _, *thread = told.slack.messages[seen:]
        assert [each["text"].split("\n")[0] for each in thread][-1] == f"OK, build `{build}` of myapp"
        assert len(thread) == (2 if loud else 1)
        assert thread[-1].get("reply_broadcast", False) is loud


async def test_a_channel_that_closes_sends_the_rest_to_whoever_asked(told: Told):
    b = told.b
    b.hold()
    build = await told.ask()
    await told.pass_time(5)
    told.slack.trouble = lambda method, body: (
        refused("is_archived") if body.get("channel") == "C1" and method.startswith("chat") else None
    )
    await b.end(build)
    await told.pass_time(60)
    assert (await b.w.store.read.card(build)).closed_channel == "C1"
    moved = [each for each in told.slack.messages if each["channel"] == "U01ALICE"]
    assert "is archived" in moved[0]["text"]
    assert moved[-1]["text"].startswith(f"OK, build `{build}`")


# What is done on it


def click(message: dict[str, Any], **changes: Any) -> dict[str, Any]:
    (block,) = [each for each in message["blocks"] if each["type"] == "actions"]
    button = block["elements"][0]
    action = {"action_id": button["action_id"], "value": button["value"], "block_id": block["block_id"]}
    return {
        "actions": [action],
        "user": {"id": "U01ALICE", "username": "alice"},
        "channel": {"id": "C1"},
        "container": {"message_ts": message["ts"]},
        **changes,
    }


async def built(told: Told) -> tuple[str, dict[str, Any]]:
    build = await told.ask()
    await told.b.end(build)
    await told.pass_time()
    return build, told.card


async def test_its_buttons_say_commands_and_count_where_it_stands_only(told: Told):
    build, card = await built(told)
    run = await told.b.w.store.read.build_run(build)
    reader = InvocationReader(told.b.w.store)
    clicked = await reader.read("action", click(card))
    assert clicked.text.startswith(f"releases promote {run.release}")
    for elsewhere in ({"container": {"message_ts": "9.9"}}, {"channel": {"id": "C9"}}):
        with pytest.raises(UserError, match="belongs to no card of mine"):
            await reader.read("action", click(card, **elsewhere))


async def test_the_shortcut_and_promote_in_its_thread_mean_the_release_that_it_made(told: Told):
    reader = InvocationReader(told.b.w.store)
    told.b.hold()
    build = await told.ask()
    await told.pass_time()
    shortcut = {"user": {"id": "U01ALICE"}, "channel": {"id": "C1"}, "message": {"ts": told.card["ts"]}}
    mention = {
        "event": {
            "user": "U01ALICE",
            "channel": "C1",
            "thread_ts": told.card["ts"],
            "text": "<@U0BOT> promote",
        }
    }
    with pytest.raises(UserError, match="announces no build of mine"):
        await reader.read("shortcut", shortcut)
    before = await reader.read("mention", mention)
    assert (before.app, before.text) == ("myapp", "releases promote")
    run = await told.b.end(build)
    assert (await reader.read("shortcut", shortcut)).text == f"releases promote {run.release} -a myapp"
    after = await reader.read("mention", mention)
    assert (after.app, after.text) == ("myapp", f"releases promote {run.release}")


async def test_a_step_stands_in_a_thread_with_its_moment(told: Told):
    line = Line(at=told.b.w.clock.now(), object="build", text="[1/2] FROM alpine", key="x", kind="step")
    assert str(line).endswith("Z [1/2] FROM alpine")
