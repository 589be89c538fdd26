"""What holds for the tests of every folder: examples, time, and in how many processes they run."""

import os
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.core.world import World, world
from tests.soak import SOAKING

pytest_plugins = ["tests.controlplane.fixtures"]

SOAK_SECONDS = 3600.0
# Each process of tests may have a control plane of its own, and a gigabyte of memory with it.
MOST_PROCESSES = 8

# Nobody out there is spoken to. Every client would read the hundreds of authorities that a machine trusts, for nothing.
os.environ["SSL_CERT_FILE"] = os.devnull

# A busy machine is no fault of the code: examples have no time limit of their own, tests do.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("test"), max_examples=3000)
# For `make coverage`: a branch that only luck reaches counts as not tested.
settings.register_profile(
    "few", settings.get_profile("test"), max_examples=5, derandomize=True, database=None
)
settings.load_profile("soak" if SOAKING else "test")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are cores, since a third of the time of all tests is waiting."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


def longest(item: pytest.Item) -> float:
    """Return the seconds that a test may take, if it says so itself."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or in the end all wait for it; beyond that the order stays shuffled."""
    items.sort(key=longest, reverse=True)
    if SOAKING:
        for item in items:
            item.add_marker(pytest.mark.timeout(SOAK_SECONDS), append=False)


def pytest_sessionfinish() -> None:
    """Save what `make coverage` measures here: pytest-xdist kills a process that takes its time to end."""
    if (measured := Coverage.current()) is not None:
        measured.save()


@pytest.fixture(scope="session", autouse=True)
def roomy_disk() -> Generator[None]:
    """Let half of every disk be free: how full the disk of this machine is says nothing about the code."""
    real = os.statvfs

    def half_free(path: str | os.PathLike[str] | int) -> os.statvfs_result:
        there = list(real(path))
        # Blocks, free ones, and those that are free for who is not root: see statvfs(3).
        there[3] = there[4] = there[2] // 2
        return os.statvfs_result(there)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "statvfs", half_free)
        yield


@pytest.fixture
async def w(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """A world of one app named myapp; `@pytest.mark.world(policy=…)` says how it differs."""
    marker = request.node.get_closest_marker("world")
    async with world(tmp_path, **(marker.kwargs if marker else {})) as made:
        yield made
