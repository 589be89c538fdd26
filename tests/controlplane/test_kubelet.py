"""What a real control plane makes of the simulated kubelet, seen with the rights of the bot."""

import asyncio

import pytest

from bot.clock import SystemClock
from bot.playground.kubelet.api import ApiClientError, connect
from bot.playground.kubelet.simulated import SimulatedKubelet
from tests.controlplane.support import DEPLOYMENTS, deployment, eventually


@pytest.fixture
async def bot(control_plane):
    async with connect(control_plane.kubeconfig("convox-bot")) as api:
        yield api


@pytest.fixture
async def namespace(app_namespace, kubelet):
    return await app_namespace()


async def pods(bot, namespace, name):
    listing = await bot.call(
        "GET", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": f"app={name}"}
    )
    return listing["items"]


def waiting(pod):
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("state", {}).get("waiting", {}).get("reason")


async def text_of_log(bot, namespace, pod, **query):
    """Read a log, which is no JSON."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    async with bot._open("GET", path, query=query, timeout=None) as response:
        return await response.text()


async def test_a_deployment_rolls_out_and_its_logs_can_be_read(bot, namespace):
    await bot.call("POST", DEPLOYMENTS.format(namespace), deployment("web", "shop/web:v1"))

    async def complete():
        found = await bot.call("GET", DEPLOYMENTS.format(namespace) + "/web")
        return found["status"].get("availableReplicas") == 2 and found

    await eventually(complete)
    pod, other = await pods(bot, namespace, "web")
    assert {pod["spec"]["nodeName"], other["spec"]["nodeName"]} == {"node-1", "node-2"}
    assert pod["status"]["podIP"] != other["status"]["podIP"]
    name = pod["metadata"]["name"]
    log = await text_of_log(bot, namespace, name)
    assert "main v1 starting, pid 1" in log
    assert await text_of_log(bot, namespace, name, tailLines="1") == log.splitlines(keepends=True)[-1]
    assert await text_of_log(bot, namespace, name, limitBytes="7") == log[:7]
    assert (await text_of_log(bot, namespace, name, timestamps="true")).startswith(
        pod["status"]["startTime"][:11]
    )
    with pytest.raises(
        ApiClientError,
        match=f'400 BadRequest: previous terminated container "main" in pod "{name}" not found',
    ):
        await text_of_log(bot, namespace, name, previous="true")


async def test_a_missing_image_is_told_by_events_status_and_log(bot, namespace):
    await bot.call("POST", DEPLOYMENTS.format(namespace), deployment("web", "shop/web:notfound", replicas=1))

    async def failing():
        return [
            pod
            for pod in await pods(bot, namespace, "web")
            if waiting(pod) in ("ErrImagePull", "ImagePullBackOff")
        ]

    (pod,) = await eventually(failing)
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].endswith(
        "shop/web:notfound: not found"
    )
    about = {"fieldSelector": f"involvedObject.uid={uid},reason=Failed"}
    events = (await bot.call("GET", f"/api/v1/namespaces/{namespace}/events", query=about))["items"]
    first = next(event for event in events if event["message"].startswith("Failed to pull image"))
    assert first["involvedObject"]["fieldPath"] == "spec.containers{main}"
    assert first["source"] == {"component": "kubelet", "host": pod["spec"]["nodeName"]}
    with pytest.raises(
        ApiClientError, match=f'400 BadRequest: container "main" in pod "{name}" is waiting to start: '
    ):
        await text_of_log(bot, namespace, name)


async def test_a_crash_is_told_by_the_log_of_the_run_before(bot, namespace):
    await bot.call("POST", DEPLOYMENTS.format(namespace), deployment("web", "shop/web:crash", replicas=1))

    async def backing_off():
        return [pod for pod in await pods(bot, namespace, "web") if waiting(pod) == "CrashLoopBackOff"]

    (pod,) = await eventually(backing_off)
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (1, "Error")
    before = await text_of_log(bot, namespace, pod["metadata"]["name"], previous="true")
    assert "No such file or directory: '/etc/app/settings.toml'" in before
    assert before == await text_of_log(bot, namespace, pod["metadata"]["name"])


async def test_a_followed_log_ends_with_its_pod(bot, namespace):
    await bot.call("POST", DEPLOYMENTS.format(namespace), deployment("web", "shop/web:v1", replicas=1))

    async def running():
        return [pod for pod in await pods(bot, namespace, "web") if pod["status"]["phase"] == "Running"]

    (pod,) = await eventually(running)
    following = asyncio.create_task(text_of_log(bot, namespace, pod["metadata"]["name"], follow="true"))
    await asyncio.sleep(0.5)
    assert not following.done()
    await bot.call(
        "DELETE", DEPLOYMENTS.format(namespace) + "/web", query={"propagationPolicy": "Background"}
    )
    assert "starting, pid 1" in await asyncio.wait_for(following, 10)

    async def gone():
        return not await pods(bot, namespace, "web")

    await eventually(gone)


async def test_a_pod_waits_for_its_secret_and_names_it(bot, namespace):
    body = deployment("web", "shop/web:v1", replicas=1, secret="env-web-rabc")
    await bot.call("POST", DEPLOYMENTS.format(namespace), body)

    async def stuck():
        return [
            pod for pod in await pods(bot, namespace, "web") if waiting(pod) == "CreateContainerConfigError"
        ]

    (pod,) = await eventually(stuck)
    message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert message == 'secret "env-web-rabc" not found'


async def test_without_nodes_a_pod_stays_pending(bot, control_plane, app_namespace):
    namespace = await app_namespace()
    body = deployment("web", "shop/web:v1", replicas=1)
    await bot.call("POST", DEPLOYMENTS.format(namespace), body)

    async def unschedulable():
        found = await pods(bot, namespace, "web")
        return [
            c
            for pod in found
            for c in pod["status"].get("conditions", [])
            if c.get("reason") == "Unschedulable"
        ]

    (condition,) = await eventually(unschedulable)
    assert condition["status"] == "False"


async def test_a_node_goes_with_its_kubelet(control_plane):
    async with connect(control_plane.kubeconfig("admin")) as admin:

        async def nodes():
            return {node["metadata"]["name"] for node in (await admin.call("GET", "/api/v1/nodes"))["items"]}

        async with SimulatedKubelet(admin, SystemClock(), nodes=3):
            assert await nodes() == {"node-1", "node-2", "node-3"}
        assert await nodes() == set()


async def test_what_the_bot_was_not_given_is_refused(bot, namespace):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": [{"name": "main", "image": "x"}]},
    }
    with pytest.raises(ApiClientError, match="403 Forbidden: pods is forbidden"):
        await bot.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    with pytest.raises(ApiClientError, match="403 Forbidden"):
        await bot.call("DELETE", f"/api/v1/namespaces/{namespace}")
