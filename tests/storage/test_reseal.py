"""What was sealed by an earlier version reads as if it had been written today."""

import pytest

from core.records.binding import Binding
from core.records.bundle import Ref
from storage.errors import SchemaTooNew
from storage.keys import Keyring
from storage.reseal import UPGRADES, reseal
from storage.store import open_store
from tests.storage.before import database_of_before

P, Q = "PAAAAAAAAAA", "PBBBBBBBBBB"
FIRST = "bundle=00ff active= prune= namespace="


async def test_what_an_approval_was_bound_to_as_a_text_reads_as_parts(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "AwaitingApproval")
        await before.promotion(Q, "Refused", approved_for=FIRST)
    async with open_store(path, Keyring([key]), clock) as store:
        assert (await store.read.promotion(P)).approved_for == Binding(
            bundle="00ff",
            active="RZZZZZZZZZZ",
            prune=(Ref("Deployment", "worker"), Ref("Service", "worker")),
            namespace="ns-1",
        )
        bare = Binding(bundle="00ff", active=None, prune=(), namespace=None)
        assert (await store.read.promotion(Q)).approved_for == bare


async def test_what_is_sealed_is_upgraded_once(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "AwaitingApproval")
    async with open_store(path, Keyring([key]), clock) as store:
        first = await store.read.promotion(P)
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.promotion(P) == first


async def test_an_upgrade_of_what_is_sealed_that_fails_changes_nothing(path, key, clock, store):
    async def half(session, _):
        await session.run("save_resealed", {"value": 99})
        raise RuntimeError("no power")

    with pytest.raises(RuntimeError, match="no power"):
        await reseal(store._database, store._vault, (*UPGRADES, half))
    await reseal(store._database, store._vault)


async def test_what_a_newer_version_has_sealed_is_refused(store):
    async def more(*_):
        pass

    await reseal(store._database, store._vault, (*UPGRADES, more))
    with pytest.raises(
        SchemaTooNew, match=rf"format {len(UPGRADES) + 1}, this convox-bot knows {len(UPGRADES)}"
    ):
        await reseal(store._database, store._vault)
