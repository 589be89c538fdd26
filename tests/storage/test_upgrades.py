"""A database of before reads, after its upgrade, as if this version had written it."""

import sqlite3
from sqlite3 import IntegrityError

import pytest

from core.actor import BOT
from core.lifecycle.transition import move
from core.promotion import Phase, PromotionEvent
from storage.keys import Keyring
from storage.migrate import MIGRATIONS
from storage.store import open_store
from tests.storage.before import MOMENT, database_of_before
from tests.storage.making import ALICE, APP, CI, NOW

P = "PAAAAAAAAAA"
# Phase, who acted, the release that took its place, what was said → which of the three it was.
DECISIONS = [
    ("Declined", ALICE, None, "not on a Friday", "declined_by"),
    ("Declined", CI, None, "", "declined_by"),
    ("Superseded", ALICE, "RBBBBBBBBBB", "", "taken_over_by"),
    ("Cancelled", ALICE, None, "", "cancelled_by"),
    ("Rollback", ALICE, None, "", "cancelled_by"),
    ("Reverted", CI, None, "", "cancelled_by"),
    ("Failure", ALICE, None, "", "cancelled_by"),
    ("Refused", ALICE, None, "", "cancelled_by"),
    ("Running", None, None, "", None),
    ("Refused", None, None, "no such namespace", None),
]


@pytest.mark.parametrize(("phase", "by", "superseded_by", "reason", "decided"), DECISIONS)
async def test_who_acted_is_who_declined_cancelled_or_took_over(
    path, key, clock, phase, by, superseded_by, reason, decided
):
    async with database_of_before(path, key) as before:
        await before.promotion(P, phase, by=by, superseded_by=superseded_by, reason=reason)
    async with open_store(path, Keyring([key]), clock) as store:
        promotion = await store.read.promotion(P)
    found = {name: getattr(promotion, name) for name in ("declined_by", "cancelled_by", "taken_over_by")}
    assert found == dict.fromkeys(found) | ({decided: by} if decided else {})
    assert (promotion.phase, promotion.superseded_by) == (Phase(phase), superseded_by)


async def test_images_of_before_count_as_used(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.build("BAAAAAAAAAA", {"web": "registry.host/web:main", "cache": "redis:7"})
        await before.build("BBBBBBBBBBB", {"web": "registry.host/web:main"})
    async with open_store(path, Keyring([key]), clock) as store:
        asked = ["registry.host/web:main", "registry.host/web:next"]
        assert await store.read.known_images(APP, asked) == {"registry.host/web:main"}
        assert await store.read.known_images("other", asked) == frozenset()
        build = await store.read.build(APP, "BAAAAAAAAAA")
        assert (build.reused, build.message, build.text) == ((), "", "as it was")


async def test_endings_of_before_are_counted_without_a_reason_and_new_ones_with_theirs(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "Reverted")
        await before.promotion("PBBBBBBBBBB", "AwaitingApproval")
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.oldest_awaiting() == NOW
        async with store.transaction() as tx:
            waiting = await tx.promotion("PBBBBBBBBBB")
            await move(tx, waiting, PromotionEvent.EXPIRED, actor=BOT)
        assert await store.read.endings() == {
            (Phase.REVERTED, "unknown"): 1,
            (Phase.EXPIRED, "expired"): 1,
        }
        assert await store.read.oldest_awaiting() is None


async def test_cards_lines_and_messages_of_before_are_whole_and_what_they_refer_to_is_still_checked(
    path, key, clock
):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "Updating")
        await before.add("cards", promotion=P, channel="C1", created_at=MOMENT, ts="1.0", wanted=1, shown=0)
        sealed = before._vault.seal(["web", "is ready", "k"])
        for post, state in ((1, "sent"), (2, "sending")):
            await before.add(
                "outbox", id=post, promotion=P, kind="lines", state=state, nonce=f"n{post}", created_at=MOMENT
            )
        for seq, post in ((1, 1), (2, 2), (3, None)):
            row = {
                "promotion": P,
                "seq": seq,
                "mark": f"m{seq}",
                "at": MOMENT,
                "kind": "line",
                "sealed": sealed,
            }
            await before.add("lines", **row, post=post)
    async with open_store(path, Keyring([key]), clock) as store:
        card = await store.read.card(P)
        assert (card.subject, card.channel, card.ts, card.shown) == (P, "C1", "1.0", 0)
        assert [seq for seq, _ in await store.read.lines(P)] == [1, 2, 3]
        await store.outbox.recover()
        (lost,) = await store.outbox.posts_unknown()
        assert [seq for seq, _ in lost.post.lines] == [2]
        await store.outbox.post_again(lost.post.id)
        (due,) = await store.outbox.threads_due()
        assert (due.subject, due.waiting) == (P, 1)
        with pytest.raises(IntegrityError):
            async with store.transaction() as tx:
                await tx.add_card("BNOWHEREXXX", "C1")
        assert await store.read.card("BNOWHEREXXX") is None


def test_events_that_ended_before_their_reasons_were_counted_are_counted_still():
    connection = sqlite3.connect(":memory:")
    for migration in MIGRATIONS[:37]:
        connection.executescript(migration.script)
    connection.execute("UPDATE subscriptions SET delivered = 7, dropped = 2 WHERE kind = 'github'")
    connection.executescript(MIGRATIONS[37].script)
    found = connection.execute("SELECT kind, outcome, reason, events FROM event_endings").fetchall()
    connection.close()
    assert found == [("github", "delivered", "", 7), ("github", "dropped", "", 2)]
