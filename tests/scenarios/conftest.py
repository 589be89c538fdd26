"""Stages on both clusters; whoever asks for a real one is marked as such."""

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bot.playground.slack import SlackWorkspace
from bot.playground.slack.context import AppCredentials
from tests.bot.views.accessible import barriers
from tests.controlplane.plane import ControlPlane
from tests.controlplane.processes import free_ports
from tests.scenarios.arrangement import LOOPBACK, settings
from tests.scenarios.clusters import SPEED, Cluster, real, simulated
from tests.scenarios.harness import Stage

# Slack waits three seconds for an acknowledgement, and for a modal; on a scaled clock that is a fraction, and whether a loaded machine
# keeps it says nothing about the bot.
ACK_SECONDS = 200.0


# Another application has a bot, ids and tokens of its own.
SECOND_APP = AppCredentials(app_id="A1SECOND", bot_id="B1SECOND", bot_user="U1SECOND")


class Surprises(logging.Handler):
    """Keeps what our own code logs with a traceback: errors that nobody foresaw, which the bot survives."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.name.partition(".")[0] in {"bot", "core", "storage"}:
            self.seen.append(logging.Formatter().format(record))


Open = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.controlplane)])
def plane(request: pytest.FixtureRequest) -> ControlPlane | None:
    """The real control plane, or None for the simulated one: each scenario runs on both."""
    return request.getfixturevalue("control_plane") if request.param == "real" else None


@pytest.fixture
def speed() -> float:
    """How much faster than the wall a simulated cluster lives."""
    return SPEED


@pytest.fixture
async def cluster(plane: ControlPlane | None, tmp_path: Path, speed: float) -> AsyncIterator[Cluster]:
    if plane is None:
        async with simulated(tmp_path, speed) as made:
            yield made
    else:
        async with real(plane, f"convox-{secrets.token_hex(3)}") as made:
            yield made


def unreadable(slack: SlackWorkspace) -> list[str]:
    """Return what of all that the bot posted somebody could not read or use (slack.md 7)."""
    said = [*slack.store.messages, *slack.store.ephemerals]
    ours = [{"text": each.text, "blocks": each.blocks} for each in said if each.bot_id and not each.files]
    return [barrier for each in ours for barrier in barriers(each)]


@pytest.fixture
def open_stage(cluster: Cluster, tmp_path: Path) -> Open:
    """Return `open_stage()`: a stage with the bot running on it, in HTTP mode where asked for, and with `more` settings.

    With `enterprise` it is installed for a whole organisation; `beside` another stage it is a second bot in the same workspace.
    """

    @asynccontextmanager
    async def opened(
        *,
        http: bool = False,
        more: Mapping[str, str] | None = None,
        enterprise: str = "",
        beside: Stage | None = None,
        command: str = "/convox",
    ) -> AsyncIterator[Stage]:
        surprises = Surprises()
        logging.getLogger().addHandler(surprises)
        slack = SlackWorkspace(
            cluster.clock,
            credentials=AppCredentials(enterprise=enterprise) if beside is None else SECOND_APP,
            command_name=command,
            ack_seconds=ACK_SECONDS,
            trigger_seconds=ACK_SECONDS,
            beside=None if beside is None else beside.slack,
        )
        await slack.start()
        ports = free_ports(2)
        folder = tmp_path if beside is None else tmp_path / "beside"
        folder.mkdir(exist_ok=True)
        given = settings(
            slack, folder, rack=cluster.rack, ports=(ports[0], ports[1]), http=http, more=more or {}
        )
        if http:
            slack.request_url = slack.options_url = f"http://{LOOPBACK}:{given.port}/slack/events"
        stage = Stage(slack, cluster, given)
        try:
            await stage.start()
            yield stage
            assert slack.violations == []
            assert unreadable(slack) == []
        finally:
            await stage.close()
            await slack.stop()
            logging.getLogger().removeHandler(surprises)
        assert surprises.seen == []

    return opened


@pytest.fixture
async def stage(open_stage: Open) -> AsyncIterator[Stage]:
    """A stage with an empty app that is linked to the channel."""
    async with open_stage() as made:
        await made.create_app()
        yield made
