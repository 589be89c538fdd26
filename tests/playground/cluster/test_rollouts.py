"""Rollouts as a client sees them: good and bad images, the two races, scaling, history."""

import asyncio

import pytest

from bot.clock import ScaledClock
from bot.playground.cluster import SimulatedCluster
from bot.playground.cluster.controllers.controller import Controller
from tests.playground.cluster.client import (
    DEPLOYMENT,
    EVENTS,
    PODS,
    REPLICA_SETS,
    Client,
    deployment,
    is_complete,
    reason,
)


async def waiting_reason(kube: Client, wanted: str, image: str) -> dict | None:
    for pod in await kube.items(PODS):
        for entry in pod["status"].get("containerStatuses", []):
            if image in entry["image"] and entry["state"].get("waiting", {}).get("reason") == wanted:
                return pod
    return None


async def test_a_good_image_rolls_out_and_the_old_replica_set_is_emptied(kube: Client):
    await kube.apply(deployment("v1", 2))
    await kube.complete()
    await kube.apply(deployment("v2", 2))
    done = await kube.complete()

    assert reason(done) == "NewReplicaSetAvailable"
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    sizes = {
        each["spec"]["template"]["spec"]["containers"][0]["image"][-2:]: each["spec"]["replicas"]
        for each in await kube.items(REPLICA_SETS)
    }
    assert sizes == {"v1": 0, "v2": 2}


