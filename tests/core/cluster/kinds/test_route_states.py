"""How what leads from outside stands: picked up by somebody, refused, or waiting for somebody who may not be there."""

from typing import Any

import pytest

from bot.playground.cluster.controllers.addresses import BALANCER_ADDRESS
from core.cluster.kinds.http_route import route as http_route
from core.cluster.kinds.ingress import route as ingress_route
from core.cluster.kinds.service import route as service_route
from core.errors import Denied, Rejected, Unreachable
from core.records.bundle import Ref
from core.records.router import Router
from tests.core.cluster.live import claim, live
from tests.core.cluster.rendering.samples import bundle, one

NGINX = Router(kind="ingress", name="nginx", domain="apps.example.com", issuer="letsencrypt")
GATEWAY = Router(kind="gateway", name="main", namespace="gateways", domain="apps.example.com")
TEXT = """
balancers:
  edge: {service: web, ports: {80: 3000, 443: 3000}}
services:
  web: {image: registry.example/web:1, port: 3000, domain: www.example.com}
"""
NOBODY: dict[str, Any] = {"metadata": {}}


def said(*conditions: dict[str, Any], name: str = "main", generation: int = 1) -> dict[str, Any]:
    parents = [{"parentRef": {"namespace": "gateways", "name": name}, "conditions": list(conditions)}]
    return {"metadata": {"generation": generation}, "status": {"parents": parents}}


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "observedGeneration": 1, **more}


def test_an_ingress_is_picked_up_once_it_has_an_address():
    wanted = one(bundle(TEXT, router=NGINX), "Ingress")
    waiting = ingress_route(wanted, NOBODY)
    taken = ingress_route(
        wanted, {"metadata": {}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    )

    assert str(waiting) == (
        "no controller has picked up Ingress/web yet: is there one of ingress class nginx?"
    )
    assert taken.sentence == ""
    assert str(taken) == "web: https://web.myapp.apps.example.com, https://www.example.com"


def test_an_address_without_a_certificate_is_http():
    plain = Router(kind="ingress", name="nginx", domain="apps.example.com")
    wanted = one(bundle(TEXT, router=plain), "Ingress")
    assert ingress_route(wanted, NOBODY).addresses[0] == "http://web.myapp.apps.example.com"


@pytest.mark.parametrize(
    ("live", "sentence"),
    [
        (NOBODY, "no controller has picked up HTTPRoute/web yet: is there a Gateway gateways/main, and may this namespace use it?"),
        (said(condition("Accepted"), name="another"), "no controller has picked up HTTPRoute/web"),
        (said(condition("Accepted"), generation=2), "no controller has picked up HTTPRoute/web"),
        (said(condition("Accepted"), condition("ResolvedRefs")), ""),
        (
            said(condition("Accepted", "False", reason="NotAllowedByListeners", message="no listener admits it")),
            "Gateway gateways/main does not take HTTPRoute/web: no listener admits it",
        ),
        (
            said(condition("Accepted"), condition("ResolvedRefs", "False", reason="BackendNotFound")),
            "Gateway gateways/main does not take HTTPRoute/web: BackendNotFound",
        ),
        (said(condition("Accepted", "False")), "Gateway gateways/main does not take HTTPRoute/web: it does not say why"),
    ],
)  # fmt: skip
def test_a_gateway_says_of_each_route_whether_it_takes_it(live: dict[str, Any], sentence: str):
    found = http_route(one(bundle(TEXT, router=GATEWAY), "HTTPRoute"), live)

    assert found.addresses == ("web.myapp.apps.example.com", "www.example.com")
    assert found.sentence.startswith(sentence) if sentence else not found.sentence


def test_a_load_balancer_is_told_by_address_and_port():
    found = bundle(TEXT)
    edge = one(found, "Service", "balancer-edge")
    live = {
        "metadata": {},
        "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example", "ip": "192.0.2.1"}]}},
    }

    assert service_route(one(found, "Service", "web"), NOBODY) is None
    assert str(service_route(edge, NOBODY)) == (
        "no load balancer has been made for Service/balancer-edge: does this cluster make any?"
    )
    assert str(service_route(edge, live)) == "balancer-edge: lb.example:80, lb.example:443"


@pytest.mark.parametrize(
    ("router", "extensions", "web"),
    [
        (NGINX, (), "web: https://web.myapp.apps.example.com, https://www.example.com"),
        (GATEWAY, ("gateway.networking.k8s.io",), "web: web.myapp.apps.example.com, www.example.com"),
    ],
)
async def test_what_is_applied_is_picked_up_after_a_while(
    router: Router, extensions: tuple[str, ...], web: str
):
    async with live(router=router, extensions=extensions) as on:
        await on.cluster.claim_anchor(on.app(), claim("i", 1))
        made = on.bundle(manifest=TEXT)
        # What the cluster chooses, as a load balancer's, nobody knows before.
        assert f"web: {', '.join(on.cluster.addresses(made))}" == web
        await on.cluster.preflight("myapp", made, token=1, force=False)
        on.simulated.freeze_controllers()
        await on.apply(made)
        assert all(state.sentence for state in await on.cluster.read_routes("myapp", made))
        on.simulated.thaw_controllers()

        states = await on.cluster.read_routes("myapp", made)
        while any(state.sentence for state in states):
            await on.clock.sleep(0.5)
            states = await on.cluster.read_routes("myapp", made)
        assert [str(state) for state in states] == [
            f"balancer-edge: {BALANCER_ADDRESS}:80, {BALANCER_ADDRESS}:443",
            web,
        ]


async def test_the_class_of_somebody_else_is_picked_up_by_nobody():
    absent = Router(kind="ingress", name="absent", domain="apps.example.com")
    async with live(router=absent) as on:
        await on.cluster.claim_anchor(on.app(), claim("i", 1))
        made = on.bundle(manifest=TEXT)
        await on.apply(made)
        await on.clock.sleep(5)
        (_, web) = await on.cluster.read_routes("myapp", made)
        assert (
            web.sentence
            == "no controller has picked up Ingress/web yet: is there one of ingress class absent?"
        )


async def test_a_cluster_without_the_gateway_api_is_told_by_name_before_anything_is_touched():
    async with live(router=GATEWAY) as on:
        await on.cluster.claim_anchor(on.app(), claim("i", 1))
        made = on.bundle(manifest=TEXT)
        with pytest.raises(Denied) as refused:
            await on.cluster.preflight("myapp", made, token=1, force=False)
        assert str(refused.value) == (
            "this cluster has no HTTPRoute (gateway.networking.k8s.io/v1): install the Gateway API,"
            " or let CONVOX_ROUTER name an ingress class"
        )


async def test_what_a_cluster_has_no_kind_for_is_not_there():
    """An app that had routes while the cluster had the Gateway API can still be promoted, and pruned."""
    ref = Ref("HTTPRoute", "web")
    async with live() as on:
        intent = await on.cluster.read_baseline("myapp", [ref])
        assert [each.existed for each in intent.objects] == [False]
        await on.cluster.delete("myapp", ref, uid="", token=1)


async def test_a_server_that_has_just_started_is_not_believed():
    async with live() as on:
        on.simulated.faults.starting = True
        with pytest.raises((Rejected, Unreachable)):
            await on.cluster.read_baseline("myapp", [Ref("HTTPRoute", "web")])
