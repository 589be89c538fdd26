"""What is applied once everything before it is verified, and reverted first on the way back (engine rule 25)."""

import asyncio

import pytest

from core import failpoints
from core.errors import FieldConflict, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from tests.core.world import BOB, World, by, manifest, until
from tests.fakes import broken, progressing, service

WEB, ROUTE = Ref("Deployment", "web"), Ref("Service", "web")
WITHOUT = manifest().replace("    port: 3000\n", "")


@pytest.fixture(autouse=True)
def followed(w: World):
    """Let Services be what follows; whatever kind it is, the rollout does the same with it."""
    w.cluster.after_verdict = frozenset({"Service"})
    yield
    failpoints.arm(None)


def said(promotion: Promotion) -> str:
    return str(ending(promotion))


def asked(w: World) -> list[str]:
    """Return what was asked for in order, by action and object; what only looks is left out."""
    shown = (r.split(" R")[0] for r in w.cluster.requests)
    return [
        r
        for r in shown
        if r.startswith(("apply", "remove", "scale")) and "Secret" not in r and "Budget" not in r
    ]


async def test_it_is_applied_once_the_rest_is_verified(w: World):
    release = (await w.build()).release.id
    first = await w.ask(release)
    await until(w, first.promotion.id, Phase.UPDATING)
    assert ROUTE not in w.cluster.live
    promotion = await w.end(first.promotion.id)
    assert said(promotion) == "OK"
    assert asked(w) == ["apply Deployment/web", "scale web 2", "apply Service/web"]
    assert w.cluster.live[ROUTE] == release


