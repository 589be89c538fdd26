import pytest

from tests.bot.api.serving import serving


@pytest.fixture
async def api(tmp_path):
    async with serving(tmp_path) as made:
        yield made
