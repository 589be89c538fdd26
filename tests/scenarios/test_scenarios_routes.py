"""What leads from outside to a release: applied once it is verified, told on its card, and taken back with it, on both clusters."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import APP, WEB
from tests.scenarios.harness import Stage

Open = Callable[..., AbstractAsyncContextManager[Stage]]
# The simulated cluster has a controller of the class nginx; on the real one the test is it. Nobody has the other.
NGINX = {"CONVOX_ROUTER": "ingress:nginx", "CONVOX_DOMAIN": "apps.example.com"}
NOBODYS = {"CONVOX_ROUTER": "ingress:nobodys", "CONVOX_DOMAIN": "apps.example.com"}
INSIDE = WEB + "    internal: true\n"
ADDRESS = "192.0.2.10"


async def pick_up(stage: Stage) -> None:
    """Be the ingress controller: write down an address once there is an Ingress."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{stage.namespace()}/ingresses"

    async def there() -> bool:
        return bool((await stage.cluster.admin.call("GET", path))["items"])

    await stage.until(there)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}}
    await stage.cluster.admin.call("PATCH", f"{path}/web/status", status, content=MERGE)


async def test_a_release_that_is_live_says_where_it_is_reached(open_stage: Open):
    async with open_stage(more=NGINX) as stage:
        await stage.create_app()
        promotion = await stage.promote(await stage.build(web="v1"))
        await pick_up(stage)
        assert (await stage.ended(promotion)).phase == "Running"

        async def told() -> bool:
            return "web: http://web.myapp.apps.example.com" in (await stage.card(promotion)).text

        await stage.until(told)
        assert "no controller" not in (await stage.card(promotion)).text


async def test_a_route_that_nobody_picks_up_is_told_and_no_reason_to_go_back(open_stage: Open):
    async with open_stage(more=NOBODYS) as stage:
        await stage.create_app()
        promotion = await stage.promoted(await stage.build(web="v1"))
        assert promotion.phase == "Running"

        async def told() -> bool:
            text = (await stage.card(promotion.id)).text
            return (
                "no controller has picked up Ingress/web yet: is there one of ingress class nobodys?" in text
            )

        await stage.until(told)


async def test_a_rollback_of_a_release_that_added_a_route_leaves_exactly_what_was_there_before(
    open_stage: Open,
):
    async with open_stage(more=NOBODYS) as stage:
        await stage.create_app()
        first = await stage.running(manifest=INSIDE, web="v1")
        before = await stage.everything()
        assert "Ingress/web" not in before

        stage.rule(routes="true", deadline="4s")
        promotion = await stage.promoted(await stage.build(web="v2"))

        assert (promotion.phase, promotion.back_to) == ("Reverted", first)
        assert "no controller has picked up Ingress/web" in str(promotion.cause)

        async def as_before() -> bool:
            return await stage.everything() == before

        await stage.until(as_before)
        await stage.runs(first)


async def test_with_the_policy_a_release_is_verified_once_its_route_is_picked_up(open_stage: Open):
    async with open_stage(more=NGINX) as stage:
        await stage.create_app()
        stage.rule(routes="true")
        promotion = await stage.promote(await stage.build(web="v1"))
        await pick_up(stage)
        ended = await stage.ended(promotion)

        assert ended.phase == "Running"
        assert "web: http://web.myapp.apps.example.com" in (await stage.card(promotion)).text


async def test_a_route_that_a_release_no_longer_has_is_removed_and_a_rollback_brings_it_back(
    open_stage: Open,
):
    async with open_stage(more=NGINX) as stage:
        await stage.create_app()
        published = await stage.running(web="v1")
        with_route = await stage.everything()
        assert "Ingress/web" in with_route

        inside = await stage.running(manifest=INSIDE, web="v2")

        async def gone() -> bool:
            return "Ingress/web" not in await stage.everything()

        await stage.until(gone)
        assert f"Rolling back to {published}... OK" in await stage.command(f"releases rollback {published}")
        back = await stage.ended((await stage.newest(APP)).id)
        assert back.phase == "Running"
        assert (await stage.everything())["Ingress/web"] == with_route["Ingress/web"]
        assert inside != published
