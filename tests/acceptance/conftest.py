"""The stories of the cockpit, told through the emulated workspace on the simulated cluster: the whole bot, as people meet it."""

import pytest

from tests.scenarios.conftest import cluster, open_stage, stage

__all__ = ["cluster", "open_stage", "stage"]


@pytest.fixture
def plane() -> None:
    """The cluster makes no difference to what people read and click."""


@pytest.fixture
def speed() -> float:
    """How much faster than the wall the cluster lives."""
    return 10.0