async def test_events_say_what_a_real_cluster_says_in_its_order(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    pod = (await kube.items(PODS))[0]
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    replica_set = pod["metadata"]["ownerReferences"][0]["name"]

    about_pod = await kube.items(EVENTS, fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}")

    assert [each["message"].split(" in ")[0] for each in about_pod] == [
        f"Successfully assigned shop/{name} to {node}",
        'Pulling image "registry.example/shop/web:v1"',
        'Successfully pulled image "registry.example/shop/web:v1"',
        "Container created",
        "Container started",
    ]
    assert about_pod[0]["lastTimestamp"] is None
    assert about_pod[0]["eventTime"]
    assert about_pod[1]["involvedObject"]["fieldPath"] == "spec.containers{main}"
    others = {each["message"] for each in await kube.items(EVENTS)}
    assert f"Scaled up replica set {replica_set} from 0 to 1" in others
    assert f"Created pod: {name}" in others


async def test_an_image_that_does_not_exist_leaves_the_old_pods_alone(kube: Client):
    await kube.apply(deployment("v1", 2))
    await kube.complete()
    await kube.apply(deployment("notfound", 2))

    pod = await kube.until(lambda: waiting_reason(kube, "ErrImagePull", "notfound"))
    await kube.until(lambda: waiting_reason(kube, "ImagePullBackOff", "notfound"))

    message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert message.endswith("failed to resolve image: registry.example/shop/web:notfound: not found")
    status = (await kube.get(DEPLOYMENT))["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["replicas"]) == (2, 1, 3)


async def test_a_crashing_image_ends_in_a_crash_loop_with_its_log(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.apply(deployment("crash", 1))

    pod = await kube.until(lambda: waiting_reason(kube, "CrashLoopBackOff", "crash"))

    entry = pod["status"]["containerStatuses"][0]
    assert entry["restartCount"] == 1
    assert entry["lastState"]["terminated"]["exitCode"] == 1
    log = await kube.get(f"{PODS}/{pod['metadata']['name']}/log", container="main", tailLines="2")
    assert log["_text"].endswith("No such file or directory: '/etc/app/settings.toml'\n")
    assert log["_text"].count("\n") == 2


async def test_a_pod_that_never_gets_ready_exceeds_the_progress_deadline(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.apply(deployment("neverready", 1, progressDeadlineSeconds=10))

    async def overdue() -> dict | None:
        live = await kube.get(DEPLOYMENT)
        return live if reason(live) == "ProgressDeadlineExceeded" else None

    live = await kube.until(overdue)

    assert live["status"]["readyReplicas"] == 1
    assert reason(live, "Available") == "MinimumReplicasAvailable"


async def test_the_answer_of_an_apply_still_looks_complete(kube: Client):
    await kube.apply(deployment("v1", 2))
    await kube.complete()

    answer = await kube.apply(deployment("notfound", 2))

    status = answer["status"]
    assert answer["metadata"]["generation"] == status["observedGeneration"] + 1
    assert (status["updatedReplicas"], status["availableReplicas"], status["replicas"]) == (2, 2, 2)
    assert reason(answer) == "NewReplicaSetAvailable"


async def test_a_passed_deadline_sticks_after_a_rollback_until_progress_is_seen(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.apply(deployment("neverready", 1, progressDeadlineSeconds=10))

    async def overdue() -> bool:
        return reason(await kube.get(DEPLOYMENT)) == "ProgressDeadlineExceeded"

    await kube.until(overdue)
    seen: list[tuple[bool, str | None]] = []

    async def follow(version: str) -> None:
        async for event in kube.watch("/apis/apps/v1/namespaces/shop/deployments", resourceVersion=version):
            live = event["object"]
            current = live["status"]["observedGeneration"] >= live["metadata"]["generation"]
            seen.append((current, reason(live)))
            if is_complete(live) and reason(live) == "NewReplicaSetAvailable":
                return

    version = (await kube.get(DEPLOYMENT))["metadata"]["resourceVersion"]
    async with asyncio.timeout(20):
        following = asyncio.create_task(follow(version))
        await kube.apply(deployment("v1", 1, progressDeadlineSeconds=10))
        await following

    assert (False, "ProgressDeadlineExceeded") in seen
    assert (True, "ProgressDeadlineExceeded") in seen
    assert seen[-1] == (True, "NewReplicaSetAvailable")


async def test_a_rollback_uses_the_old_replica_set_again(kube: Client):
    await kube.apply(deployment("v1", 2))
    await kube.complete()
    before = {each["metadata"]["name"] for each in await kube.items(REPLICA_SETS)}
    await kube.apply(deployment("notfound", 2))
    await kube.until(lambda: waiting_reason(kube, "ErrImagePull", "notfound"))

    await kube.apply(deployment("v1", 2))
    done = await kube.complete()
    await kube.quiet()

    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    serving = [each for each in await kube.items(REPLICA_SETS) if each["spec"]["replicas"]]
    assert {each["metadata"]["name"] for each in serving} == before


async def test_a_pod_that_never_started_ends_as_unknown_and_not_as_out_of_memory(kube: Client):
    await kube.apply(deployment("notfound", 1))
    pod = await kube.until(lambda: waiting_reason(kube, "ErrImagePull", "notfound"))
    version = (await kube.get(PODS))["metadata"]["resourceVersion"]
    await kube.request("DELETE", f"{PODS}/{pod['metadata']['name']}")

    ended = None
    async with asyncio.timeout(10):
        async for event in kube.watch(PODS, resourceVersion=version):
            live = event["object"]
            if live["metadata"]["uid"] == pod["metadata"]["uid"] and live["status"]["phase"] == "Failed":
                ended = live["status"]["containerStatuses"][0]["state"]["terminated"]
            if event["type"] == "DELETED":
                break

    assert ended is not None
    assert (ended["reason"], ended["exitCode"]) == ("ContainerStatusUnknown", 137)


async def test_min_ready_seconds_hold_the_rollout_back(kube: Client, clock: ScaledClock):
    began = clock.monotonic()
    await kube.apply(deployment("v1", 1, minReadySeconds=10))
    await kube.complete()

    assert clock.monotonic() - began >= 9.0


async def test_recreate_stops_the_old_pods_before_it_starts_new_ones(kube: Client):
    body = deployment("v1", 2, strategy={"type": "Recreate"})
    await kube.apply(body)
    await kube.complete()
    version = (await kube.get(PODS))["metadata"]["resourceVersion"]
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/shop/web:v2"

    await kube.apply(body)
    await kube.complete()

    alive, most = {"v1": 2, "v2": 0}, []
    async with asyncio.timeout(10):
        async for event in kube.watch(PODS, resourceVersion=version):
            tag = event["object"]["spec"]["containers"][0]["image"][-2:]
            ended = event["object"]["status"]["phase"] == "Succeeded"
            if event["type"] == "ADDED":
                alive[tag] += 1
                most.append((alive["v1"], tag))
            elif event["type"] == "MODIFIED" and ended and event["object"]["metadata"].get("x") is None:
                alive[tag] = max(0, alive[tag] - 1)
            if alive["v2"] == 2:
                break
    assert most == [(0, "v2"), (0, "v2")]


async def test_scaling_in_the_middle_keeps_the_share_of_each_replica_set(kube: Client):
    await kube.apply(deployment("v1", 4))
    await kube.complete()
    await kube.apply(deployment("neverready", 4))

    async def stuck() -> bool:
        sizes = sorted(each["spec"]["replicas"] for each in await kube.items(REPLICA_SETS))
        return sizes == [2, 3]

    await kube.until(stuck)
    await kube.request(
        "PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 8}}, "application/merge-patch+json"
    )

    async def grown() -> bool:
        sizes = sorted(each["spec"]["replicas"] for each in await kube.items(REPLICA_SETS))
        return sizes == [4, 6]

    await kube.until(grown)
    assert (await kube.get(DEPLOYMENT))["spec"]["replicas"] == 8


async def test_old_replica_sets_beyond_the_limit_are_removed(kube: Client):
    for tag in ("v1", "v2", "v3", "v4"):
        await kube.apply(deployment(tag, 1, revisionHistoryLimit=1))
        await kube.complete()

    async def two() -> bool:
        return len(await kube.items(REPLICA_SETS)) == 2

    await kube.until(two)


async def test_a_quota_that_is_used_up_shows_as_replica_failure_at_once(kube: Client):
    quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "1"}}}
    await kube.request("POST", "/api/v1/namespaces/shop/resourcequotas", quota)
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.apply(deployment("v2", 1))

    async def failing() -> str | None:
        conditions = (await kube.get(DEPLOYMENT))["status"]["conditions"]
        return next((each["message"] for each in conditions if each["type"] == "ReplicaFailure"), None)

    message = await kube.until(failing, 5)

    assert "is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1" in message
    warned = [each for each in await kube.items(EVENTS) if each["reason"] == "FailedCreate"]
    assert warned[0]["message"].startswith('Error creating: pods "web-')


async def test_a_pod_that_fits_nowhere_says_why(kube: Client):
    body = deployment("v1", 1)
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "9"}}
    await kube.apply(body)

    async def refused() -> str | None:
        for pod in await kube.items(PODS):
            for each in pod["status"].get("conditions", []):
                if each.get("reason") == "Unschedulable":
                    return each["message"]
        return None

    assert await kube.until(refused) == (
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
        "2 Preemption is not helpful for scheduling."
    )
    pod = (await kube.items(PODS))[0]
    log = await kube.get(f"{PODS}/{pod['metadata']['name']}/log")
    assert log.code == 204


