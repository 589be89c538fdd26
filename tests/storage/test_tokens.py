import re
from datetime import timedelta

import pytest

from core.errors import Conflict, Invalid, NotFound, Unavailable
from storage.tokens.issued import open_tokens
from tests.chain import first_broken
from tests.storage.making import NOW


async def name_of(tokens, token):
    return (await tokens.check(token)).name


async def test_a_token_is_known_by_name_until_it_is_revoked(store):
    token = await store.tokens.create("ci")
    other = await store.tokens.create("laptop.alice_2")
    assert await name_of(store.tokens, token) == "ci"
    assert await name_of(store.tokens, other) == "laptop.alice_2"
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
    assert await name_of(store.tokens, second) == "ci"
    assert await store.tokens.check(first) is None


@pytest.mark.parametrize("name", ["", "a b", "-x", "a\n", "x" * 64, "group:ops", "*"])
async def test_a_token_name_that_a_policy_could_not_name_is_refused(store, name):
    with pytest.raises(Invalid, match="is not valid"):
        await store.tokens.create(name)


async def test_tokens_are_made_and_revoked_beside_a_running_bot_and_in_its_audit(store, path, clock):
    async with open_tokens(path, clock) as beside:
        token = await beside.create("ci")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert await name_of(store.tokens, token) == "ci"
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
        assert await name_of(tokens, token) == "ci"


async def test_a_token_that_has_expired_is_known_as_that_and_its_name_is_free_again(store, clock):
    token = await store.tokens.create("ci", expires_at=NOW + timedelta(days=1), apps=("shop-*", "myapp"))
    known = await store.tokens.check(token)
    assert (known.expired(clock.now()), known.apps) == (False, ("shop-*", "myapp"))
    clock.jump(24 * 3600)
    assert (await store.tokens.check(token)).expired(clock.now())
    second = await store.tokens.create("ci")
    assert await store.tokens.check(token) is None
    assert await name_of(store.tokens, second) == "ci"
    assert [each.revoked_at for each in await store.tokens.list()] == [clock.now(), None]


async def test_what_is_over_and_what_is_no_pattern_make_no_token(store):
    with pytest.raises(Invalid, match="is over"):
        await store.tokens.create("ci", expires_at=NOW)
    for pattern in ("", "a b", "A", "x" * 61):
        with pytest.raises(Invalid, match="is no pattern of app names"):
            await store.tokens.create("ci", apps=(pattern,))
    assert await store.tokens.list() == []


async def test_the_last_use_is_noted_by_the_hour(store, clock):
    token = await store.tokens.create("ci")
    assert [each.used_at for each in await store.tokens.list()] == [None]
    for seconds, noted in ((0, NOW), (3599, NOW), (1, NOW + timedelta(hours=1))):
        clock.jump(seconds)
        await store.tokens.check(token)
        assert [each.used_at for each in await store.tokens.list()] == [noted]


async def test_a_full_disk_keeps_nobody_out(store, monkeypatch):
    token = await store.tokens.create("ci")

    def full():
        raise Unavailable("the database cannot be used: its disk is full")

    monkeypatch.setattr(store.tokens._database, "transaction", full)
    assert await name_of(store.tokens, token) == "ci"
