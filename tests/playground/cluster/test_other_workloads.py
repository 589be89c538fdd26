"""StatefulSets, DaemonSets and claims as their controllers make them, seen by a client."""

from typing import Any

from bot.playground.cluster import SimulatedCluster
from tests.playground.cluster.client import PODS, Client

SETS = "/apis/apps/v1/namespaces/shop/statefulsets"
AGENTS = "/apis/apps/v1/namespaces/shop/daemonsets"
CLAIMS = "/api/v1/namespaces/shop/persistentvolumeclaims"
REVISIONS = "/apis/apps/v1/namespaces/shop/controllerrevisions"
EVENTS = "/api/v1/namespaces/shop/events"


def template(image: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": f"registry.example/shop/db:{image}"}
    return {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container], **spec}}


def stateful_set(image: str, replicas: int = 1, **spec: Any) -> dict[str, Any]:
    wanted = {
        "replicas": replicas,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": template(image),
        **spec,
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": wanted}


def daemon_set(image: str, surge: int = 1, **pod: Any) -> dict[str, Any]:
    rolling = {"maxSurge": surge, "maxUnavailable": 1 - surge}
    spec = {
        "selector": {"matchLabels": {"app": "db"}},
        "template": template(image, **pod),
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
    }
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}


def claim(size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": wanted,
    }


async def images(kube: Client) -> list[str]:
    pods = [p for p in await kube.items(PODS) if "deletionTimestamp" not in p["metadata"]]
    return sorted(p["spec"]["containers"][0]["image"].rpartition(":")[2] for p in pods)


async def stateful(kube: Client, image: str) -> dict[str, Any]:
    async def look() -> Any:
        found = await kube.get(f"{SETS}/db")
        status = found.get("status", {})
        done = status.get("availableReplicas") == status.get("updatedReplicas") == found["spec"]["replicas"]
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return found if done and seen and set(await images(kube)) == {image} else None

    return await kube.until(look, what=f"a StatefulSet of {image}")


async def rolled(kube: Client, image: str, nodes: int = 2) -> dict[str, Any]:
    async def look() -> Any:
        found = await kube.get(f"{AGENTS}/agent")
        status = found.get("status", {})
        counts = [
            status.get(k) for k in ("updatedNumberScheduled", "numberAvailable", "desiredNumberScheduled")
        ]
        return found if counts == [nodes] * 3 and await images(kube) == [image] * nodes else None

    return await kube.until(look, what=f"a DaemonSet of {image}")


async def test_pods_of_a_stateful_set_have_names_of_their_own_and_are_replaced_one_by_one(kube: Client):
    await kube.apply_json(f"{SETS}/db", stateful_set("v1", 2))
    first = await stateful(kube, "v1")
    assert sorted(p["metadata"]["name"] for p in await kube.items(PODS)) == ["db-0", "db-1"]
    assert first["status"]["currentRevision"] == first["status"]["updateRevision"]

    await kube.apply_json(f"{SETS}/db", stateful_set("v2", 2))
    second = await stateful(kube, "v2")
    assert second["status"]["updateRevision"] != first["status"]["updateRevision"]
    labels = {p["metadata"]["labels"]["controller-revision-hash"] for p in await kube.items(PODS)}
    assert labels == {second["status"]["updateRevision"]}


async def test_going_back_uses_the_old_revision_again(kube: Client):
    await kube.apply_json(f"{SETS}/db", stateful_set("v1"))
    first = await stateful(kube, "v1")
    await kube.apply_json(f"{SETS}/db", stateful_set("v2"))
    await stateful(kube, "v2")
    await kube.apply_json(f"{SETS}/db", stateful_set("v1"))
    again = await stateful(kube, "v1")
    assert again["status"]["updateRevision"] == first["status"]["updateRevision"]
    assert sorted(r["revision"] for r in await kube.items(REVISIONS)) == [2, 3]


async def test_in_order_a_pod_that_never_gets_ready_keeps_its_own_replacement_back(kube: Client):
    """kubernetes#67250; in parallel it is replaced at once."""
    await kube.apply_json(f"{SETS}/db", stateful_set("v1"))
    await stateful(kube, "v1")
    await kube.apply_json(f"{SETS}/db", stateful_set("v2-notfound"))
    await kube.until(lambda: _is(kube, ["v2-notfound"]), what="the bad pod")
    await kube.apply_json(f"{SETS}/db", stateful_set("v1"))
    await kube.clock.sleep(5.0)
    assert await images(kube) == ["v2-notfound"]