async def test_a_missing_secret_blocks_the_container_until_it_is_made(kube: Client):
    body = deployment("v1", 1)
    body["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "web-env"}}]
    await kube.apply(body)
    pod = await kube.until(lambda: waiting_reason(kube, "CreateContainerConfigError", "v1"))
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == (
        'secret "web-env" not found'
    )

    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web-env"}}
    await kube.request("POST", "/api/v1/namespaces/shop/secrets", secret)

    await kube.complete()


async def test_frozen_controllers_accept_an_apply_and_move_nothing(
    kube: Client, cluster: SimulatedCluster, clock: ScaledClock
):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    cluster.freeze_controllers()

    await kube.apply(deployment("v2", 1))
    await clock.sleep(20)
    frozen = await kube.get(DEPLOYMENT)
    cluster.thaw_controllers()
    done = await kube.complete()

    assert frozen["status"]["observedGeneration"] == 1
    assert frozen["metadata"]["generation"] == 2
    assert done["status"]["observedGeneration"] == 2


@pytest.mark.parametrize("replicas", [0, 3])
async def test_a_count_of_zero_and_more_is_complete_by_itself(kube: Client, replicas: int):
    await kube.apply(deployment("v1", replicas))

    done = await kube.complete()

    assert done["status"].get("replicas", 0) == replicas


STATUSES = [
    # observed, all, new, ready, available, missing, terminating, reason: as recorded of Kubernetes 1.37.2
    (1, 2, 2, 2, 2, 0, 0, "NewReplicaSetAvailable"),
    (1, 2, 2, 2, 2, 0, 0, "NewReplicaSetCreated"),
    (2, 2, 0, 2, 2, 1, 0, "NewReplicaSetCreated"),
    (2, 3, 1, 2, 2, 1, 0, "ReplicaSetUpdated"),
    (2, 3, 1, 3, 3, 0, 0, "ReplicaSetUpdated"),
    (2, 2, 1, 2, 2, 1, 1, "ReplicaSetUpdated"),
    (2, 3, 2, 2, 2, 1, 1, "ReplicaSetUpdated"),
    (2, 3, 2, 2, 2, 1, 0, "ReplicaSetUpdated"),
    (2, 3, 2, 3, 3, 0, 0, "ReplicaSetUpdated"),
    (2, 2, 2, 2, 2, 0, 1, "NewReplicaSetAvailable"),
    (2, 2, 2, 2, 2, 0, 0, "NewReplicaSetAvailable"),
]


async def test_a_rollout_shows_the_statuses_a_real_one_was_recorded_to_show(monkeypatch: pytest.MonkeyPatch):
    # Hardly faster than the wall, and controllers that take their time: on a busy machine two states would fall into one.
    monkeypatch.setattr(Controller, "delay", 0.1)
    clock = ScaledClock(2)
    async with SimulatedCluster(clock) as cluster, await Client.connect(cluster, clock) as kube:
        await kube.apply_json("/api/v1/namespaces/shop", {"apiVersion": "v1", "kind": "Namespace"})
        await _shows_the_recorded_statuses(kube)


async def _shows_the_recorded_statuses(kube: Client) -> None:
    await kube.apply(deployment("v1", 2))
    version = (await kube.complete())["metadata"]["resourceVersion"]
    await kube.apply(deployment("v2", 2))

    seen = []
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
    async with asyncio.timeout(40):
        async for event in kube.watch("/apis/apps/v1/namespaces/shop/deployments", resourceVersion=version):
            status = event["object"]["status"]
            counts = [status.get(name, 0) for name in (*names, "terminatingReplicas")]
            seen.append((status["observedGeneration"], *counts, reason(event["object"])))
            if seen[-1] == STATUSES[-1]:
                break

    # How fast pods end and start decides what is seen between; the order of what must be seen is fixed.
    assert seen[:4] == STATUSES[:4]
    rest = iter(seen)
    assert all(wanted in rest for wanted in (*STATUSES[:6], *STATUSES[8:9], STATUSES[-1]))


async def test_a_paused_rollout_says_so_and_goes_on_when_it_is_resumed(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    await kube.apply(deployment("v2", 1, paused=True))

    async def paused() -> bool:
        return reason(await kube.get(DEPLOYMENT)) == "DeploymentPaused"

    await kube.until(paused)
    assert len(await kube.items(REPLICA_SETS)) == 1

    await kube.apply(deployment("v2", 1))
    await kube.complete()


async def test_several_containers_restart_each_for_itself(kube: Client):
    body = deployment("v1", 1)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["livenessProbe"] = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    side = {"name": "side", "image": "registry.example/shop/side:crash"}
    body["spec"]["template"]["spec"]["containers"].append(side)
    await kube.apply(body)

    async def restarted() -> dict | None:
        for pod in await kube.items(PODS):
            counts = {
                each["name"]: each["restartCount"] for each in pod["status"].get("containerStatuses", [])
            }
            if counts.get("side"):
                return counts
        return None

    assert (await kube.until(restarted))["main"] == 0
    pod = (await kube.items(PODS))[0]["metadata"]["name"]
    unnamed = await kube.get(f"{PODS}/{pod}/log")
    previous = await kube.get(f"{PODS}/{pod}/log", container="side", previous="true", limitBytes="20")
    unknown = await kube.get(f"{PODS}/{pod}/log", container="nobody")
    assert (unnamed.code, unknown.code) == (400, 400)
    assert len(previous["_text"]) == 20


async def test_the_log_of_a_container_that_waits_says_why(kube: Client):
    await kube.apply(deployment("notfound", 1))
    pod = await kube.until(lambda: waiting_reason(kube, "ErrImagePull", "notfound"))
    name = pod["metadata"]["name"]
    log = await kube.get(f"{PODS}/{name}/log")

    assert log.code == 400
    assert log["message"] == f'container "main" in pod "{name}" is waiting to start: image can\'t be pulled'
