"""The bot wired between the emulated Slack and the simulated cluster, with what an earlier run has left."""

import errno
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.admin.commands import new_key
from bot.command.parser import hints
from bot.main import wired
from bot.playground.card_sheet import card_sheet
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.examples import examples, read_builds, register
from bot.playground.slack.buttons import PageButton
from bot.playground.slack.context import AppCredentials
from bot.playground.slack.delivery import ACK_SECONDS
from bot.playground.slack.shortcuts import MessageShortcut
from bot.playground.slack.workspace import SlackWorkspace
from bot.playground.state_folder import StateFolder
from bot.playground.tour import CHANNELS, ROLES, VIEWER, first_steps
from bot.settings import Settings, read_settings
from bot.views.notices import PROMOTE_SHORTCUT
from bot.wiring.doors import Bot
from core.clock import Clock
from core.ports.pictures import Draw

LOOPBACK = "127.0.0.1"
TERMINAL = "terminal"
# How many ports after a taken one are tried.
NEXT_PORTS = 50
RESET = (
    "Everything that was done here is forgotten: releases, messages, rollouts. The playground begins anew."
)


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
    state_folder: StateFolder,
    clock: Clock,
    *,
    port: int = 0,
    reset: Callable[[], Awaitable[None]] | None = None,
    ack_seconds: float = ACK_SECONDS,
    draw: Draw | None = None,
) -> AsyncGenerator[Playground]:
    """Wire the three, with what an earlier run has left; the bot itself is started by `bot.main.run`.

    Args:
        state_folder: where their state is kept.
        clock: everybody's.
        port: of the page; 0 takes a free one.
        reset: what the page's button for it does; without it there is no such button.
        ack_seconds: how long Slack waits for an acknowledgement.
        draw: draws the pictures of rollouts; without it there are none.
    """
    kept = _kept(state_folder)
    slack = SlackWorkspace(
        clock,
        credentials=AppCredentials(**kept["slack"]),
        hints=hints(),
        message_shortcuts=[MessageShortcut(name="Promote this build", callback_id=PROMOTE_SHORTCUT)],
        buttons=[PageButton(label="Reset", press=reset, question=RESET)] if reset else [],
        samples=card_sheet(clock.now()),
        ack_seconds=ack_seconds,
    )
    cluster = SimulatedCluster(clock, accounts={"convox-builds": "convox-builds"})
    _restore(state_folder, slack, cluster)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(slack.stop)
        await slack.start(LOOPBACK, port)
        stack.push_async_callback(cluster.stop)
        await cluster.start(LOOPBACK)
        settings = _settings(state_folder, slack, kept)
        bot = await stack.enter_async_context(
            wired(settings, clock=clock, kubeconfig=cluster.kubeconfig(), draw=draw)
        )
        await _furnish(state_folder, bot, kept, settings.api_port)
        slack.offer(await first_steps(bot.store.read, read_builds(examples())))
        rack_url = f"http://convox:{kept['token']}@{LOOPBACK}:{settings.api_port}"
        state_folder.write("env", f"export RACK_URL={rack_url}\n")
        yield Playground(slack=slack, cluster=cluster, bot=bot, rack_url=rack_url)
        save(state_folder, slack, cluster)


def _kept(state_folder: StateFolder) -> dict[str, Any]:
    """Return the credentials of an earlier run, or new ones; half a first start is no earlier run."""
    kept: dict[str, Any] | None = state_folder.load("credentials")
    if kept and kept.get("furnished"):
        return kept
    state_folder.forget()
    fresh = AppCredentials()
    kept = {
        "slack": {
            "bot_token": fresh.bot_token,
            "app_token": fresh.app_token,
            "signing_secret": fresh.signing_secret,
        },
        "key": new_key(),
        "token": "",
        "api_port": 0,
        "furnished": False,
    }
    state_folder.save("credentials", kept)
    return kept


def _restore(state_folder: StateFolder, slack: SlackWorkspace, cluster: SimulatedCluster) -> None:
    if (snapshot := state_folder.load("slack")) is not None:
        slack.restore(snapshot)
    else:
        # The first channel is the one that opens.
        slack.store.channels = {each.id: each for each in CHANNELS.values()} | slack.store.channels
        slack.store.users[VIEWER.id] = replace(VIEWER)
        for user, role in ROLES.items():
            slack.store.users[user].title = role
    if (snapshot := state_folder.load("cluster")) is not None:
        cluster.restore(snapshot)


def save(state_folder: StateFolder, slack: SlackWorkspace, cluster: SimulatedCluster) -> None:
    """Write down what only the emulated Slack and the simulated cluster know."""
    state_folder.save("slack", slack.snapshot())
    state_folder.save("cluster", cluster.snapshot())


def _settings(state_folder: StateFolder, slack: SlackWorkspace, kept: dict[str, Any]) -> Settings:
    # The same as before, where it can be had: a terminal that knows it goes on after a restart.
    api_port = free_port(kept["api_port"])
    return read_settings(
        Settings,
        {
            "SLACK_BOT_TOKEN": kept["slack"]["bot_token"],
            "SLACK_APP_TOKEN": kept["slack"]["app_token"],
            "SLACK_API_URL": slack.api_url,
            "CONVOX_DATABASE": str(state_folder.database),
            "CONVOX_KEYS": kept["key"],
            "CONVOX_POLICY": str(examples() / "playground-policy.yml"),
            # The simulated cluster has an ingress controller of this class; what it serves nobody can open.
            "CONVOX_ROUTER": "ingress:nginx",
            "CONVOX_DOMAIN": "apps.example",
            "API_HOST": LOOPBACK,
            "API_PORT": str(api_port),
            # The simulated builder writes the log of a build, and pushes nothing.
            "CONVOX_REGISTRY": "registry.example",
            "CONVOX_BUILD_ADDRESS": f"http://{LOOPBACK}:{api_port}",
        },
        dotenv=None,
    )


async def _furnish(state_folder: StateFolder, bot: Bot, kept: dict[str, Any], api_port: int) -> None:
    """Register the examples, once, and give the terminal a token."""
    if not kept["furnished"]:
        await register(bot.registrar, examples(), {app: channel.id for app, channel in CHANNELS.items()})
    if not kept["token"] or await bot.store.tokens.check(kept["token"]) is None:
        kept["token"] = await bot.store.tokens.create(TERMINAL)
    state_folder.save("credentials", kept | {"furnished": True, "api_port": api_port})


def free_port(wanted: int) -> int:
    """Return the wanted port, or the next one that nobody listens on; for 0 any.

    Raises:
        OSError: there is none, or this user may not have it.
    """
    last = min(wanted + NEXT_PORTS, 65535) if wanted else 0
    for port in range(wanted, last + 1):
        with socket.socket() as probe:
            # As a server asks, so that one that has just ended is not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == last:
                    raise
            else:
                return int(probe.getsockname()[1])
    raise OSError(errno.EADDRNOTAVAIL, f"there is no port {wanted}")
