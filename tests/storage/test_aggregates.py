"""Each aggregate is whole without the others; what the core calls a Reader and a Transaction is put together of them."""

from contextlib import suppress

import pytest

from core.ports.store import Store, StoreReader, Transaction
from storage.keys import Keyring, Vault
from storage.outbox.reads import OutboxReader
from storage.outbox.writes import OutboxWriter
from storage.promotions.reads import PromotionReader
from storage.promotions.writes import PromotionWriter
from storage.records.reads import RecordReader
from storage.records.writes import RecordWriter
from storage.session import Session
from storage.store import SqliteReader, SqliteTransaction
from tests.storage.making import APP, NOW, carded, make_app, make_intent, make_line, make_promotion

P = "PAAAAAAAAAA"


def methods(*classes):
    return {name for each in classes for name in vars(each) if not name.startswith("_")} - {"now"}


@pytest.fixture
async def alone(store, key):
    """Make reads or writes of one aggregate, on a transaction of which nothing is kept."""
    vault = await Vault.open(store._database, Keyring([key]))
    with suppress(LookupError):
        async with store._database.transaction() as connection:
            session = Session(connection)
            yield lambda aggregate, *now: aggregate(session, vault, *now)
            raise LookupError


def test_the_store_has_every_method_of_the_ports(store):
    assert methods(StoreReader) <= set(dir(SqliteReader))
    assert methods(Transaction, StoreReader) <= set(dir(SqliteTransaction))
    as_port: Store = store
    assert methods(Store) <= set(dir(as_port))


@pytest.mark.parametrize(
    "aggregates",
    [(RecordReader, PromotionReader, OutboxReader), (RecordWriter, PromotionWriter, OutboxWriter)],
    ids=["reads", "writes"],
)
def test_no_two_aggregates_use_one_name(aggregates):
    names = [name for each in aggregates for name in vars(each) if not name.startswith("__")]
    assert sorted(names) == sorted(set(names))


async def test_records_are_written_and_read_without_promotions(alone):
    await alone(RecordWriter, NOW).add_app(make_app())
    assert await alone(RecordReader).app(APP) == make_app()


async def test_promotions_are_written_and_read_without_records(alone):
    writes, reads = alone(PromotionWriter, NOW), alone(PromotionReader)
    await writes.add_promotion(make_promotion("RAAAAAAAAAA", P))
    await writes.save_intent(P, make_intent())
    await writes.add_lines(P, [make_line(1)])
    assert (await reads.in_flight(APP)).id == P
    assert await reads.intent(P) == make_intent()
    assert await reads.lines(P) == [(1, make_line(1))]


async def test_the_outbox_is_asked_and_read_without_the_rest(store, key):
    await carded(store, P)
    vault = await Vault.open(store._database, Keyring([key]))
    async with store._database.transaction() as connection:
        await OutboxWriter(Session(connection), vault, NOW).add_terminal(P)
    assert (await OutboxReader(Session(store._database.reader), vault).card(P)).channel == "C01"
    assert (await store.outbox.claim_verdict(P, most=0, fits=lambda _: True)).kind == "terminal"
