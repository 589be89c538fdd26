"""Plays a history: people and the world act as its steps say, bots live and die, and at the end everything comes to rest."""

import asyncio
import logging
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from bot.admin.commands import new_key
from bot.playground.slack import SlackWorkspace
from bot.playground.slack.faults import DROP, Outage
from bot.settings import Settings, read_settings
from core import ids
from core.actor import Actor, Caller
from tests.histories.cluster import HistoryCluster
from tests.histories.lives import Dead, Life
from tests.histories.model import Account, Delivered, faults
from tests.histories.steps import (
    Again,
    Build,
    Click,
    Die,
    History,
    Lost,
    Restart,
    SlackAway,
    Step,
    Trouble,
    Type,
    Wait,
)
from tests.histories.virtual import LoopClock, run_virtually

CHANNEL, APP = "C01DEPLOYS", "myapp"
CI = Caller(actor=Actor("token", "ci", "ci"), source="http", channel=CHANNEL)
MANIFEST = "services:\n  web:\n    build: .\n    port: 3000\n    scale: 2\n"
POLICY = """
roles:
  developer: [view, build, env, promote, rollback, cancel, admin]
  approver: [view, approve]
members:
  - who: [U01ALICE, U02BOB, "token:ci"]
    roles: [developer]
  - who: [U02BOB, U03CAROL]
    roles: [approver]
apps:
  - match: ["*"]
    approvals:
      promote: {{count: {approvals}, expires: 30m}}
    unpinned: true
    announce_builds: false
    deadline: 60s
    longest: 200s
    min_ready: 1s
    settle: 4s
    rollback_after: {countdown}
"""
# Between two things that people do.
BREATH = 1.0
# What has not come to rest after this never will: an approval expires after half an hour.
REST_SECONDS, LOOK_SECONDS = 3 * 3600.0, 20.0


