import sqlite3

import pytest

from core.actor import BOT
from tests.chain import first_broken
from tests.storage.making import ALICE, APP, CI


@pytest.fixture
async def audited(store):
    async with store.transaction() as tx:
        await tx.audit(ALICE, "app.create", APP, {"name": APP})
        await tx.audit(CI, "env.set", "RAAAAAAAAAA", {"keys": ["FOO", "ü"], "app": APP})
    for number in range(3):
        async with store.transaction() as tx:
            await tx.audit(BOT, "tick", str(number), {})
    return store


def tamper(path, *statements):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_is_kept")
        connection.execute("DROP TRIGGER audit_is_final")
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def test_an_untouched_chain_holds(store, audited):
    assert await first_broken(audited) is None
    rows = await store._database.reader.execute_fetchall(
        "SELECT seq, prev_hash, hash FROM audit ORDER BY seq"
    )
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["prev_hash"] for row in rows] == ["0" * 64, *[row["hash"] for row in rows[:-1]]]


async def test_an_empty_chain_holds(store):
    assert await first_broken(store) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET subject = 'other'", "DELETE FROM audit"])
async def test_the_audit_refuses_to_be_changed(audited, statement):
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        async with audited._database.transaction() as connection:
            await connection.execute(statement)
    assert await first_broken(audited) is None


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "detail", "prev_hash", "hash"])
async def test_a_changed_field_shows_at_its_row(audited, path, column):
    tamper(path, f"UPDATE audit SET {column} = {column} || ' ' WHERE seq = 2")
    assert await first_broken(audited) == 2


@pytest.mark.parametrize("lost", [1, 2, 4])
async def test_a_lost_row_shows_where_it_stood(audited, path, lost):
    tamper(path, f"DELETE FROM audit WHERE seq = {lost}")
    assert await first_broken(audited) == lost


async def test_a_row_that_was_pushed_in_between_shows(audited, path):
    tamper(
        path,
        "UPDATE audit SET seq = -seq WHERE seq >= 3",
        "INSERT INTO audit SELECT 3, at, actor, action, subject, detail, prev_hash, hash FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
    )
    assert await first_broken(audited) == 3


async def test_a_failed_transaction_leaves_no_row_and_no_gap(audited):
    async def fail():
        async with audited.transaction() as tx:
            await tx.audit(BOT, "tick", "lost", {})
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with audited.transaction() as tx:
        await tx.audit(BOT, "tick", "kept", {})
    assert await first_broken(audited) is None


async def test_a_long_chain_is_checked_whole(store, path):
    async with store.transaction() as tx:
        for number in range(1203):
            await tx.audit(BOT, "tick", str(number), {})
    assert await first_broken(store) is None
    tamper(path, "UPDATE audit SET subject = 'x' WHERE seq = 1100")
    assert await first_broken(store) == 1100
