"""`convox-bot playground`: the whole bot between an emulated Slack and a simulated cluster, on one address."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.clock import ScaledClock, SystemClock
from bot.commands import hints
from bot.main import Bot, new_key, wired
from bot.main import run as run_bot
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.examples import examples, register
from bot.playground.memory import Memory
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.state import Channel
from bot.playground.slack.workspace import SlackWorkspace
from bot.playground.slack.world import Credentials
from bot.settings import Settings, read_settings
from core.ports import Clock

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
TERMINAL = "terminal"
TEAM = ["U01ALICE", "U02BOB", "U03CAROL"]
CHANNELS = {
    "myapp": Channel(
        id="C10MYAPP", name="myapp", topic="Releases of myapp go out here", members=[*TEAM, BOT_USER]
    ),
    "store": Channel(
        id="C11STORE",
        name="store",
        topic="Releases of store; each needs one approval by somebody else",
        members=[*TEAM, BOT_USER],
    ),
}
FIRST_STEPS = (
    (
        "See what there is",
        "/convox releases -a myapp",
        "The releases of an app, newest first. Copy the id of the oldest one.",
    ),
    (
        "Promote one",
        "/convox releases promote -a myapp",
        "Without an id the newest release goes out. Open the thread of its card and watch.",
    ),
    (
        "Ask for an approval",
        "/convox releases promote -a store",
        "store needs one approval by somebody else: act as another person, and click Approve on the card.",
    ),
)
# How much of a playground a kill -9 may lose.
SNAPSHOT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """Everything that runs.

    Attributes:
        rack_url: for `convox-bot do` and `convox-bot build`.
    """

    slack: SlackWorkspace
    cluster: SimulatedCluster
    bot: Bot
    rack_url: str


@asynccontextmanager
async def playground(
    memory: Memory, clock: Clock, *, port: int = 0, api_port: int = 0
) -> AsyncGenerator[Playground]:
    """Wire the three, with what an earlier run has left; the bot itself is started by `run`.

    Args:
        memory: where their state is kept.
        clock: everybody's.
        port: of the page; 0 takes a free one.
        api_port: of the bot's API; 0 takes a free one.
    """
    kept = memory.load("credentials") or _new_credentials()
    memory.save("credentials", kept)
    slack = SlackWorkspace(
        clock,
        credentials=Credentials(**kept["slack"]),
        hints=hints(),
        first_steps=FIRST_STEPS,
    )
    cluster = SimulatedCluster(clock)
    _restore(memory, slack, cluster)
    await slack.start(LOOPBACK, port)
    try:
        await cluster.start(LOOPBACK)
        try:
            settings = _settings(memory, slack, kept, api_port or _free_port())
            async with wired(settings, clock=clock, kubeconfig=cluster.kubeconfig()) as bot:
                token = await _terminal_token(memory, bot, kept)
                rack_url = f"http://convox:{token}@{LOOPBACK}:{settings.api_port}"
                memory.write("env", f"export RACK_URL={rack_url}\n")
                if not await bot.store.read.apps():
                    channels = {app: channel.id for app, channel in CHANNELS.items()}
                    await register(bot.records, examples(), channels)
                yield Playground(slack=slack, cluster=cluster, bot=bot, rack_url=rack_url)
                _save(memory, slack, cluster)
        finally:
            await cluster.stop()
    finally:
        await slack.stop()


def _new_credentials() -> dict[str, Any]:
    fresh = Credentials()
    return {
        "slack": {
            "bot_token": fresh.bot_token,
            "app_token": fresh.app_token,
            "signing_secret": fresh.signing_secret,
        },
        "key": new_key(),
        "token": None,
    }


def _restore(memory: Memory, slack: SlackWorkspace, cluster: SimulatedCluster) -> None:
    if (snapshot := memory.load("slack")) is not None:
        slack.restore(snapshot)
    else:
        for channel in CHANNELS.values():
            slack.add_channel(channel)
    if (snapshot := memory.load("cluster")) is not None:
        cluster.restore(snapshot)


def _save(memory: Memory, slack: SlackWorkspace, cluster: SimulatedCluster) -> None:
    memory.save("slack", slack.snapshot())
    memory.save("cluster", cluster.snapshot())


def _settings(memory: Memory, slack: SlackWorkspace, kept: dict[str, Any], api_port: int) -> Settings:
    return read_settings(
        Settings,
        {
            "SLACK_BOT_TOKEN": kept["slack"]["bot_token"],
            "SLACK_APP_TOKEN": kept["slack"]["app_token"],
            "SLACK_API_URL": slack.api_url,
            "CONVOX_DATABASE": str(memory.database),
            "CONVOX_KEYS": kept["key"],
            "CONVOX_OPEN": "1",
            "CONVOX_POLICY": str(examples() / "playground-policy.yml"),
            "API_HOST": LOOPBACK,
            "API_PORT": str(api_port),
        },
        dotenv=None,
    )


async def _terminal_token(memory: Memory, bot: Bot, kept: dict[str, Any]) -> str:
    """Return the token of the terminal, the same one after a restart."""
    if not kept["token"] or await bot.store.tokens.check(kept["token"]) is None:
        kept["token"] = await bot.store.tokens.create(TERMINAL)
        memory.save("credentials", kept)
    return str(kept["token"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def _keep_saving(memory: Memory, made: Playground) -> None:
    while True:
        await asyncio.sleep(SNAPSHOT_SECONDS)
        _save(memory, made.slack, made.cluster)


async def _play(*, port: int, state: Path, speed: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    memory = Memory(state)
    clock: Clock = SystemClock() if speed == 1.0 else ScaledClock(speed)
    async with playground(memory, clock, port=port) as made:
        saving = asyncio.create_task(_keep_saving(memory, made), name="save the playground")
        try:
            await run_bot(made.bot, stop, started=lambda: _announce(made, memory))
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)


def _announce(made: Playground, memory: Memory) -> None:
    folder = os.path.relpath(memory.folder)
    print(f"convox-bot playground: {made.slack.url}", flush=True)  # noqa: T201 - what it is started for
    print(  # noqa: T201
        f"In a terminal: . {folder}/env && .venv/bin/convox-bot do releases -a myapp   (Ctrl-C stops)",
        flush=True,
    )


def run(*, port: int, state: Path, speed: float) -> int:
    """Run the playground until it is interrupted; return the exit code."""
    asyncio.run(_play(port=port, state=state, speed=speed))
    return 0
