"""What every table measures in: the emulated Slack here, the cluster and the bot as processes of their own."""

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.admin.commands import new_key
from bot.clock import SystemClock
from bot.playground.slack import SlackWorkspace
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.state import Conversation
from storage.keys import Keyring
from storage.store import open_store
from tests.bench.bots import RunningBot, appears, running
from tests.bench.cluster import kubeconfig
from tests.controlplane.processes import Process, free_ports
from tests.serve.program import until

LOOPBACK = "127.0.0.1"
ALICE, CAROL = "U01ALICE", "U03CAROL"
# Where somebody else types, who has nothing to do with what is measured.
ELSEWHERE = "C00ELSEWHERE"
MANIFEST = """\
services:
  web:
    build: .
    port: 3000
    health: {{path: /health, interval: 1, grace: 1, timeout: 1}}
    scale: {{count: {pods}, cpu: 10, memory: 16}}
"""
# What every key has where it is left out: the figures are those of an installation that changed nothing.
POLICY = "apps: []\n"


@dataclass(slots=True, kw_only=True)
class Arena:
    """One workspace, one cluster, one database; bots come and go.

    Attributes:
        settings: environment of the bot.
        token: of its API.
    """

    folder: Path
    slack: SlackWorkspace
    settings: dict[str, str]
    token: str

    @asynccontextmanager
    async def bot(self, *, trace: Path | None = None) -> AsyncIterator[RunningBot]:
        """Let a bot live for as long as the block lasts.

        Args:
            trace: a file for what SQLite is asked.
        """
        async with running(self.folder, self.settings, self.token, trace=trace) as bot:
            yield bot
        # The workspace learns of the end by its connection, and delivers into the dead one until then.
        await until(lambda: not self.slack.connected)

    @property
    def database(self) -> Path:
        return Path(self.settings["CONVOX_DATABASE"])

    def add_channel(self, channel: str) -> str:
        """Make a channel with the bot in it."""
        members = [ALICE, CAROL, BOT_USER]
        self.slack.add_channel(Conversation(id=channel, name=channel.lower(), members=members))
        return channel


@asynccontextmanager
async def arena(
    *, policy: str = POLICY, nodes: int = 2, kubeconfig_file: Path | None = None
) -> AsyncIterator[Arena]:
    """Open an arena without a bot.

    Args:
        policy: text of the policy file.
        nodes: of the simulated cluster.
        kubeconfig_file: the bot's, for another cluster.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if kubeconfig_file is None:
            kubeconfig_file = await _cluster(stack, folder, nodes)
        slack = SlackWorkspace(SystemClock())
        await slack.start()
        stack.push_async_callback(slack.stop)
        (folder / "policy.yml").write_text(policy)
        (port,) = free_ports(1)
        key = new_key()
        async with open_store(folder / "convox.db", Keyring([key]), SystemClock()) as store:
            token = await store.tokens.create("bench")
        made = Arena(
            folder=folder,
            slack=slack,
            token=token,
            settings={
                "SLACK_BOT_TOKEN": slack.credentials.bot_token,
                "SLACK_APP_TOKEN": slack.credentials.app_token,
                "SLACK_API_URL": slack.api_url,
                "CONVOX_DATABASE": str(folder / "convox.db"),
                "CONVOX_KEYS": key,
                "CONVOX_OPEN": "1",
                "CONVOX_POLICY": str(folder / "policy.yml"),
                "KUBECONFIG": str(kubeconfig_file),
                # One person asks for everything.
                "CONVOX_READS_PER_MINUTE": "1000000",
                "CONVOX_CHANGES_PER_MINUTE": "1000000",
                "API_HOST": LOOPBACK,
                "API_PORT": str(port),
            },
        )
        made.add_channel(ELSEWHERE)
        yield made


async def _cluster(stack: AsyncExitStack, folder: Path, nodes: int) -> Path:
    command = [sys.executable, "-m", "tests.bench.cluster", str(folder), str(nodes)]
    process = Process(command, folder / "cluster.log")
    stack.callback(process.kill)
    made = kubeconfig(folder, "convox-bot")
    await appears(made, process)
    return made
