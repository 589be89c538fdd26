import aiohttp
import pytest

from bot.oidc.issuers import IssuerKeys
from tests.bot.api.serving import serving
from tests.bot.oidc.issuing import issuing, readers
from tests.fakes import JumpingClock


@pytest.fixture
async def issuer():
    async with issuing() as made:
        yield made


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
def clock():
    return JumpingClock()


@pytest.fixture
def keys(session, clock):
    return IssuerKeys(readers(session), clock)


@pytest.fixture
async def api(tmp_path, session, clock):
    async with serving(tmp_path, keys=IssuerKeys(readers(session), clock)) as made:
        yield made
