"""What is asked before the first write is asked together: it comes one round trip later, not one an object."""

import asyncio

import pytest

from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.errors import Rejected, Unreachable
from core.records.bundle import Bundle, Ref
from tests.core.cluster.live import MANIFEST, Live, live

TWO = MANIFEST + "  worker:\n    build: .\n    port: 3001\n"


def all_or_none(monkeypatch: pytest.MonkeyPatch, on: Live, bundle: Bundle) -> None:
    """Answer the reads of a bundle's objects only once each of them has been asked for."""
    barrier, get = asyncio.Barrier(len(bundle.refs)), KubeClient.get

    async def together(client: KubeClient, at: Address):
        if Ref(at.kind, at.name) in bundle.refs:
            async with asyncio.timeout(30):
                await barrier.wait()
        return await get(client, at)

    monkeypatch.setattr(KubeClient, "get", together)


async def test_a_baseline_and_a_dry_run_ask_for_all_their_objects_at_once(monkeypatch: pytest.MonkeyPatch):
    async with live() as on:
        bundle = on.bundle(manifest=TWO)
        assert len(bundle.refs) > 3
        all_or_none(monkeypatch, on, bundle)
        intent = await on.cluster.read_baseline("myapp", bundle.refs)
        assert [each.ref for each in intent.objects] == list(bundle.refs)
        await on.cluster.preflight("myapp", bundle, token=1, force=False)


async def test_every_reason_of_a_dry_run_is_told_in_the_order_of_its_objects(monkeypatch: pytest.MonkeyPatch):
    async with live() as on:
        bundle = on.bundle(manifest=TWO)

        async def refused(client: KubeClient, at: Address):
            raise Rejected(f"{at.name} is too large")

        monkeypatch.setattr(KubeClient, "get", refused)
        with pytest.raises(Rejected) as error:
            await on.cluster.preflight("myapp", bundle, token=1, force=False)
        reasons = dict.fromkeys(f"{ref.name} is too large" for ref in bundle.refs)
        assert str(error.value) == "; ".join(reasons)


async def test_a_server_that_is_away_is_no_reason_against_a_release(monkeypatch: pytest.MonkeyPatch):
    async with live() as on:
        bundle = on.bundle(manifest=TWO)

        async def away(client: KubeClient, at: Address):
            if at.name == bundle.refs[0].name:
                raise Rejected("no")
            raise Unreachable("connection refused")

        monkeypatch.setattr(KubeClient, "get", away)
        with pytest.raises(Unreachable):
            await on.cluster.preflight("myapp", bundle, token=1, force=False)
