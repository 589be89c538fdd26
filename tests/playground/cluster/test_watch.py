"""Lists and watches: selectors, pages, versions, bookmarks, ends and how a history runs out."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.clock import ScaledClock
from bot.playground.cluster import SimulatedCluster
from tests.playground.cluster.client import Client, first

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"


async def make(kube: Client, name: str, **labels: str) -> dict:
    body = {"metadata": {"name": name, "labels": labels}, "data": {"n": name}}
    return await kube.request("POST", CONFIGMAPS, body)


async def names(kube: Client, **query: str) -> list[str]:
    return [each["metadata"]["name"] for each in await kube.items(CONFIGMAPS, **query)]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=web", ["a"]),
        ("app==web,tier=1", ["a"]),
        ("app!=web", ["b", "c"]),
        ("app in (web, api)", ["a", "b"]),
        ("app notin (web,api)", ["c"]),
        ("app", ["a", "b"]),
        ("!app", ["c"]),
        ("tier in (1),app notin (api)", ["a"]),
    ],
)
async def test_a_list_obeys_its_label_selector(kube: Client, selector: str, expected: list[str]):
    await make(kube, "a", app="web", tier="1")
    await make(kube, "b", app="api", tier="1")
    await make(kube, "c")

    assert await names(kube, labelSelector=selector) == expected


async def test_a_list_obeys_its_field_selector_and_refuses_unknown_fields(kube: Client):
    await make(kube, "a")
    await make(kube, "b")

    assert await names(kube, fieldSelector="metadata.name=b") == ["b"]
    assert (await kube.get(CONFIGMAPS, fieldSelector="spec.nope=b")).code == 400


async def test_pages_together_are_the_whole_list_at_one_version(kube: Client):
    for number in range(7):
        await make(kube, f"m{number}")
    one = await kube.get(CONFIGMAPS, limit="3")
    await make(kube, "m9")
    two = await kube.get(CONFIGMAPS, limit="10", **{"continue": one["metadata"]["continue"]})

    assert one["metadata"]["remainingItemCount"] == 4
    assert two["metadata"]["resourceVersion"] == one["metadata"]["resourceVersion"]
    found = [each["metadata"]["name"] for each in [*one["items"], *two["items"]]]
    assert found[:7] == [f"m{number}" for number in range(7)]
    assert "kind" not in one["items"][0]


async def test_a_page_after_the_history_is_gone_is_410(kube: Client, cluster: SimulatedCluster):
    for number in range(3):
        await make(kube, f"m{number}")
    one = await kube.get(CONFIGMAPS, limit="1")
    cluster.expire_history()

    two = await kube.get(CONFIGMAPS, limit="1", **{"continue": one["metadata"]["continue"]})

    assert (two.code, two["reason"]) == (410, "Expired")


async def test_a_watch_tells_what_happens_after_its_version(kube: Client):
    await make(kube, "before")
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    await make(kube, "a")
    await kube.request("PATCH", f"{CONFIGMAPS}/a", {"data": {"n": "2"}}, "application/merge-patch+json")
    await kube.request("DELETE", f"{CONFIGMAPS}/a")

    seen = []
    async with asyncio.timeout(10):
        async for event in kube.watch(CONFIGMAPS, resourceVersion=version):
            seen.append((event["type"], event["object"]["metadata"]["name"]))
            if event["type"] == "DELETED":
                break

    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert event["object"]["kind"] == "ConfigMap"


async def test_an_object_that_enters_or_leaves_a_selection_is_added_or_deleted(kube: Client):
    await make(kube, "a")
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    for labels in ({"app": "web"}, {"app": None}):
        body = {"metadata": {"labels": labels}}
        await kube.request("PATCH", f"{CONFIGMAPS}/a", body, "application/merge-patch+json")

    seen = []
    async with asyncio.timeout(10):
        async for event in kube.watch(CONFIGMAPS, resourceVersion=version, labelSelector="app=web"):
            seen.append(event["type"])
            if len(seen) == 2:
                break

    assert seen == ["ADDED", "DELETED"]


@pytest.mark.parametrize("yes", ["1", "t", "true", "True", "TRUE"])
async def test_every_spelling_of_true_opens_a_watch(kube: Client, yes: str):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    answer = await kube.get(CONFIGMAPS, watch=yes, resourceVersion=version, timeoutSeconds="1")

    assert answer.code == 200
    assert "items" not in answer


async def test_a_watch_ends_by_itself_after_its_time(kube: Client, clock: ScaledClock):
    began = clock.monotonic()
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    events = [event async for event in kube.watch(CONFIGMAPS, resourceVersion=version, timeoutSeconds="10")]

    assert events == []
    assert 9.5 <= clock.monotonic() - began < 60


async def test_bookmarks_carry_a_watch_over_changes_of_other_kinds(kube: Client):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    await kube.request("POST", "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "s"}})

    stream = kube.watch(CONFIGMAPS, resourceVersion=version, allowWatchBookmarks="true")
    mark = await first(stream, lambda event: event["type"] == "BOOKMARK")

    assert int(mark["object"]["metadata"]["resourceVersion"]) > int(version)
    assert mark["object"]["kind"] == "ConfigMap"


async def test_a_version_older_than_the_history_is_410_at_once(kube: Client, cluster: SimulatedCluster):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    cluster.expire_history()

    refused = await first(kube.watch(CONFIGMAPS, resourceVersion=version), lambda _: True)

    assert refused["code"] == 410
    assert refused["object"]["reason"] == "Expired"


async def test_a_watch_whose_history_is_lost_underway_ends_with_an_error_event(
    kube: Client, cluster: SimulatedCluster
):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    stream = kube.watch(CONFIGMAPS, resourceVersion=version)
    cluster.stall_watches()
    waiting = asyncio.create_task(first(stream, lambda event: event["type"] == "ERROR"))
    await kube.until(lambda: _opened(cluster))
    await make(kube, "a")
    cluster.expire_history()
    cluster.stall_watches(stalled=False)

    error = await waiting

    assert error["object"]["code"] == 410


async def test_a_short_history_forgets_by_itself(clock: ScaledClock):
    async with SimulatedCluster(clock, history=5) as small:
        client = await Client.connect(small, clock)
        async with client:
            await client.apply_json("/api/v1/namespaces/shop", {"apiVersion": "v1", "kind": "Namespace"})
            version = (await client.get(CONFIGMAPS))["metadata"]["resourceVersion"]
            for number in range(8):
                await make(client, f"m{number}")
            refused = await first(client.watch(CONFIGMAPS, resourceVersion=version), lambda _: True)

    assert refused["code"] == 410


async def test_dropped_watches_break_and_can_be_resumed(kube: Client, cluster: SimulatedCluster):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]

    async def broken(stream: AsyncIterator[dict]) -> bool:
        try:
            async for _ in stream:
                pass
        except aiohttp.ClientError:
            return True
        return False

    waiting = asyncio.create_task(broken(kube.watch(CONFIGMAPS, resourceVersion=version)))
    await kube.until(lambda: _opened(cluster))
    cluster.drop_watches()
    assert await waiting

    await make(kube, "a")
    event = await first(kube.watch(CONFIGMAPS, resourceVersion=version), lambda _: True)
    assert event["object"]["metadata"]["name"] == "a"


async def test_a_watch_with_initial_events_needs_no_list(kube: Client):
    await make(kube, "a")
    stream = kube.watch(
        CONFIGMAPS,
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
    )
    seen = []
    async with asyncio.timeout(10):
        async for event in stream:
            seen.append(event["type"])
            if event["type"] == "BOOKMARK":
                break

    assert seen == ["ADDED", "BOOKMARK"]
    assert event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"


async def test_a_client_that_leaves_frees_its_watch(kube: Client, cluster: SimulatedCluster):
    version = (await kube.get(CONFIGMAPS))["metadata"]["resourceVersion"]
    waiting = asyncio.create_task(first(kube.watch(CONFIGMAPS, resourceVersion=version), lambda _: True))
    await kube.until(lambda: _opened(cluster))
    waiting.cancel()
    await asyncio.wait([waiting])

    async def closed() -> bool:
        return cluster.open_watches == 0

    await kube.until(closed)


async def _opened(cluster: SimulatedCluster) -> bool:
    return cluster.open_watches > 0
