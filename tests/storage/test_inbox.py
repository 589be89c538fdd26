import asyncio
from datetime import timedelta

import pytest

from tests.storage.making import NOW, make_app


async def test_a_delivery_is_kept_once_however_often_it_comes(store):
    kept = await asyncio.gather(*(store.inbox.keep("T1", "command", b"{}", NOW) for _ in range(20)))
    assert sum(kept) == 1
    assert await store.inbox.keep("T2", "command", b"{}", NOW)
    assert len(await store.inbox.pending()) == 2


async def test_deliveries_wait_in_order_and_show_no_payload(store):
    for number in range(3):
        await store.inbox.keep(f"T{number}", "action", f"secret {number}".encode(), NOW)
    pending = await store.inbox.pending()
    assert [(d.kind, d.payload, d.received_at) for d in pending] == [
        ("action", f"secret {n}".encode(), NOW) for n in range(3)
    ]
    assert "secret" not in repr(pending)


async def test_a_handled_delivery_is_wiped_and_still_known(store):
    await store.inbox.keep("T1", "command", b"secret", NOW)
    (delivery,) = await store.inbox.pending()
    await store.inbox.handled(delivery.id, NOW)
    assert await store.inbox.pending() == []
    assert not await store.inbox.keep("T1", "command", b"secret", NOW)
    rows = await store._database.reader.execute_fetchall("SELECT payload FROM intake")
    assert [row["payload"] for row in rows] == [None]


async def test_a_handled_delivery_is_forgotten_when_it_is_too_old_and_an_unhandled_one_never(store):
    await store.inbox.keep("T1", "command", b"", NOW)
    await store.inbox.keep("T2", "command", b"", NOW)
    await store.inbox.handled((await store.inbox.pending())[0].id, NOW)
    await store.retention.age("inbox", NOW)
    assert not await store.inbox.keep("T1", "command", b"", NOW)
    await store.retention.age("inbox", NOW + timedelta(seconds=1))
    assert await store.inbox.keep("T1", "command", b"", NOW)
    assert not await store.inbox.keep("T2", "command", b"", NOW)


async def test_those_after_one_are_returned_so_many_at_most(store):
    for number in range(5):
        await store.inbox.keep(f"T{number}", "command", b"", NOW)
    assert [d.id for d in await store.inbox.pending(after=2)] == [3, 4, 5]
    assert [d.id for d in await store.inbox.pending(after=2, limit=2)] == [3, 4]


async def test_those_that_come_while_one_is_stored_are_stored_together(store, monkeypatch):
    transactions = []
    transaction = store._database.transaction

    def counted(*kind, **more):
        transactions.append(more)
        return transaction(*kind, **more)

    monkeypatch.setattr(store._database, "transaction", counted)
    kept = await asyncio.gather(
        *(store.inbox.keep(f"T{number % 40}", "command", b"", NOW) for number in range(50))
    )

    assert kept == [True] * 40 + [False] * 10
    assert len(await store.inbox.pending()) == 40
    assert len(transactions) <= 2


async def test_who_is_cancelled_while_it_stores_for_others_leaves_none_of_them_behind(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        keeping = [asyncio.create_task(store.inbox.keep(f"T{n}", "command", b"", NOW)) for n in range(5)]
        while len(store.inbox._arrivals) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0)
        keeping[0].cancel()
        keeping[3].cancel()
        await asyncio.wait(keeping, timeout=0.01)
    kept = await asyncio.gather(*keeping, return_exceptions=True)

    assert [k for k in kept if k is True] == [True] * 3
    assert len(await store.inbox.pending()) == 3


async def test_a_delivery_goes_before_whatever_else_waits_to_be_written(store):
    """Slack waits three seconds; a hundred rollouts may wait longer."""
    order = []

    async def rollout(number):
        async with store.transaction() as tx:
            await tx.add_app(make_app(f"app-{number}"))
        order.append(number)

    async def delivered(key):
        await store.inbox.keep(key, "command", b"", NOW)
        order.append(key)

    async with store.transaction() as tx:
        await tx.add_app(make_app())
        rollouts = [asyncio.create_task(rollout(number)) for number in range(30)]
        await asyncio.sleep(0)
        deliveries = [asyncio.create_task(delivered(f"T{number}")) for number in range(3)]
        await asyncio.sleep(0)
    await asyncio.gather(*rollouts, *deliveries)
    assert order == ["T0", "T1", "T2", *range(30)]


async def test_the_transaction_that_carries_a_delivery_out_marks_it_done_and_its_crash_does_not(store):
    await store.inbox.keep("T1", "command", b"{}", NOW)
    (delivery,) = await store.inbox.pending()
    assert not delivery.done

    async def fail():
        async with store.transaction(delivery=delivery.id) as tx:
            await tx.add_app(make_app())
            raise LookupError

    async with store.transaction(delivery=delivery.id) as tx:
        await tx.apps()
    with pytest.raises(LookupError):
        await fail()
    assert not (await store.inbox.pending())[0].done, "nothing has been changed yet"
    async with store.transaction(delivery=delivery.id) as tx:
        await tx.add_app(make_app())
    (delivery,) = await store.inbox.pending()
    assert (delivery.done, delivery.payload) == (True, b"{}")


async def test_two_deliveries_carried_out_at_once_mark_each_its_own(store):
    for number in range(6):
        await store.inbox.keep(f"T{number}", "command", b"", NOW)

    async def carry_out(delivery, number):
        async with store.transaction(delivery=delivery.id) as tx:
            if number % 2:
                await tx.add_app(make_app(f"app-{number}"))

    pending = await store.inbox.pending()
    await asyncio.gather(*(carry_out(delivery, number) for number, delivery in enumerate(pending)))
    assert [delivery.done for delivery in await store.inbox.pending()] == [False, True] * 3


async def test_what_is_changed_without_the_delivery_does_not_mark_it_done(store):
    """An expiry that was found on the way, a rollout that goes on in a task of its own."""
    await store.inbox.keep("T1", "command", b"{}", NOW)
    (delivery,) = await store.inbox.pending()
    async with store.transaction() as tx:
        await tx.add_app(make_app())
    assert not (await store.inbox.pending())[0].done
    async with store.transaction(delivery=delivery.id) as tx:
        await tx.add_app(make_app("other"))
    assert (await store.inbox.pending())[0].done
