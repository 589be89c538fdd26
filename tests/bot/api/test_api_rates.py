"""Whoever asks too much is told when to come back, keeps nobody else waiting, and can still stop what runs; strangers try a few tokens only."""

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.api import attempts as module
from bot.api.openapi.operation import ApiAccess
from bot.api.openapi.operations import OPERATIONS
from bot.handlers.budgets import BURST, STRANGERS, Cost
from tests.bot.api.asking import BUILD, basic


async def test_a_token_that_has_asked_too_much_is_told_when_to_come_back_and_no_other(api):
    statuses = [(await api.command("help")).status for _ in range(BURST)]
    answer = await api.command("help")

    assert statuses == [200] * BURST
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "1"
    assert (await answer.json())["error"] == (
        "too many requests in a short time: at most 600 a minute; the next one is taken in 1 s"
    )
    assert (await api.get("/builds/BAAAAAAAAAA")).status == 429, "it is one budget, whatever the address"
    other = basic(await api.store.tokens.create("other"))
    assert (await api.client.post("/commands", json={"text": "help"}, headers=other)).status == 200
    assert (await api.command("releases promote -a myapp")).status != 429, "changes are another budget"
    api.world.clock.jump(1)
    assert (await api.command("help")).status == 200


async def test_builds_and_commands_that_change_something_are_one_budget_and_brakes_are_another(api):
    for _ in range(BURST):
        await api.command("remind PAAAAAAAAAA")
    refused = await api.post("/apps/myapp/builds", json=BUILD)
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "1"
    assert (await api.command("env set A=1 -a myapp")).status == 429
    assert (await api.command("cancel PAAAAAAAAAA")).status == 404
    assert (await api.post("/builds/BAAAAAAAAAA/cancel")).status == 404
    assert (await api.command("releases rollback RAAAAAAAAAA -a myapp")).status != 429


async def test_an_address_that_tries_tokens_is_bounded_and_a_good_token_from_there_is_not(api):
    assert (await api.command("help")).status == 200

    def guessing(number):
        return api.client.post("/commands", json={"text": "help"}, headers=basic(f"guess-{number}"))

    statuses = [(await guessing(number)).status for number in range(STRANGERS.burst + 2)]
    assert statuses == [401] * STRANGERS.burst + [429] * 2
    asked = []
    check = api.store.tokens.check

    async def counted(token):
        asked.append(token)
        return await check(token)

    api.store.tokens.check = counted
    answer = await guessing(99)
    assert (answer.status, asked) == (429, []), "nobody has looked for it"
    assert answer.headers["Retry-After"] == "1"
    assert "without a valid token" in (await answer.json())["error"]
    assert (await api.client.get("/healthz")).status == 200
    assert (await api.command("help")).status == 200, "a proxy has one address for all of them"
    await api.store.tokens.revoke("ci")
    assert (await api.command("help")).status == 429, "it is looked at, and good no more"
    assert asked
    api.world.clock.jump(60)
    assert (await guessing(1)).status == 401


async def test_tokens_that_were_good_long_ago_are_forgotten(api, monkeypatch):
    monkeypatch.setattr(module, "MOST_GOOD", 1)
    await api.command("help")
    other = basic(await api.store.tokens.create("other"))
    assert (await api.client.get("/openapi.json", headers=other)).status == 200
    for number in range(STRANGERS.burst):
        await api.client.get("/openapi.json", headers=basic(f"guess-{number}"))
    assert (await api.command("help")).status == 429
    assert (await api.client.get("/openapi.json", headers=other)).status == 200


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.7", "address 192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2::/64"),
        ("fe80::1%eth0", "address fe80::/64"),
        ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("", "address "),
        ("a socket", "address a socket"),
    ],
)
def test_an_address_is_what_one_stranger_has(peer: str, address: str):
    asked = make_mocked_request("GET", "/")
    assert module.address_of(asked.clone(remote=peer)) == address


def test_whatever_a_token_may_ask_for_has_its_budget_but_for_what_says_itself_which():
    costs = {each.id: each.cost for each in OPERATIONS if each.access is ApiAccess.TOKEN}
    assert [name for name, cost in costs.items() if cost is None] == ["command"]
    assert costs["cancelBuild"] is Cost.BRAKE
    assert not [each.id for each in OPERATIONS if each.access is not ApiAccess.TOKEN and each.cost]
