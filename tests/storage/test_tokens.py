import re

import pytest

from core.errors import Conflict, Invalid, NotFound
from storage.tokens.issued import open_tokens
from tests.chain import first_broken
from tests.storage.making import NOW


async def test_a_token_is_known_by_name_until_it_is_revoked(store):
    token = await store.tokens.create("ci")
    other = await store.tokens.create("laptop.alice_2")
    assert await store.tokens.check(token) == "ci"
    assert await store.tokens.check(other) == "laptop.alice_2"
    assert await store.tokens.check(token + "x") is None
    assert await store.tokens.check("") is None
    await store.tokens.revoke("ci")
    assert await store.tokens.check(token) is None
    assert [(t.name, t.revoked_at) for t in await store.tokens.list()] == [
        ("ci", NOW),
        ("laptop.alice_2", None),
    ]


async def test_a_name_is_one_valid_token_and_free_again_after_it(store):
    first = await store.tokens.create("ci")
    with pytest.raises(Conflict, match="token already exists: ci"):
        await store.tokens.create("ci")
    await store.tokens.revoke("ci")
    with pytest.raises(NotFound, match="no such token: ci"):
        await store.tokens.revoke("ci")
    second = await store.tokens.create("ci")
    assert await store.tokens.check(second) == "ci"
    assert await store.tokens.check(first) is None


@pytest.mark.parametrize("name", ["", "a b", "-x", "a\n", "x" * 64, "group:ops", "*"])
async def test_a_token_name_that_a_policy_could_not_name_is_refused(store, name):
    with pytest.raises(Invalid, match="is not valid"):
        await store.tokens.create(name)


async def test_tokens_are_made_and_revoked_beside_a_running_bot_and_in_its_audit(store, path, clock):
    async with open_tokens(path, clock) as beside:
        token = await beside.create("ci")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert await store.tokens.check(token) == "ci"
    async with open_tokens(path, clock) as beside:
        await beside.revoke("ci")
    assert await store.tokens.check(token) is None
    rows = await store._database.reader.execute_fetchall("SELECT action, subject FROM audit ORDER BY seq")
    assert [tuple(row) for row in rows] == [("token.create", "ci"), ("token.revoke", "ci")]
    assert await first_broken(store) is None
    assert token.encode() not in b"".join(file.read_bytes() for file in path.parent.iterdir())


async def test_tokens_may_be_made_before_the_first_start(path, clock):
    async with open_tokens(path, clock) as tokens:
        token = await tokens.create("ci")
        assert await tokens.check(token) == "ci"