class Surprises(logging.Handler):
    """Keeps what our own code logs with a traceback while it lives: errors that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] in {"bot", "core", "storage"}
        if ours and record.exc_info and not isinstance(record.exc_info[1], Dead):
            self.seen.append(logging.Formatter().format(record))


# How long Slack takes an answer to a command or click (slack.dev, "Handling user interaction").
RESPONSE_URL_SECONDS = 1800.0


@dataclass
class Play:
    """One history as it happens."""

    history: History
    folder: Path
    life: Life
    slack: SlackWorkspace
    cluster: HistoryCluster
    settings: Settings
    luck: random.Random
    delivered: list[Delivered] = field(default_factory=list)
    held: list[Callable[[], Any]] = field(default_factory=list)
    deaths: int = 0

    async def step(self, step: Step) -> None:
        """Let one step happen; whoever died in it is started again, and what was slow arrives."""
        slow, self.held = self.held, []
        if isinstance(step, Wait) and step.seconds >= RESPONSE_URL_SECONDS:
            # Nobody could answer what arrives after its response_url has ended.
            for arrive in slow:
                await arrive()
            slow = []
        await self._happens(step)
        await asyncio.sleep(BREATH)
        for arrive in slow:
            await arrive()
        await self._alive()

    async def _happens(self, step: Step) -> None:
        match step:
            case Build(behaves):
                await self._build(behaves)
            case Type(user, words):
                await self._type(user, words)
            case Click():
                await self._click(step)
            case Again(ago):
                if ago < len(self.delivered):
                    await self._deliver(self.delivered[-1 - ago])
            case Wait(seconds):
                await self._wait(seconds)
            case Die(0):
                self.life.kill()
            case Die(after):
                self.life.die_at = after
            case Restart():
                await self.life.end()
                await self._live()
            case _:
                self._trouble(step)

    def _trouble(self, step: Step) -> None:
        loop, faults = asyncio.get_running_loop(), self.slack._context.faults
        match step:
            case Trouble(what, seconds):
                self.cluster.trouble = what
                loop.call_later(seconds, setattr, self.cluster, "trouble", "")
            case Lost(method, done):
                self.slack.fail_next(method, DROP, after_effect=done)
            case SlackAway(seconds):
                faults.outage = Outage.DROP
                loop.call_later(seconds, setattr, faults, "outage", Outage.NONE)
            case _:
                raise AssertionError(step)

    async def _wait(self, seconds: float) -> None:
        """Wait; a process that dies meanwhile is started again a second later."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait({dying := asyncio.create_task(self.life.over.wait())}, timeout=left)
            dying.cancel()
            await self._alive()

    async def _alive(self) -> None:
        if self.life.over.is_set():
            self.deaths += 1
            await self.life.end()
            await asyncio.sleep(1.0)
            await self._live()

    async def _live(self) -> None:
        self.life = Life(self.luck)
        await self.life.begin(self.settings, self.slack, self.cluster)

    # What people do

    async def _build(self, behaves: str) -> None:
        images = {"web": f"registry.example/web:{behaves}"}
        registering = asyncio.create_task(
            self.life.registrar.register_build(CI, APP, manifest=MANIFEST, images=images)
        )
        await asyncio.wait(
            {registering, asyncio.create_task(self.life.over.wait())}, return_when="FIRST_COMPLETED"
        )

    async def _type(self, user: str, words: str) -> None:
        releases = [*self._ids("releases"), *["RAAAAAAAAAA"] * 3]
        promotions = [*self._ids("promotions"), "PAAAAAAAAAA"]
        text = words.format(*releases[:3], p=promotions[0])
        envelope = self.slack.command_envelope(user, CHANNEL, text)
        await self._deliver(Delivered("command", user, text, envelope.payload))

    async def _click(self, step: Click) -> None:
        cards = [each for each in self.slack.messages(CHANNEL) if each.bot_id and not each.is_reply]
        if step.card >= len(cards):
            return
        card = cards[-1 - step.card]
        try:
            envelope = self.slack.click_envelope(step.user, CHANNEL, card.ts, f"promotion.{step.button}")
        except LookupError:
            return
        value = envelope.payload["actions"][0]["value"]
        click = Delivered("action", step.user, f"{step.button} {value}", envelope.payload)
        if step.slow:
            self.held.append(lambda: self._deliver(click))
        else:
            await self._deliver(click)

    async def _deliver(self, delivery: Delivered) -> None:
        await self._alive()
        acked = await self.life.deliver(delivery.kind, delivery.payload)
        self.delivered.append(replace(delivery, acked=acked))

    def _ids(self, table: str) -> list[str]:
        """Return ids as somebody sees them in a list, newest first."""
        with closing(sqlite3.connect(self.settings.convox_database)) as connection:
            return [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY number DESC")]

    # The end

    async def rest(self) -> str:
        """Take all trouble away and wait until nothing is open; return what stays open all the same."""
        self.life.die_at = None
        for arrive in self.held:
            await arrive()
        await self._alive()
        self.cluster.trouble = ""
        self.slack._context.faults.outage = Outage.NONE
        self.slack._context.faults.clear()
        end = asyncio.get_running_loop().time() + REST_SECONDS
        while left := await self._left():
            if asyncio.get_running_loop().time() > end:
                return left
            await asyncio.sleep(LOOK_SECONDS)
        return ""

    async def _left(self) -> str:
        """Say what is open, or ""; looks in the order in which work is handed on."""
        store = self.life.store
        left: dict[str, Any] = {
            "to be carried out": len(await store.inbox.pending()),
            "to be driven": [f"{p.id} {p.phase}" for p in await store.read.unsettled()],
            "to be pruned": await store.read.apps_to_prune(),
        }
        backlog = await store.outbox.backlog()
        left["to be said"] = backlog.cards + backlog.lines + backlog.posts
        return ", ".join(f"{what}: {which}" for what, which in left.items() if which)


@contextmanager
def _certain(luck: random.Random) -> Iterator[None]:
    """Take the ids of records from this luck, so that a history repeats itself to the letter."""
    with mock.patch.object(ids, "secrets", SimpleNamespace(choice=luck.choice)):
        yield


async def _play(history: History, folder: Path) -> list[str]:
    luck, clock = random.Random(history.luck), LoopClock()
    slack = SlackWorkspace(clock)
    policy = folder / "policy.yml"
    policy.write_text(POLICY.format(approvals=history.approvals, countdown=history.countdown))
    settings = read_settings(
        Settings,
        {
            "SLACK_BOT_TOKEN": slack.credentials.bot_token,
            "SLACK_APP_TOKEN": slack.credentials.app_token,
            "CONVOX_DATABASE": str(folder / "convox.db"),
            "CONVOX_KEYS": new_key(),
            "CONVOX_POLICY": str(policy),
        },
        dotenv=None,
    )
    cluster: Any = HistoryCluster(clock)  # type: ignore[arg-type] # it asks the clock for no jump
    play = Play(history, folder, Life(luck), slack, cluster, settings, luck)
    surprises = Surprises()
    logging.getLogger().addHandler(surprises)
    try:
        with _certain(luck):
            await play.life.begin(settings, slack, cluster)
            await play.life.registrar.create_app(CI, APP)
            for step in history.steps:
                await play.step(step)
            left = await play.rest()
            account = await Account.of(play.life.store, slack, cluster, play.delivered, APP, CHANNEL)
            await play.life.end()
    finally:
        logging.getLogger().removeHandler(surprises)
    open_ = [f"still open: {left}"] if left else []
    return [*open_, *surprises.seen, *faults(account, history)]


def played(history: History) -> list[str]:
    """Play a history and return what went wrong, as sentences."""
    with ExitStack() as stack:
        # Where there is one, a folder in memory: SQLite writes as it always does, and no disk makes it slow.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        return run_virtually(_play(history, folder))
