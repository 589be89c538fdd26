"""What the tests of this folder share: where bots are made, and every story told once without a death."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.lives import nursery
from tests.crashes.runs import Rehearsals


@pytest.fixture(scope="session")
def bots() -> Iterator[Path]:
    """The socket of a nursery."""
    with nursery() as socket:
        yield socket


@pytest.fixture(scope="session")
def rehearsals(bots: Path, tmp_path_factory: pytest.TempPathFactory) -> Rehearsals:
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "rehearsals"
    folder.mkdir(exist_ok=True)
    return Rehearsals(bots, folder)
