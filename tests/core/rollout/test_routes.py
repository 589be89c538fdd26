"""What leads from outside to a release: told once it is live, waited for only where the policy asks, and never a reason for a hold."""

import pytest

from core.promotion import Phase
from core.records.bundle import Ref
from core.records.route_state import RouteState
from tests.core.world import World

WEB = Ref("Ingress", "web")
FOUND = RouteState(ref=WEB, addresses=("http://web.example",))
WAITING = RouteState(ref=WEB, addresses=("http://web.example",), sentence="nobody has picked up Ingress/web")
ROUTES = "apps:\n  - match: ['*']\n    routes: true\n    deadline: 30s\n"


async def test_a_live_release_tells_by_which_addresses_it_is_reached(w: World):
    w.cluster.routes = (FOUND,)
    ended = await w.promote((await w.build()).release.id)

    assert ended.phase is Phase.RUNNING
    assert (ended.progress.routes, ended.progress.unrouted) == (("web: http://web.example",), ())


async def test_nobody_waits_for_a_route_unless_the_policy_says_so(w: World):
    w.cluster.routes = (WAITING,)
    ended = await w.promote((await w.build()).release.id)

    assert ended.phase is Phase.RUNNING
    assert ended.progress.unrouted == ("nobody has picked up Ingress/web",)


@pytest.mark.world(policy=ROUTES)
async def test_with_the_policy_a_release_that_nobody_outside_reaches_goes_back_and_is_not_on_hold(w: World):
    w.cluster.routes = (FOUND,)
    good = await w.good()
    w.cluster.routes = (WAITING,)
    ended = await w.promote((await w.build()).release.id)

    assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)
    assert str(ended.cause) == "nobody reaches it from outside after 30 s: nobody has picked up Ingress/web"
    assert (await w.store.read.release_status(ended.release)).held is None


async def test_a_route_that_is_picked_up_after_the_verdict_is_told_then(w: World):
    looks = iter([(WAITING,), (WAITING,)])
    w.cluster.look_at_routes = lambda: next(looks, (FOUND,))
    ended = await w.promote((await w.build()).release.id)

    assert (ended.progress.routes, ended.progress.unrouted) == (("web: http://web.example",), ())
