"""What must not run twice: it is taken down last, and what it takes to come up again is waited for (engine rule 29)."""

import asyncio
from dataclasses import replace

import pytest

from core import failpoints
from core.lifecycle.outcome import ending
from core.promotion import Phase
from tests.core.world import ALICE, World, manifest, until
from tests.fakes import broken, progressing, service

DB = """\
  db:
    image: registry.example/db@sha256:{digest}
    singleton: true
    scale: 1
""".format(digest="1" * 64)
BOTH = manifest() + DB


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def applied(w: World) -> list[str]:
    return [r.split(" R")[0] for r in w.cluster.requests if r.startswith("apply Deployment")]


async def test_it_is_applied_once_everything_else_is_verified(w: World):
    release = (await w.build(text=BOTH)).release.id
    asked = await w.ask(release)
    await until(w, asked.promotion.id, Phase.UPDATING)
    assert applied(w) == ["apply Deployment/web"]
    promotion = await w.end(asked.promotion.id)
    assert str(ending(promotion)) == "OK"
    assert applied(w) == ["apply Deployment/web", "apply Deployment/db"]
    assert promotion.progress.services == {"web": (2, 2), "db": (2, 2)}


async def test_where_the_rest_is_bad_it_is_never_taken_down(w: World):
    good = await w.good(text=BOTH)
    bad = (await w.build(text=BOTH)).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert promotion.back_to == good
    assert f"apply Deployment/db {bad}" not in w.cluster.requests


async def test_where_it_is_bad_itself_everything_goes_back(w: World):
    good = await w.good(text=BOTH)
    bad = (await w.build(text=BOTH)).release.id
    down = [False]

    def behave(_: float):
        down[0] = down[0] or f"apply Deployment/db {bad}" in w.cluster.requests
        return broken() if down[0] else service()

    w.cluster.behaves[bad] = behave
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)


async def test_its_patience_begins_when_it_is_taken_down(w: World):
    """The others may have taken nearly all of theirs by then."""
    await w.good(text=BOTH)
    release = (await w.build(text=BOTH)).release.id
    begun: list[float] = []

    def behave(_: float):
        now = w.clock.monotonic()
        if f"apply Deployment/db {release}" not in w.cluster.requests:
            return service() if now - began > 500 else progressing(ready=0)
        begun.append(now)
        return service() if now - begun[0] > 500 else progressing(ready=0)

    w.cluster.behaves[release] = behave
    began = w.clock.monotonic()
    assert (await w.promote(release)).phase is Phase.RUNNING


@pytest.mark.parametrize(
    "place", ["step.after_sent", "step.after_effect", "step.after_done", "verified.after_commit"]
)
async def test_whoever_dies_while_it_is_taken_down_goes_on(w: World, place: str):
    release = (await w.build(text=BOTH)).release.id
    asked = await w.ask(release)
    await until(w, asked.promotion.id, Phase.UPDATING)
    left = [1 if place.startswith("verified") else 2]

    def passes(passed: str) -> None:
        left[0] -= passed == place
        if not left[0]:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(passes)
    await w.idle()
    assert await w.supervisor.resume() == 1
    assert (await w.end(asked.promotion.id)).phase is Phase.RUNNING
    assert applied(w).count("apply Deployment/web") == 1


@pytest.mark.world(policy='apps:\n  - match: ["*"]\n    approvals:\n      promote: {count: 1}\n')
async def test_who_is_asked_to_approve_is_told_what_is_down_and_for_how_long(w: World):
    first = await w.ask((await w.build(text=BOTH)).release.id, actor=ALICE)
    assert first.promotion.cautions == (), "nothing runs yet that could be down"
    app = await w.store.read.app("myapp")
    async with w.store.transaction() as tx:
        await tx.save_app(replace(app, active_release=first.promotion.release))
    second = await w.ask((await w.build(text=BOTH)).release.id, actor=ALICE)
    said = ("db is down from when the rest is verified until its new process is ready",)
    assert second.promotion.cautions == said
    assert (await w.store.read.promotion(second.promotion.id)).cautions == said
