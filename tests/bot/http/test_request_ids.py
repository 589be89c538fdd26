"""The id of a request: its own where that can stand in a log, another one each time where not; the answer and the log tell it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.http.limits import HttpLimits
from bot.http.request_ids import HEADER
from bot.http.site import new_application
from core.log_context import log_about, logged_about


@pytest.fixture
async def client():
    async def told(_):
        about = dict(logged_about())
        log_about(promotion="PABCDEFGHIJ")
        return web.json_response(about)

    app = new_application(HttpLimits())
    app.router.add_get("/", told)
    async with TestClient(TestServer(app)) as made:
        yield made


@pytest.mark.parametrize("given", ["abc-1.2_3", "a" * 64])
async def test_what_stands_in_front_gives_its_own(client, given):
    answer = await client.get("/", headers={HEADER: given})
    assert answer.headers[HEADER] == given
    assert await answer.json() == {"request": given}, "nothing of the request before on this connection"
    assert await (await client.get("/", headers={HEADER: given})).json() == {"request": given}


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", 'x"}', "é"])
async def test_one_that_is_none_is_replaced(client, given):
    answers = [await client.get("/", headers={HEADER: given}) for _ in range(2)]
    ids = [each.headers[HEADER] for each in answers]
    assert given not in ids
    assert ids[0] != ids[1]
    assert [(await each.json())["request"] for each in answers] == ids


async def test_a_refusal_has_one_too(client):
    assert (await client.get("/nowhere")).headers[HEADER]
