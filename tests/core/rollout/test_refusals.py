"""A refusal is the cluster's word only once it is repeated by a server that is ready: one that starts refuses everybody."""

from collections.abc import Callable

import pytest

from core.errors import Denied, Rejected, Unauthenticated, Unreachable
from core.lifecycle.outcome import ending
from core.promotion import Phase, Promotion
from tests.core.world import World, manifest
from tests.fakes import broken

FORBIDDEN = Denied("the bot may not patch deployments in namespace convox-myapp")


def said(promotion: Promotion) -> str:
    return str(ending(promotion))


def refusing(w: World, wanted: Callable[[str], bool], error: Exception, *, seconds: float) -> list[str]:
    """Refuse what is wanted until so many seconds after the first refusal; return what was refused."""
    refused: list[str] = []
    until: list[float] = []

    def refuse(request: str) -> None:
        if not wanted(request):
            return
        until[:] = until or [w.clock.monotonic() + seconds]
        if w.clock.monotonic() < until[0]:
            refused.append(request)
            raise error

    w.cluster.refuse = refuse
    return refused


@pytest.mark.parametrize("request_", ["look", "check anchor", "preflight", "watch"])
@pytest.mark.parametrize("error", [FORBIDDEN, Unauthenticated("the cluster cannot get Namespace now (401)")])
async def test_a_start_survives_an_api_server_that_starts(w: World, request_: str, error: Exception):
    refused = refusing(w, lambda r: r.startswith(request_), error, seconds=1.0)
    promotion = await w.promote((await w.build()).release.id)
    assert (promotion.phase, bool(refused)) == (Phase.RUNNING, True)


@pytest.mark.parametrize("request_", ["claim anchor", "apply Secret", "apply Deployment", "scale"])
async def test_applying_survives_an_api_server_that_starts(w: World, request_: str):
    refused = refusing(w, lambda r: r.startswith(request_), FORBIDDEN, seconds=4.0)
    promotion = await w.promote((await w.build()).release.id)
    assert (promotion.phase, bool(refused)) == (Phase.RUNNING, True)


