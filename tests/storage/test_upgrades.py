"""A database of before reads, after its upgrade, as if this version had written it."""

import pytest

from core.promotion import Phase
from storage.keys import Keyring
from storage.store import open_store
from tests.storage.before import database_of_before
from tests.storage.making import ALICE, CI

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
