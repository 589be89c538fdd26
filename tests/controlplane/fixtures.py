"""The real control plane for every test that asks for it: one for each process of tests, nodes and apps for each test."""

import gzip
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from bot.clock import SystemClock
from bot.playground.kubelet.api import connect
from bot.playground.kubelet.simulated import SimulatedKubelet
from tests.controlplane import assets
from tests.controlplane.plane import ControlPlane

LEFT_OUT = "left out: the tests against a real control plane (rings B and C); `make cluster` obtains it"

# Of sigs.k8s.io/gateway-api v1.6.3 (Apache License 2.0), config/crd/standard; its one version v1, without descriptions.
HTTP_ROUTES = Path(__file__).with_name("httproutes.crd.json.gz")

AppNamespaces = Callable[..., Awaitable[str]]


def refusal(found: bool, environ: Mapping[str, str]) -> type[BaseException] | None:
    """Say how a test without a control plane ends: skipped here, failed in CI, where nothing may be left out."""
    if found:
        return None
    return pytest.fail.Exception if environ.get("CI") == "true" else pytest.skip.Exception


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the control plane, before `-m` chooses."""
    for item in items:
        if "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("controlplane")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """A running control plane on which the bot of `deploy/` is installed, without a single node."""
    binaries = assets.find()
    if refused := refusal(binaries is not None, os.environ):
        raise refused(LEFT_OUT)
    assert binaries is not None
    async with ControlPlane(binaries, tmp_path_factory.mktemp("controlplane")) as plane:
        await plane.install()
        yield plane


@pytest_asyncio.fixture
async def kubelet(control_plane: ControlPlane) -> AsyncIterator[SimulatedKubelet]:
    """Two nodes, as long as the test runs."""
    async with (
        connect(control_plane.kubeconfig("admin")) as api,
        SimulatedKubelet(api, SystemClock()) as nodes,
    ):
        yield nodes


@pytest_asyncio.fixture
async def app_namespace(control_plane: ControlPlane) -> AsyncIterator[AppNamespaces]:
    """Yield `await app_namespace(app=…, rack=…) -> namespace`, ready for the bot.

    A namespace takes seconds to go and nobody waits for it: let every test have its own, as it does by default.
    """
    created: list[str] = []

    async def create(app: str | None = None, *, rack: str = "convox") -> str:
        created.append(await control_plane.create_app(rack, app or f"app-{secrets.token_hex(3)}"))
        return created[-1]

    yield create
    if created:
        await control_plane.kubectl("delete", "namespace", "--wait=false", *created)


@pytest_asyncio.fixture
async def gateway_api(control_plane: ControlPlane) -> AsyncIterator[None]:
    """The control plane with HTTPRoute, which not every cluster has, until the test ends."""
    crd = gzip.decompress(HTTP_ROUTES.read_bytes()).decode()
    name = "crd/httproutes.gateway.networking.k8s.io"
    await control_plane.kubectl("apply", "--server-side", "-f-", stdin=crd)
    await control_plane.kubectl("wait", "--for=condition=Established", name, "--timeout=60s")
    yield
    await control_plane.kubectl("delete", name, "--timeout=60s")


@pytest.fixture
def frozen_controllers(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with its controllers stopped until the test ends."""
    control_plane.freeze_controllers()
    yield control_plane
    control_plane.thaw_controllers()
