"""An emulated Slack, the settings of a bot beside it, and bots that are started with them and always ended."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from bot.admin.commands import new_key
from bot.clock import SystemClock
from bot.playground.slack import SlackWorkspace
from tests.controlplane.processes import Process, free_ports
from tests.serve.program import MODULE, start, until

LOOPBACK = "127.0.0.1"
# Slack waits three seconds; a machine that also runs a control plane may pause for longer, which says nothing of the bot.
ACK_SECONDS = 60.0
POLICY = """\
roles:
  developer: [view, build, env, promote, rollback, cancel, admin]
members:
  - who: [U01ALICE, "token:ci"]
    roles: [developer]
apps:
  - match: ["*"]
    deadline: 20s
    longest: 60s
    min_ready: 1s
    settle: 2s
    crashes: 1
    announce_builds: false
"""
# A bot that is to be looked at without a cluster: nobody listens there.
NO_CLUSTER = """\
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: none, user: {token: none}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""

Settings = dict[str, str]
Serve = Callable[[Mapping[str, str]], Process]


@pytest.fixture
async def slack() -> AsyncIterator[SlackWorkspace]:
    made = SlackWorkspace(SystemClock(), ack_seconds=ACK_SECONDS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def settings(slack: SlackWorkspace, tmp_path: Path) -> Settings:
    """Return what a bot in Socket Mode is told; a test changes what it is about."""
    (tmp_path / "policy.yml").write_text(POLICY)
    (tmp_path / "kubeconfig").write_text(NO_CLUSTER)
    (api_port,) = free_ports(1)
    return {
        "SLACK_BOT_TOKEN": slack.credentials.bot_token,
        "SLACK_APP_TOKEN": slack.credentials.app_token,
        "SLACK_API_URL": slack.api_url,
        "CONVOX_DATABASE": str(tmp_path / "convox.db"),
        "CONVOX_KEYS": new_key(),
        "CONVOX_POLICY": str(tmp_path / "policy.yml"),
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "API_HOST": LOOPBACK,
        "API_PORT": str(api_port),
    }


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return `serve(settings)`, which starts the bot."""
    started: list[Process] = []

    def begin(settings: Mapping[str, str]) -> Process:
        started.append(start(tmp_path, settings, *MODULE, log=f"bot-{len(started)}.log"))
        return started[-1]

    yield begin
    for program in started:
        program.kill()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


class Door:
    """The bot's API_PORT, seen by a machine."""

    def __init__(self, session: aiohttp.ClientSession, settings: Mapping[str, str]) -> None:
        self._session = session
        self._url = f"http://{LOOPBACK}:{settings['API_PORT']}"

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and body; 0 where nobody listens."""
        try:
            async with self._session.get(self._url + path) as response:
                return response.status, await response.text()
        except aiohttp.ClientError:
            return 0, ""

    async def answers(self, path: str, status: int, program: Process) -> str:
        """Wait until the path is answered with this status, and return the body."""

        async def look() -> str | None:
            found, body = await self.get(path)
            return body if found == status else None

        return await until(look, program)


def rack_url(settings: Mapping[str, str], token: str) -> str:
    return f"http://convox:{token}@{LOOPBACK}:{settings['API_PORT']}"
