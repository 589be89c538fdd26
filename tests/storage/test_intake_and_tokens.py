import asyncio
import re
from datetime import timedelta

import pytest

from core.errors import Conflict, Invalid, NotFound
from storage.database import open_database
from storage.errors import Locked
from storage.intake import REMEMBERED
from storage.migrate import MIGRATIONS, Migration
from storage.tokens import open_tokens
from tests.chain import first_broken
from tests.storage.making import NOW, make_app


async def test_a_delivery_is_kept_once_however_often_it_comes(store):
    kept = await asyncio.gather(*(store.intake.keep("T1", "command", b"{}", NOW) for _ in range(20)))
    assert sum(kept) == 1
    assert await store.intake.keep("T2", "command", b"{}", NOW)
    assert len(await store.intake.pending()) == 2


async def test_deliveries_wait_in_order_and_show_no_payload(store):
    for number in range(3):
        await store.intake.keep(f"T{number}", "action", f"secret {number}".encode(), NOW)
    pending = await store.intake.pending()
    assert [(d.kind, d.payload, d.received_at) for d in pending] == [
        ("action", f"secret {n}".encode(), NOW) for n in range(3)
    ]
    assert "secret" not in repr(pending)


async def test_a_handled_delivery_is_wiped_and_still_known(store):
    await store.intake.keep("T1", "command", b"secret", NOW)
    (delivery,) = await store.intake.pending()
    await store.intake.handled(delivery.id, NOW)
    assert await store.intake.pending() == []
    assert not await store.intake.keep("T1", "command", b"secret", NOW)
    rows = await store._database.reader.execute_fetchall("SELECT payload FROM intake")
    assert [row["payload"] for row in rows] == [None]


async def test_a_handled_delivery_is_forgotten_after_a_day_and_an_hour_and_an_unhandled_one_never(store):
    await store.intake.keep("T1", "command", b"", NOW)
    await store.intake.keep("T2", "command", b"", NOW)
    await store.intake.handled((await store.intake.pending())[0].id, NOW)
    assert await store.intake.prune(NOW + REMEMBERED) == 0
    assert await store.intake.prune(NOW + REMEMBERED + timedelta(seconds=1)) == 1
    assert await store.intake.keep("T1", "command", b"", NOW)
    assert not await store.intake.keep("T2", "command", b"", NOW)


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


async def test_a_schema_is_never_upgraded_beneath_a_running_bot(store, path):
    newer = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "x", "CREATE TABLE more (x INTEGER) STRICT;"))
    with pytest.raises(Locked, match="another convox-bot serve uses"):
        async with open_database(path, exclusive=False, migrations=newer):
            pass


async def test_the_transaction_that_carries_a_delivery_out_marks_it_done_and_its_crash_does_not(store):
    await store.intake.keep("T1", "command", b"{}", NOW)
    (delivery,) = await store.intake.pending()
    assert not delivery.done

    async def fail():
        async with store.transaction() as tx:
            await tx.add_app(make_app())
            raise LookupError

    with store.intake.carrying_out(delivery.id):
        async with store.transaction() as tx:
            await tx.apps()
        with pytest.raises(LookupError):
            await fail()
        assert not (await store.intake.pending())[0].done, "nothing has been changed yet"
        async with store.transaction() as tx:
            await tx.add_app(make_app())
    (delivery,) = await store.intake.pending()
    assert (delivery.done, delivery.payload) == (True, b"{}")


async def test_two_deliveries_carried_out_at_once_mark_each_its_own(store):
    for number in range(6):
        await store.intake.keep(f"T{number}", "command", b"", NOW)

    async def carry_out(delivery, number):
        with store.intake.carrying_out(delivery.id):
            async with store.transaction() as tx:
                if number % 2:
                    await tx.add_app(make_app(f"app-{number}"))

    pending = await store.intake.pending()
    await asyncio.gather(*(carry_out(delivery, number) for number, delivery in enumerate(pending)))
    assert [delivery.done for delivery in await store.intake.pending()] == [False, True] * 3


async def test_work_that_outlives_the_carrying_out_marks_nothing(store):
    await store.intake.keep("T1", "command", b"", NOW)
    (delivery,) = await store.intake.pending()
    go = asyncio.Event()

    async def rollout():
        await go.wait()
        async with store.transaction() as tx:
            await tx.add_app(make_app())

    with store.intake.carrying_out(delivery.id):
        task = asyncio.create_task(rollout())
    go.set()
    await task
    assert not (await store.intake.pending())[0].done
    async with store.transaction() as tx:
        await tx.add_app(make_app("other"))
    assert not (await store.intake.pending())[0].done


async def test_what_is_changed_aside_of_a_delivery_does_not_mark_it_done(store):
    await store.intake.keep("T1", "command", b"{}", NOW)
    (delivery,) = await store.intake.pending()
    with store.intake.carrying_out(delivery.id):
        async with store.transaction(aside=True) as tx:
            await tx.add_app(make_app())
        assert not (await store.intake.pending())[0].done
        async with store.transaction() as tx:
            await tx.add_app(make_app("other"))
    assert (await store.intake.pending())[0].done
