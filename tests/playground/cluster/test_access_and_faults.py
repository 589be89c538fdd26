"""Tokens, refusals, reviews, and the faults a test can order."""

import aiohttp
import pytest

from bot.clock import ScaledClock
from bot.playground.cluster import Fault, Identity, SimulatedCluster
from tests.playground.cluster.client import DEPLOYMENT, Client, deployment

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def review(verb: str, resource: str, namespace: str = "shop") -> dict:
    return {"spec": {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": namespace}}}


async def test_an_unknown_token_is_unauthorized(cluster: SimulatedCluster, clock: ScaledClock):
    async with await Client.connect(cluster, clock, "stranger") as client:
        answer = await client.get(CONFIGMAPS)

    assert (answer.code, answer["reason"]) == (401, "Unauthorized")


async def test_a_denied_verb_is_refused_in_the_words_of_rbac(kube: Client, cluster: SimulatedCluster):
    cluster.access.deny = lambda verb, resource, _: (verb, resource) == ("patch", "deployments")
    refused = await kube.apply(deployment("v1"))

    assert (refused.code, refused["reason"]) == (403, "Forbidden")
    assert refused["message"] == (
        'deployments.apps "web" is forbidden: User "convox-bot" cannot patch resource "deployments" '
        'in API group "apps" in the namespace "shop"'
    )


async def test_admin_is_not_bound_by_the_deny_hook(
    kube: Client, cluster: SimulatedCluster, clock: ScaledClock
):
    cluster.access.deny = lambda *_: True
    async with await Client.connect(cluster, clock, "admin") as admin:
        assert (await admin.get(CONFIGMAPS)).code == 200
    assert (await kube.get(CONFIGMAPS)).code == 403


async def test_a_token_can_be_given_its_own_rules(cluster: SimulatedCluster, clock: ScaledClock):
    cluster.grant("reader", Identity(user="reader", allow=lambda verb, *_: verb in {"get", "list", "watch"}))
    async with await Client.connect(cluster, clock, "reader") as reader:
        assert (await reader.get("/api/v1/namespaces")).code == 200
        assert (await reader.request("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}})).code == 403


async def test_a_review_tells_what_the_asking_token_may_do(kube: Client, cluster: SimulatedCluster):
    cluster.access.deny = lambda _verb, resource, _ns: resource == "secrets"
    yes = await kube.request("POST", REVIEW, review("patch", "deployments"))
    no = await kube.request("POST", REVIEW, review("get", "secrets"))

    assert (yes["status"]["allowed"], no["status"]["allowed"]) == (True, False)


async def test_an_ordered_failure_hits_the_next_requests_that_fit_and_no_others(
    kube: Client, cluster: SimulatedCluster
):
    cluster.faults.order(
        Fault(matches=lambda verb, _: verb == "patch", times=2, status=429, headers={"Retry-After": "3"})
    )
    read = await kube.get(CONFIGMAPS)
    codes = [(await kube.apply(deployment("v1"))).code for _ in range(3)]

    assert read.code == 200
    assert codes == [429, 429, 201]


async def test_a_failure_after_the_effect_leaves_the_effect(kube: Client, cluster: SimulatedCluster):
    cluster.faults.order(Fault(matches=lambda verb, _: verb == "patch", status=504, after_effect=True))
    answer = await kube.apply(deployment("v1"))

    assert answer.code == 504
    assert (await kube.get(DEPLOYMENT)).code == 200


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_cut_connection_leaves_the_outcome_unknown(
    kube: Client, cluster: SimulatedCluster, *, after_effect: bool
):
    cluster.faults.order(Fault(matches=lambda verb, _: verb == "patch", status=0, after_effect=after_effect))
    with pytest.raises(aiohttp.ClientError):
        await kube.apply(deployment("v1"))

    assert (await kube.get(DEPLOYMENT)).code == (200 if after_effect else 404)


async def test_a_delay_is_in_seconds_of_the_clusters_clock(
    kube: Client, cluster: SimulatedCluster, clock: ScaledClock
):
    cluster.faults.order(Fault(matches=lambda verb, _: verb == "list", delay=8.0))
    began = clock.monotonic()
    answer = await kube.get(CONFIGMAPS)

    assert answer.code == 200
    assert clock.monotonic() - began >= 8.0


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/apis/nowhere.io/v1/things", 404),
        ("GET", "/api/v1/namespaces/shop/deployments", 404),
        ("GET", f"{DEPLOYMENT}/nonsense", 404),
        ("GET", "/version", 200),
        ("GET", "/api", 200),
        ("GET", "/apis", 200),
        ("GET", "/apis/apps/v1", 200),
    ],
)
async def test_paths_are_known_or_404(kube: Client, method: str, path: str, code: int):
    assert (await kube.request(method, path)).code == code


async def test_a_body_that_is_no_json_is_a_bad_request(kube: Client):
    answer = await kube.request("POST", CONFIGMAPS, ["not an object"])

    assert (answer.code, answer["reason"]) == (400, "BadRequest")