async def test_a_release_that_is_not_verified_never_comes_so_far(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.requests.clear()
    assert said(await w.promote(bad)).startswith(f"ERROR: rolled back to {good}")
    assert f"apply Service/web {bad}" not in w.cluster.requests
    # It was never changed, so it is not the first thing to be put back.
    assert sorted(asked(w)[-2:]) == ["apply Deployment/web", "apply Service/web"]


@pytest.mark.parametrize(
    ("error", "held"), [(Rejected("quota says no"), True), (FieldConflict("kubectl owns .spec.ports"), False)]
)
async def test_a_refusal_goes_back_and_reverts_it_first(w: World, error: Rejected, held: bool):
    good = await w.good()
    bad = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == f"apply Service/web {bad}":
            raise error

    w.cluster.refuse = refuse
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert said(promotion) == f"ERROR: rolled back to {good}: {error}"
    assert bool((await w.store.read.release_status(bad)).held) is held
    assert asked(w) == ["apply Deployment/web", "apply Service/web", "apply Deployment/web"]


async def test_what_the_release_before_does_not_have_is_removed_before_anything_is_applied(w: World):
    good = await w.good(text=WITHOUT)
    bad = (await w.build()).release.id
    verified = [0]

    def behave(passed: float):
        # Good until what follows is there: it breaks under what that sends to it.
        verified[0] += ROUTE in w.cluster.live
        return broken() if verified[0] else progressing(ready=0) if passed < 2 else service()

    w.cluster.behaves[bad] = behave
    w.cluster.requests.clear()
    promotion = await w.promote(bad)
    assert promotion.back_to == good
    assert promotion.phase is Phase.REVERTED
    assert asked(w) == [
        "apply Deployment/web",
        "apply Service/web",
        "remove Service/web",
        "apply Deployment/web",
    ]
    assert ROUTE not in w.cluster.live


async def test_a_cluster_that_does_not_answer_is_waited_for_and_then_given_up(w: World):
    good = await w.good()
    bad = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == f"apply Service/web {bad}":
            raise Unreachable("connection refused")

    w.cluster.refuse = refuse
    began = w.clock.monotonic()
    promotion = await w.promote(bad)
    late = "not every object was applied within 300 s: connection refused"
    assert said(promotion) == f"ERROR: rolled back to {good}: {late}"
    assert not (await w.store.read.release_status(bad)).held
    assert 300 <= w.clock.monotonic() - began < 400


async def test_what_is_gone_at_the_end_is_no_ok(w: World):
    """Engine rule 47 holds for what follows too, once it was applied."""
    good = await w.good()
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == f"apply Service/web {release}":
            asyncio.get_running_loop().call_soon(lambda: w.cluster.live.pop(ROUTE, None))

    w.cluster.refuse = refuse
    promotion = await w.promote(release)
    assert said(promotion) == f"ERROR: rolled back to {good}: Service/web was deleted by somebody"


async def test_a_cancel_in_the_middle_of_it_goes_back(w: World):
    good = await w.good()
    release = (await w.build()).release.id
    asked_for = await w.ask(release)

    def refuse(request: str) -> None:
        if request == f"apply Service/web {release}":
            raise Unreachable("connection refused")

    w.cluster.refuse = refuse
    while "connection refused" not in (await w.store.read.promotion(asked_for.promotion.id)).progress.waiting:
        await w.clock.sleep(0)
    await w.decider.cancel_app(by(BOB), "myapp")
    promotion = await w.end(asked_for.promotion.id)
    assert said(promotion) == f"ERROR: cancelled by @u02bob, rolled back to {good}"


async def test_the_card_says_what_follows(w: World):
    await w.good()
    release = (await w.build()).release.id
    asked_for = await w.ask(release)
    seen: list[str] = []

    async def look() -> None:
        while not (promotion := await w.store.read.promotion(asked_for.promotion.id)).settled:
            seen.append(promotion.progress.waiting)
            await asyncio.sleep(0)

    await asyncio.gather(look(), w.idle())
    assert "verified so far; Service/web follows" in seen


async def test_a_take_over_that_fails_reverts_what_the_one_before_has_applied(w: World):
    good = await w.good(text=WITHOUT)
    slow = (await w.build()).release.id
    first = await w.ask(slow)
    w.cluster.behaves[slow] = lambda _: service() if ROUTE not in w.cluster.live else progressing(ready=1)
    while ROUTE not in w.cluster.live:
        await w.clock.sleep(0)
    bad = (await w.build(text=WITHOUT)).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    second = await w.ask(bad, actor=BOB, force=True)
    promotion = await w.end(second.promotion.id)
    assert (promotion.phase, promotion.back_to) == (Phase.REVERTED, good)
    assert (await w.store.read.promotion(first.promotion.id)).phase is Phase.SUPERSEDED
    assert ROUTE not in w.cluster.live


def die_at(name: str, passage: int) -> None:
    left = [passage]

    def passes(passed: str) -> None:
        left[0] -= passed == name
        if not left[0]:
            failpoints.arm(None)
            raise asyncio.CancelledError

    failpoints.arm(passes)


@pytest.mark.parametrize("place", ["step.after_sent", "step.after_effect", "step.after_done"])
async def test_whoever_dies_in_the_middle_of_it_goes_on_and_repeats_nothing_that_was_done(
    w: World, place: str
):
    release = (await w.build(text=manifest() + TWO)).release.id
    asked_for = await w.ask(release)
    await until(w, asked_for.promotion.id, Phase.UPDATING)
    # The anchor is claimed again, then comes the first Service; what became of them all is written together.
    die_at(place, 1 if place == "step.after_done" else 2)
    await w.idle()
    before = [r for r in asked(w) if "Service" in r]
    assert await w.supervisor.resume() == 1
    assert said(await w.end(asked_for.promotion.id)) == "OK"
    services = [r for r in asked(w) if "Service" in r]
    again = ["apply Service/other"] if place == "step.after_effect" else []
    assert services == ["apply Service/other", *again, "apply Service/web"], before


TWO = """\
  other:
    image: registry.example/other@sha256:{digest}
    port: 4000
    scale: 1
""".format(digest="1" * 64)
