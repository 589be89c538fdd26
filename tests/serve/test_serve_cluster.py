"""`convox-bot serve`, told by settings alone, between the emulated Slack and a real control plane."""

import re
import secrets
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.playground.kubelet.simulated import SimulatedKubelet
from bot.playground.slack import Message, SlackWorkspace
from tests.controlplane.fixtures import AppNamespaces
from tests.controlplane.plane import ControlPlane
from tests.controlplane.processes import free_ports
from tests.serve.conftest import LOOPBACK, Door, Serve, Settings, rack_url
from tests.serve.program import Finished, ended, run

pytestmark = pytest.mark.controlplane

MANIFEST = """\
services:
  web:
    build: .
    port: 3000
    health: {path: /health, interval: 1, grace: 1, timeout: 1}
    scale: {count: 2, cpu: 10, memory: 16}
    termination: {grace: 5}
"""
GOOD = "registry.example/shop/web:v1"
MISSING = "registry.example/shop/web:v2-notfound"
LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ system/k8s/"


class Shell:
    """A terminal or a CI job of somebody who has a token."""

    def __init__(self, folder: Path, settings: Settings, token: str) -> None:
        self._folder = folder
        self._settings = {"RACK_URL": rack_url(settings, token)}
        (folder / "convox.yml").write_text(MANIFEST)

    async def do(self, *words: str) -> Finished:
        return await run(self._folder, self._settings, "do", *words)

    async def build(self, app: str, image: str) -> str:
        """Register a build and return its release."""
        done = await run(self._folder, self._settings, "build", "-a", app, "--image", f"web={image}")
        # No router, and no registry under that name: notes, and nothing worse.
        assert done.status == 0, done.err
        assert [line for line in done.err.splitlines() if not line.startswith("Note: ")] == []
        found = re.fullmatch(r"Build: B[A-Z]{10}\nRelease: (R[A-Z]{10})\n", done.out)
        assert found, done.out
        return found[1]


@pytest.fixture
def settings(settings: Settings, control_plane: ControlPlane) -> Settings:
    return settings | {"KUBECONFIG": str(control_plane.kubeconfig("convox-bot"))}


@pytest.fixture
async def shell(tmp_path: Path, settings: Settings) -> Shell:
    """Make the token beside the database, as an operator does before the first start."""
    made = await run(tmp_path, settings, "token", "create", "ci")
    assert made.status == 0
    return Shell(tmp_path, settings, made.out.strip())


@pytest.fixture
async def app(tmp_path: Path, control_plane: ControlPlane) -> AsyncIterator[str]:
    """Do for an app what an administrator does with `convox-bot app-manifest APP | kubectl apply -f -`."""
    name = f"app-{secrets.token_hex(3)}"
    printed = await run(tmp_path, {}, "app-manifest", name)
    assert (printed.status, printed.err) == (0, "")
    await control_plane.kubectl("apply", "-f", "-", stdin=printed.out)
    where = f"-nconvox-{name}"
    await control_plane.kubectl("wait", "--for=create", "serviceaccount/default", where, "--timeout=30s")
    yield name
    await control_plane.kubectl("delete", "namespace", "--wait=false", f"convox-{name}")


def modes(slack: SlackWorkspace, settings: Settings, mode: str) -> Settings:
    """Return the settings for Socket Mode, or for HTTP mode with Slack told where to post."""
    if mode == "socket":
        return settings
    (port,) = free_ports(1)
    slack.request_url = f"http://{LOOPBACK}:{port}/slack/events"
    given = settings | {
        "SLACK_SIGNING_SECRET": slack.credentials.signing_secret,
        "HOST": LOOPBACK,
        "PORT": str(port),
    }
    del given["SLACK_APP_TOKEN"]
    return given


async def thread_of(slack: SlackWorkspace, card: Message) -> list[str]:
    """Return what stands under a card once its last message is the ending."""

    def ended() -> list[str] | None:
        said = [message.text for message in slack.thread("deploys", card.ts)]
        return said if said and said[-1].startswith(("OK", "ERROR:")) else None

    return await slack.wait_for(ended, timeout=60)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_build_goes_out_from_slack_and_from_a_terminal_with_nothing_but_settings(
    mode: str,
    settings: Settings,
    slack: SlackWorkspace,
    serve: Serve,
    shell: Shell,
    app: str,
    session: aiohttp.ClientSession,
    kubelet: SimulatedKubelet,
    control_plane: ControlPlane,
):
    program = serve(modes(slack, settings, mode))
    door = Door(session, settings)
    await door.answers("/readyz", 200, program)
    assert (await door.get("/healthz"))[0] == 200
    assert "# TYPE" in (await door.get("/metrics"))[1]

    await slack.command("alice", "deploys", f"apps create {app}")
    created = await slack.wait_for(lambda: next(iter(slack.ephemerals("alice")), None), timeout=30)
    assert f"Creating {app}... OK" in created.text
    first = await shell.build(app, GOOD)
    await slack.command("alice", "deploys", f"releases promote {first}")
    card = await slack.wait_for(lambda: next(iter(slack.messages("deploys")), None), timeout=30)
    said = await thread_of(slack, card)
    assert said[-1].startswith("OK\n")
    assert "Status: Running =&gt; Pending" in said[0]
    pods = await control_plane.kubectl("get", "pods", f"-nconvox-{app}", "-lrelease", "-oname")
    assert len(pods.split()) == 2

    second = await shell.build(app, GOOD.replace("v1", "v2"))
    done = await shell.do("releases", "promote", second, "-a", app)
    rows = done.out.splitlines()
    assert (done.status, rows[0], rows[-1]) == (0, f"Promoting {second}...", "OK"), done
    assert all(re.match(LINE, row) for row in rows[1:-1])
    about_app = [row.split("Status: ")[1] for row in rows if "atom/app Status: " in row]
    assert about_app == ["Running => Pending", "Pending => Updating", "Updating => Running"]

    third = await shell.build(app, MISSING)
    failed = await shell.do("releases", "promote", third, "-a", app)
    assert failed.status == 1
    assert failed.out.splitlines()[-1].startswith(
        f"ERROR: rolled back to {second}: image {MISSING} does not exist"
    )

    program.send(signal.SIGTERM)
    assert await ended(program) == 0
    assert "Traceback" not in program.log.read_text()
    assert slack.violations == []


async def test_a_missing_role_binding_is_a_refusal_that_names_the_right(
    settings: Settings,
    slack: SlackWorkspace,
    serve: Serve,
    shell: Shell,
    session: aiohttp.ClientSession,
    app_namespace: AppNamespaces,
    control_plane: ControlPlane,
):
    namespace = await app_namespace()
    app = namespace.removeprefix("convox-")
    program = serve(settings)
    await Door(session, settings).answers("/readyz", 200, program)
    assert (await shell.do("apps", "create", app)).status == 0
    release = await shell.build(app, GOOD)

    await control_plane.kubectl("delete", "rolebinding", "--all", f"-n{namespace}")
    done = await shell.do("releases", "promote", release, "-a", app)

    assert done.status == 1
    refused = done.out.splitlines()[-1]
    assert refused.startswith("ERROR: refused, nothing was changed: the bot may not ")
    assert f"in namespace {namespace}" in refused
    assert f"`convox-bot app-manifest {app} | kubectl apply -f -`" in refused
    objects = await control_plane.kubectl("get", "deployments,services,secrets", f"-n{namespace}", "-oname")
    assert objects == ""
    program.send(signal.SIGTERM)
    assert await ended(program) == 0
