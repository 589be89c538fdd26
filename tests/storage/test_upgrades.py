"""A database of before reads, after its upgrade, as if this version had written it."""

import pytest

from core.actor import BOT
from core.lifecycle.transition import move
from core.promotion import Phase, PromotionEvent
from storage.keys import Keyring
from storage.store import open_store
from tests.storage.before import database_of_before
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