async def test_going_back_survives_an_api_server_that_starts(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    refused = refusing(w, lambda r: r.endswith("forced"), FORBIDDEN, seconds=4.0)
    promotion = await w.promote(bad)
    assert (promotion.phase, promotion.back_to, bool(refused)) == (Phase.REVERTED, good, True)


@pytest.mark.parametrize(
    "error", [FORBIDDEN, Rejected("Service/web: Invalid value"), Rejected("it is immutable")]
)
async def test_after_the_first_touch_nothing_ends_by_a_single_refusal(w: World, error: Exception):
    await w.good()
    refused = refusing(w, lambda r: r.startswith("apply Deployment"), error, seconds=0.1)
    assert (await w.promote((await w.build()).release.id)).phase is Phase.RUNNING
    assert len(refused) == 1


async def test_a_refusal_that_is_repeated_for_five_seconds_is_the_clusters_word(w: World):
    good = await w.good()
    began: list[float] = []

    def refuse(request: str) -> None:
        if request.startswith("apply Deployment") and "forced" not in request:
            began.append(w.clock.monotonic())
            raise FORBIDDEN

    w.cluster.refuse = refuse
    promotion = await w.promote((await w.build()).release.id)
    assert said(promotion) == f"ERROR: rolled back to {good}: {FORBIDDEN}"
    assert began[-1] - began[0] == 5.0


async def test_before_the_first_touch_nobody_waits_longer_than_that(w: World):
    release = (await w.build()).release.id
    refusing(w, lambda r: r == "look", FORBIDDEN, seconds=1000)
    promotion = await w.promote(release)
    assert said(promotion) == f"ERROR: refused, nothing was changed: {FORBIDDEN}"
    assert w.clock.monotonic() == 5.0


async def test_credentials_that_nobody_takes_are_no_reason_to_wait_for_five_minutes_either(w: World):
    release = (await w.build()).release.id
    refusing(w, lambda r: r == "look", Unauthenticated("Unauthorized (401)"), seconds=1000)
    promotion = await w.promote(release)
    assert said(promotion) == "ERROR: refused, nothing was changed: Unauthorized (401)"
    assert w.clock.monotonic() == 5.0


async def test_what_no_starting_server_says_is_believed_at_once_before_anything_is_touched(w: World):
    release = (await w.build()).release.id
    refusing(w, lambda r: r.startswith("preflight"), Rejected("another tool owns .spec"), seconds=1000)
    assert (await w.promote(release)).phase is Phase.REFUSED
    assert w.clock.monotonic() == 0.0


async def test_a_server_that_says_that_it_is_not_ready_has_no_say(w: World):
    release = (await w.build()).release.id
    w.cluster.serves = False
    refused = refusing(w, lambda r: r.startswith("apply"), FORBIDDEN, seconds=60)
    assert (await w.promote(release)).phase is Phase.RUNNING
    assert len(refused) > 5


async def test_where_it_may_not_be_asked_whether_it_is_ready_the_repetition_counts(w: World):
    release = (await w.build()).release.id
    w.cluster.serves = None
    refusing(w, lambda r: r == "look", FORBIDDEN, seconds=1000)
    assert (await w.promote(release)).phase is Phase.REFUSED
    assert w.clock.monotonic() == 5.0


async def test_silence_between_two_refusals_begins_the_five_seconds_anew(w: World):
    release = (await w.build()).release.id
    tries: list[float] = []

    def refuse(request: str) -> None:
        if request == "look":
            tries.append(w.clock.monotonic())
            raise Unreachable("no route") if len(tries) == 3 else FORBIDDEN

    w.cluster.refuse = refuse
    assert (await w.promote(release)).phase is Phase.REFUSED
    assert tries[-1] - tries[3] == 5.0


async def test_what_is_refused_is_said_while_it_is_asked_again(w: World):
    asked = await w.ask((await w.build()).release.id)
    refusing(w, lambda r: r.startswith("apply Deployment"), FORBIDDEN, seconds=2)
    while not (p := await w.store.read.promotion(asked.promotion.id)).progress.waiting:
        assert not p.settled
        await w.clock.sleep(0)
    assert p.progress.waiting == f"the cluster refuses, and is asked again: {FORBIDDEN}"
    await w.end(p.id)


async def test_a_start_needs_the_right_to_watch_what_it_will_watch(w: World):
    release = (await w.build()).release.id
    why = Denied("the bot may not watch pods in namespace convox-myapp")
    refusing(w, lambda r: r == "watch", why, seconds=1000)
    promotion = await w.promote(release)
    assert said(promotion) == f"ERROR: refused, nothing was changed: {why}"
    assert not [r for r in w.cluster.requests if r.startswith(("claim", "apply"))]


async def test_a_start_waits_for_its_first_look_for_as_long_as_pending_may_be(w: World):
    release = (await w.build()).release.id
    refusing(w, lambda r: r == "watch", Unreachable("no first look at pods in time"), seconds=1000)
    promotion = await w.promote(release)
    assert said(promotion) == (
        "ERROR: refused, nothing was changed: the cluster did not answer for 300 s: no first look at pods in time"
    )


async def test_pending_is_over_after_five_minutes_though_nothing_failed(w: World):
    """Engine rule 56: ten objects that take a minute each are late, whether or not one of them failed."""
    text = manifest() + "".join(
        f"  w{n}:\n    image: registry.example/w@sha256:{'0' * 64}\n" for n in range(5)
    )
    good = await w.good()

    def slow(request: str) -> None:
        if request.startswith("apply") and "forced" not in request:
            w.clock.jump(60)

    w.cluster.refuse = slow
    promotion = await w.promote((await w.build(text=text)).release.id)
    assert said(promotion) == (f"ERROR: rolled back to {good}: not every object was applied within 300 s")


async def test_a_start_that_was_slept_through_is_no_start_any_more(w: World):
    await w.supervisor.stop()
    asked = await w.ask((await w.build()).release.id)
    w.clock.jump(3600)
    w.supervisor._stopping = False
    await w.supervisor.resume()
    promotion = await w.end(asked.promotion.id)
    assert said(promotion) == "ERROR: refused, nothing was changed: it did not begin within 300 s"
