"""Creating, replacing and deleting: names, preconditions, owners, namespaces, and a restart in the middle."""

import json

import pytest

from bot.clock import ScaledClock
from bot.playground.cluster import SimulatedCluster
from tests.playground.cluster.client import DEPLOYMENT, PODS, REPLICA_SETS, Client, deployment

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"


async def test_a_second_object_of_a_name_already_exists(kube: Client):
    await kube.request("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
    again = await kube.request("POST", CONFIGMAPS, {"metadata": {"name": "a"}})

    assert (again.code, again["reason"]) == (409, "AlreadyExists")
    assert again["message"] == 'configmaps "a" already exists'


@pytest.mark.parametrize("name", ["Upper", "-a", "a_b", "a" * 254])
async def test_a_name_that_is_no_dns_name_is_invalid(kube: Client, name: str):
    refused = await kube.request("POST", CONFIGMAPS, {"metadata": {"name": name}})

    assert (refused.code, refused["reason"]) == (422, "Invalid")
    assert refused["details"]["causes"][0]["field"] == "metadata.name"


async def test_a_delete_holds_uid_and_version_against_its_preconditions(kube: Client):
    made = await kube.request("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
    path = f"{CONFIGMAPS}/a"
    other = await kube.request("DELETE", path, {"preconditions": {"uid": "another"}})
    old = await kube.request("DELETE", path, {"preconditions": {"resourceVersion": "1"}})
    right = {key: made["metadata"][key] for key in ("uid", "resourceVersion")}
    gone = await kube.request("DELETE", path, {"preconditions": right})

    assert [other.code, old.code, gone.code] == [409, 409, 200]
    assert gone["status"] == "Success"
    assert (await kube.get(path)).code == 404


async def test_what_a_deleted_deployment_owns_goes_with_it(kube: Client):
    await kube.apply(deployment("v1", 2))
    await kube.complete()
    await kube.request("DELETE", DEPLOYMENT, {"propagationPolicy": "Background"})

    async def gone() -> bool:
        return not await kube.items(REPLICA_SETS) and not await kube.items(PODS)

    await kube.until(gone)


async def test_a_foreground_deletion_waits_for_the_dependents(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    answer = await kube.request("DELETE", DEPLOYMENT, {"propagationPolicy": "Foreground"})
    meanwhile = await kube.get(DEPLOYMENT)

    async def gone() -> bool:
        return (await kube.get(DEPLOYMENT)).code == 404

    await kube.until(gone)
    assert answer["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert "deletionTimestamp" in meanwhile["metadata"]
    assert await kube.items(PODS) == []


async def test_orphans_are_let_go(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.request("DELETE", DEPLOYMENT, {"propagationPolicy": "Orphan"})

    async def gone() -> bool:
        return (await kube.get(DEPLOYMENT)).code == 404

    await kube.until(gone)
    left = await kube.items(REPLICA_SETS)
    assert len(left) == 1
    assert "ownerReferences" not in left[0]["metadata"]


async def test_a_deleted_pod_is_marked_for_its_grace_period_and_replaced(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    pod = (await kube.items(PODS))[0]
    marked = await kube.request("DELETE", f"{PODS}/{pod['metadata']['name']}")

    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked["metadata"]["generation"] == 2
    await kube.quiet()
    await kube.complete()
    assert (await kube.items(PODS))[0]["metadata"]["uid"] != pod["metadata"]["uid"]


async def test_a_deleted_namespace_is_emptied_first(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.request("DELETE", "/api/v1/namespaces/shop")
    refused = await kube.request("POST", CONFIGMAPS, {"metadata": {"name": "late"}})

    async def gone() -> bool:
        return (await kube.get("/api/v1/namespaces/shop")).code == 404

    await kube.until(gone)
    assert refused.code == 403


async def test_a_missing_service_account_keeps_pods_from_being_made(kube: Client):
    body = deployment("v1", 1)
    body["spec"]["template"]["spec"]["serviceAccountName"] = "runner"
    await kube.apply(body)

    async def failing() -> str | None:
        conditions = (await kube.get(DEPLOYMENT))["status"].get("conditions", [])
        return next((each["message"] for each in conditions if each["type"] == "ReplicaFailure"), None)

    message = await kube.until(failing)
    assert message.endswith('error looking up service account shop/runner: serviceaccount "runner" not found')
    account = {"metadata": {"name": "runner"}}
    await kube.request("POST", "/api/v1/namespaces/shop/serviceaccounts", account)
    await kube.complete(400)


async def test_a_service_gets_an_address(kube: Client):
    body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}}
    made = await kube.request("POST", "/api/v1/namespaces/shop/services", body)

    assert made["spec"]["clusterIP"].startswith("10.96.")
    assert made["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]


async def test_a_lease_is_taken_by_one_of_two(kube: Client):
    path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    lease = {"metadata": {"name": "bot"}, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}
    made = await kube.request("POST", path, lease)
    made.pop("_text")
    one = await kube.request("PUT", f"{path}/bot", {**made, "spec": {"holderIdentity": "b"}})
    two = await kube.request("PUT", f"{path}/bot", {**made, "spec": {"holderIdentity": "c"}})

    assert [made.code, one.code, two.code] == [201, 200, 409]
    assert (await kube.get(f"{path}/bot"))["spec"]["holderIdentity"] == "b"


async def test_a_restarted_cluster_goes_on_from_its_snapshot(kube: Client, cluster: SimulatedCluster):
    await kube.apply(deployment("v1", 2))
    await kube.complete()
    await kube.apply(deployment("crash", 2))

    async def looping() -> bool:
        states = [
            entry["state"].get("waiting", {}).get("reason")
            for pod in await kube.items(PODS)
            for entry in pod["status"].get("containerStatuses", [])
        ]
        return "CrashLoopBackOff" in states

    await kube.until(looping)
    saved = json.loads(json.dumps(cluster.snapshot()))
    later = ScaledClock(20, start=kube.clock.now())
    second = SimulatedCluster(later)
    second.restore(saved)
    async with second, await Client.connect(second, later) as client:
        pods = await client.items(PODS)
        restarts = max(entry["restartCount"] for pod in pods for entry in pod["status"]["containerStatuses"])

        async def crashed_again() -> bool:
            return any(
                entry["restartCount"] > restarts
                for pod in await client.items(PODS)
                for entry in pod["status"].get("containerStatuses", [])
            )

        await client.until(crashed_again)
        await client.apply(deployment("v1", 2))
        done = await client.complete()

    assert len(pods) == 3
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
