"""Pods that our own records know to be good need no settle window; what was just made needs one, whatever it looks like."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.promotion import Phase, Promotion
from core.records.intent import Intent
from core.records.release import ReleaseStatus
from core.rollout.lineage import earlier_pods_of
from tests.core.world import ALICE, World
from tests.fakes import broken, service

NEW, OLD = (
    Intent(namespace_uid="n", objects=(), pods={"a": 1, "b": 0}),
    Intent(namespace_uid="n", objects=(), pods={"a": 0}),
)


async def promotion(w: World, release: str, token: int, *, phase: Phase, of: str | None = None) -> Promotion:
    made = Promotion(
        id=f"P{'AB'[token] * 10}",
        app="myapp",
        release=release,
        phase=phase,
        requested_by=ALICE,
        requested_at=w.clock.now() + timedelta(seconds=token),
        token=token,
        baseline_of=of,
    )
    async with w.store.transaction() as tx:
        await tx.add_promotion(made)
        await tx.save_intent(made.id, OLD if of is None else NEW)
    return made


@pytest.mark.parametrize("verified", [True, False])
async def test_only_pods_of_a_release_that_was_verified_are_known_to_be_good(w: World, verified: bool):
    release = (await w.build()).release.id
    p = await promotion(w, release, 0, phase=Phase.UPDATING)
    async with w.store.transaction() as tx:
        at = w.clock.now() if verified else None
        await tx.save_release_status(ReleaseStatus(release=release, verified_at=at))
    assert await earlier_pods_of(w.store.read, p, release, OLD) == ({"a": 0} if verified else {})


async def test_what_a_promotion_that_was_taken_over_had_made_is_not_among_them(w: World):
    release = (await w.build()).release.id
    async with w.store.transaction() as tx:
        await tx.save_release_status(ReleaseStatus(release=release, verified_at=w.clock.now()))
    first = await promotion(w, release, 0, phase=Phase.SUPERSEDED)
    second = await promotion(w, release, 1, phase=Phase.UPDATING, of=first.id)
    assert await earlier_pods_of(w.store.read, second, release, NEW) == {"a": 1}


async def test_going_back_to_pods_that_never_left_is_quick(w: World, monkeypatch):
    """The good release was verified; its pods need no second window, those that a surge had taken away do."""
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves |= {bad: lambda _: broken(), good: lambda _: service()}
    look = w.cluster.read_baseline

    async def with_pods(app: str, refs) -> Intent:
        return replace(await look(app, refs), pods={"web-1": 0, "web-2": 0})

    monkeypatch.setattr(w.cluster, "read_baseline", with_pods)
    reverted = await w.promote(bad)
    assert reverted.phase is Phase.REVERTED
    lines = {line.text: line.at for _, line in await w.store.read.lines(reverted.id)}
    took = lines["Status: Rollback => Reverted"] - lines["Status: Error => Rollback"]
    assert took <= timedelta(seconds=1)
