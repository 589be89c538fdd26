"""What is there once is told apart by the index that refuses it, and a refusal that nobody foresaw stays an error."""

import sqlite3
from dataclasses import replace

import pytest

from core.errors import Conflict, Taken
from core.promotion import Phase
from core.records.approval import Approval
from core.records.step import PruneJob
from tests.storage.making import (
    ALICE,
    APP,
    NOW,
    carded,
    make_app,
    make_build,
    make_bundle,
    make_intent,
    make_line,
    make_promotion,
    make_release,
    seed,
)

R, P, Q = "RAAAAAAAAAA", "PAAAAAAAAAA", "PBBBBBBBBBB"
B = "BAAAAAAAAAA"
DECISION = Approval(promotion=P, actor=ALICE, decision="approve", at=NOW)

TWICE = {
    "an app": (lambda tx: tx.add_app(make_app("twin")), Conflict, "app already exists: twin"),
    "a build": (lambda tx: tx.add_build(make_build(B, R)), Taken, f"{B} is taken"),
    "a release": (
        lambda tx: tx.add_release(make_release("RBBBBBBBBBB", sequence=2)),
        Taken,
        "RBBBBBBBBBB is taken",
    ),
    "an intent": (lambda tx: tx.save_intent(P, make_intent()), Conflict, f"{P} has its intent already"),
    "a decision": (
        lambda tx: tx.add_approval(DECISION),
        Conflict,
        f"@alice has already decided about {P}",
    ),
    "a card": (lambda tx: tx.add_card(P, "C01"), Conflict, f"{P} has its card already"),
    "a terminal message": (
        lambda tx: tx.add_terminal(P),
        Conflict,
        f"{P} has its terminal message already",
    ),
    "a removal": (
        lambda tx: tx.add_prune_job(PruneJob(promotion=P, app=APP, refs=())),
        Conflict,
        f"{P} has its prune job already",
    ),
}


@pytest.mark.parametrize(("write", "error", "sentence"), TWICE.values(), ids=TWICE)
async def test_what_there_is_once_is_refused_in_one_sentence_and_the_transaction_goes_on(
    store, write, error, sentence
):
    await seed(store, promotion=P)
    async with store.transaction() as tx:
        await write(tx)
        with pytest.raises(error) as caught:
            await write(tx)
        await tx.add_app(make_app("next"))
    assert type(caught.value) is error
    assert str(caught.value) == sentence
    assert (await store.read.app("next")).name == "next"


async def test_the_id_of_the_promotion_in_flight_is_taken_and_not_busy(store):
    """Both indexes refuse: another id is tried, and only then somebody is told that the app is updating."""
    await seed(store, promotion=P)
    async with store.transaction() as tx:
        with pytest.raises(Taken, match=f"{P} is taken"):
            await tx.add_promotion(make_promotion(R, P))
        with pytest.raises(Conflict, match="myapp is currently updating"):
            await tx.add_promotion(make_promotion(R, Q))


async def test_a_promotion_that_is_no_longer_where_it_was_is_told_that_first(store):
    await seed(store, promotion=P)
    waiting = make_promotion(R, Q, phase=Phase.AWAITING_APPROVAL)
    async with store.transaction() as tx:
        await tx.add_promotion(waiting)
        with pytest.raises(Conflict, match="myapp is currently updating"):
            await tx.save_promotion(replace(waiting, phase=Phase.PENDING), was=Phase.AWAITING_APPROVAL)
        await tx.save_promotion(replace(waiting, phase=Phase.EXPIRED), was=Phase.AWAITING_APPROVAL)
        with pytest.raises(Conflict, match=f"{Q} is no longer AwaitingApproval"):
            await tx.save_promotion(replace(waiting, phase=Phase.PENDING), was=Phase.AWAITING_APPROVAL)


async def test_an_app_keeps_its_own_channel_and_takes_no_other(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app("first", channel="C01"))
        await tx.save_app(make_app("first", channel="C01", token=1))
        with pytest.raises(Conflict, match="app already exists: first"):
            await tx.add_app(make_app("first", channel="C01"))
        with pytest.raises(Conflict, match="channel C01 is linked to another app"):
            await tx.add_app(make_app("second", channel="C01"))


UNFORESEEN = {
    "a promotion that begins elsewhere than in flight": (
        "promotions (app) WHERE phase IN ('Pending', 'Declined')",
        lambda tx: tx.add_promotion(make_promotion(R, phase=Phase.DECLINED)),
    ),
    "a promotion that moves elsewhere than in flight": (
        "promotions (app) WHERE phase IN ('Pending', 'Declined')",
        lambda tx: tx.save_promotion(make_promotion(R, Q, phase=Phase.DECLINED), was=Phase.AWAITING_APPROVAL),
    ),
    "a terminal message": (
        "outbox (promotion) WHERE state IN ('pending', 'sending')",
        lambda tx: tx.add_terminal(P),
    ),
    "a decision": ("approvals (actor_key)", lambda tx: tx.add_approval(replace(DECISION, promotion=Q))),
    "a channel that is free": (
        "apps (created_at)",
        lambda tx: tx.add_app(make_app("second", channel="C02")),
    ),
    "a release": ("releases (app)", lambda tx: tx.add_release(make_release(sequence=2))),
    "a bundle": ("bundles (app)", lambda tx: tx.save_bundle(make_bundle("RBBBBBBBBBB"))),
}


@pytest.mark.parametrize(("index", "write"), UNFORESEEN.values(), ids=UNFORESEEN)
async def test_a_refusal_by_an_index_that_nobody_foresaw_stays_an_error(store, index, write):
    await carded(store, P)
    async with store.transaction() as tx:
        await tx.add_promotion(make_promotion(R, Q, phase=Phase.AWAITING_APPROVAL))
        await tx.add_approval(DECISION)
        await tx.save_bundle(make_bundle(R))
        await tx.add_lines(P, [make_line(1)])
    assert await store.outbox.claim_lines(P, most=40, fitting=len)
    async with store._database.transaction() as connection:
        await connection.execute(f"CREATE UNIQUE INDEX unforeseen ON {index}")
    with pytest.raises(sqlite3.IntegrityError) as caught:
        async with store.transaction() as tx:
            await write(tx)
    assert caught.value.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE"


async def test_a_card_of_no_promotion_is_an_error(store):
    with pytest.raises(sqlite3.IntegrityError) as caught:
        async with store.transaction() as tx:
            await tx.add_card(P, "C01")
    assert caught.value.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY"