async def _is(kube: Client, wanted: list[str]) -> bool:
    return await images(kube) == wanted


async def test_in_parallel_a_broken_pod_is_replaced(kube: Client):
    parallel: dict[str, Any] = {"podManagementPolicy": "Parallel"}
    await kube.apply_json(f"{SETS}/db", stateful_set("v2-notfound", **parallel))
    await kube.until(lambda: _is(kube, ["v2-notfound"]), what="the bad pod")
    await kube.apply_json(f"{SETS}/db", stateful_set("v1", **parallel))
    await stateful(kube, "v1")


async def test_most_of_a_stateful_set_cannot_be_changed(kube: Client):
    await kube.apply_json(f"{SETS}/db", stateful_set("v1"))
    answer = await kube.apply_json(f"{SETS}/db", stateful_set("v1", serviceName="other"))
    assert answer.code == 422
    assert "updates to statefulset spec for fields other than" in answer["message"]


async def test_an_agent_runs_on_every_node_and_its_next_pod_comes_before_the_old_one_goes(kube: Client):
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v1"))
    found = await rolled(kube, "v1")
    assert len({p["spec"]["nodeName"] for p in await kube.items(PODS)}) == 2
    assert found["status"]["numberMisscheduled"] == 0

    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v2"))
    await rolled(kube, "v2")


async def test_a_bad_image_of_an_agent_stops_at_the_first_node(kube: Client):
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v1"))
    await rolled(kube, "v1")
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v2-notfound"))
    await kube.until(lambda: _is(kube, ["v1", "v1", "v2-notfound"]), what="one surge pod")
    await kube.clock.sleep(5.0)
    assert await images(kube) == ["v1", "v1", "v2-notfound"]
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v1"))
    await rolled(kube, "v1")


async def test_where_the_old_pod_goes_first_one_node_at_a_time_is_without(kube: Client):
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v1", surge=0))
    await rolled(kube, "v1")
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v2-notfound", surge=0))
    await kube.until(lambda: _is(kube, ["v1", "v2-notfound"]), what="one node without")
    await kube.clock.sleep(5.0)
    assert await images(kube) == ["v1", "v2-notfound"]
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v3", surge=0))
    await rolled(kube, "v3")


async def test_an_agent_that_no_node_takes_wants_no_pod(kube: Client):
    await kube.apply_json(f"{AGENTS}/agent", daemon_set("v1", nodeSelector={"disk": "none"}))

    async def look() -> Any:
        status = (await kube.get(f"{AGENTS}/agent")).get("status", {})
        return status.get("observedGeneration") and status["desiredNumberScheduled"] == 0

    await kube.until(look)
    assert await kube.items(PODS) == []


async def test_a_claim_is_bound_grows_and_never_shrinks(kube: Client):
    await kube.apply_json(f"{CLAIMS}/data", claim("2Gi"))

    async def bound(size: str) -> bool:
        status = (await kube.get(f"{CLAIMS}/data")).get("status", {})
        return bool(status.get("phase") == "Bound" and status["capacity"]["storage"] == size)

    await kube.until(lambda: bound("2Gi"))
    assert (await kube.apply_json(f"{CLAIMS}/data", claim("3Gi"))).code == 200
    await kube.until(lambda: bound("3Gi"))
    smaller = await kube.apply_json(f"{CLAIMS}/data", claim("1Gi"))
    assert smaller.code == 422
    assert "field can not be less than status.capacity" in smaller["message"]
    other = await kube.apply_json(f"{CLAIMS}/data", claim("3Gi", accessModes=["ReadWriteMany"]))
    assert "spec is immutable after creation" in other["message"]


async def test_a_pod_waits_for_its_disk_and_the_claim_says_why(kube: Client, cluster: SimulatedCluster):
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one"},
        "spec": {**template("v1")["spec"], "volumes": [volume]},
    }
    await kube.request("POST", PODS, pod)

    async def says(words: str) -> bool:
        (found,) = await kube.items(PODS)
        return words in str(found["status"].get("conditions"))

    await kube.until(lambda: says('persistentvolumeclaim "data" not found'))
    await kube.apply_json(f"{CLAIMS}/data", claim(storageClassName="fast"))
    await kube.until(lambda: says("pod has unbound immediate PersistentVolumeClaims"))

    async def told() -> bool:
        events = await kube.items(EVENTS)
        return any('storageclass.storage.k8s.io "fast" not found' in each["message"] for each in events)

    await kube.until(told)
