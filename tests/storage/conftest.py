import pytest

from storage.keys import Keyring
from storage.store import open_store
from tests.storage.making import HandClock


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def key():
    return Keyring.generate()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "convox.db"


@pytest.fixture
async def store(path, key, clock):
    async with open_store(path, Keyring([key]), clock) as opened:
        yield opened
