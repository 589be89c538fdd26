"""Databases, agents and disks, on both clusters: they come with a release, and data outlives every one of them."""

import base64

from tests.scenarios.arrangement import WEB
from tests.scenarios.harness import Stage

IMAGE = "registry.example/myapp/database"


def database(tag: str = "v1") -> str:
    return f"resources:\n  database: {{type: postgres, image: '{IMAGE}:{tag}', options: {{storage: 1}}}}\n"


LINKED = WEB + "    resources: [database]\n"
AGENT = """
  agent:
    build: .
    agent: true
    scale: {cpu: 10, memory: 16}
    termination: {grace: 5}
"""
STORE = "  store: {type: redis, image: 'registry.example/myapp/store:v1'}\n"


async def named(stage: Stage, plural: str, name: str) -> dict | None:
    return next((each for each in await stage.items(plural) if each["metadata"]["name"] == name), None)


async def uid(stage: Stage, plural: str, name: str) -> str:
    found = await named(stage, plural, name)
    assert found is not None, name
    return str(found["metadata"]["uid"])


async def variables(stage: Stage, release: str) -> dict[str, str]:
    secret = await named(stage, "secrets", f"env-web-{release.lower()}")
    assert secret is not None
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


async def test_a_database_comes_with_the_release_that_asks_for_it_and_stays_as_it_is(stage: Stage):
    first = await stage.running(manifest=database() + LINKED, web="v1")
    set_before = await uid(stage, "statefulsets", "resource-database")
    (pod,) = await stage.pods("resource-database")
    seen = await variables(stage, first)
    assert seen["DATABASE_URL"] == (
        f"postgres://app:{seen['DATABASE_PASS']}@{seen['DATABASE_HOST']}:5432/app?sslmode=disable"
    )
    secret = await named(stage, "secrets", "resource-database")
    assert secret is not None
    assert base64.b64decode(secret["data"]["password"]).decode() == seen["DATABASE_PASS"]

    second = await stage.running(manifest=database() + LINKED, web="v2")
    assert (await variables(stage, second))["DATABASE_URL"] == seen["DATABASE_URL"]
    assert await uid(stage, "statefulsets", "resource-database") == set_before
    assert [p["metadata"]["uid"] for p in await stage.pods("resource-database")] == [pod["metadata"]["uid"]]


async def test_a_rollback_of_a_release_that_added_a_resource_and_an_agent_leaves_exactly_what_was_there(
    stage: Stage,
):
    good = await stage.running(manifest=database() + LINKED, web="v1")
    before = await stage.everything()
    claim = await uid(stage, "persistentvolumeclaims", "resource-database")

    added = database() + STORE + LINKED.replace("[database]", "[database, store]") + AGENT
    bad = await stage.promoted(await stage.build(manifest=added, web="v2-notfound", agent="v2"))
    assert (bad.phase, bad.back_to) == ("Reverted", good)

    async def as_before() -> bool:
        return await stage.everything() == before and not await stage.pods("agent")

    await stage.until(as_before)
    await stage.runs(good)
    assert await uid(stage, "persistentvolumeclaims", "resource-database") == claim


async def test_a_bad_version_of_a_database_is_rolled_back_with_its_data(stage: Stage):
    good = await stage.running(manifest=database() + LINKED, web="v1")
    claim = await uid(stage, "persistentvolumeclaims", "resource-database")

    bad = await stage.promoted(await stage.build(manifest=database("v2-notfound") + LINKED, web="v2"))
    assert (bad.phase, bad.back_to) == ("Reverted", good)
    assert "database:v2-notfound" in str(bad.cause)
    await stage.runs(good)
    (pod,) = await stage.pods("resource-database")
    assert pod["spec"]["containers"][0]["image"] == f"{IMAGE}:v1"
    assert await uid(stage, "persistentvolumeclaims", "resource-database") == claim


async def test_a_database_that_is_taken_out_and_comes_back_finds_its_disk(stage: Stage):
    await stage.running(manifest=database() + LINKED, web="v1")
    claim = await uid(stage, "persistentvolumeclaims", "resource-database")
    password = await named(stage, "secrets", "resource-database")

    without = await stage.promoted(await stage.build(manifest=WEB, web="v2"))
    assert without.phase == "Running"

    async def gone() -> bool:
        return await named(stage, "statefulsets", "resource-database") is None

    await stage.until(gone)
    assert await uid(stage, "persistentvolumeclaims", "resource-database") == claim

    await stage.running(manifest=database() + LINKED, web="v3")
    assert await uid(stage, "persistentvolumeclaims", "resource-database") == claim
    again = await named(stage, "secrets", "resource-database")
    assert password is not None
    assert again is not None
    assert again["data"] == password["data"]


async def test_a_disk_cannot_shrink_and_that_is_said_before_anything_is_touched(stage: Stage):
    await stage.running(manifest=database().replace("storage: 1", "storage: 2") + LINKED, web="v1")
    small = await stage.promoted(await stage.build(manifest=database() + LINKED, web="v2"))
    assert small.phase == "Refused"
    assert "the disk resource-database has 2Gi and cannot become smaller, as 1Gi" in str(
        small.cause or small.reason
    )


async def test_an_agent_is_replaced_on_its_node_and_a_bad_one_goes_back(stage: Stage):
    good = await stage.running(manifest=WEB + AGENT, web="v1", agent="v1")
    await stage.runs(good, "agent", count=1)

    bad = await stage.promoted(await stage.build(manifest=WEB + AGENT, web="v2", agent="v2-notfound"))
    assert (bad.phase, bad.back_to) == ("Reverted", good)
    assert "agent" in str(bad.cause)
    await stage.runs(good, "agent", count=1)

    better = await stage.promoted(await stage.build(manifest=WEB + AGENT, web="v3", agent="v3"))
    assert better.phase == "Running"
    await stage.runs(better.release, "agent", count=1)


async def test_a_service_does_not_become_an_agent_under_its_name(stage: Stage):
    good = await stage.running(web="v1")
    turned = await stage.promoted(await stage.build(manifest=WEB + "    agent: true\n", web="v2"))
    assert turned.phase == "Refused"
    assert "web runs as a Deployment and cannot become a DaemonSet" in str(turned.cause or turned.reason)
    await stage.runs(good)


async def test_an_agent_that_no_node_takes_is_active_and_not_verified(stage: Stage):
    nowhere = "services:" + AGENT + "    nodeSelectorLabels: {example.com/none: there}\n"
    nothing = await stage.promoted(await stage.build(manifest=nowhere, agent="v1"))
    assert (nothing.phase, nothing.nothing_ran) == ("Running", True)
    assert not (await stage.bot.store.read.release_status(nothing.release)).verified_at


DISK = """
services:
  web:
    build: .
    port: 3000
    health: {path: /health, interval: 1, grace: 1, timeout: 1}
    scale: {count: 1, cpu: 10, memory: 16}
    termination: {grace: 5}
    volumes: [/data]
"""


async def claims(stage: Stage) -> dict[str, str]:
    return {
        each["metadata"]["name"]: each["metadata"]["uid"]
        for each in await stage.items("persistentvolumeclaims")
    }


async def test_a_disk_of_a_service_outlives_its_releases_its_failures_and_its_manifest(stage: Stage):
    good = await stage.running(manifest=DISK, web="v1")
    disks = await claims(stage)
    assert len(disks) == 1
    better = await stage.running(manifest=DISK, web="v2")
    assert await claims(stage) == disks

    bad = await stage.promoted(await stage.build(manifest=DISK, web="v3-notfound"))
    assert (bad.phase, bad.back_to) == ("Reverted", better)
    await stage.runs(better, count=1)
    assert await claims(stage) == disks

    without = await stage.promoted(
        await stage.build(manifest=DISK.replace("    volumes: [/data]\n", ""), web="v4")
    )
    assert without.phase == "Running"
    assert await claims(stage) == disks, good


async def test_a_disk_that_nobody_can_make_is_told_by_its_class(stage: Stage):
    stage.rule(deadline="8s")
    option = "    volumeOptions:\n    - awsEfs: {id: files, accessMode: ReadWriteMany, mountPath: /f, storageClass: fast}\n"
    nowhere = await stage.promoted(
        await stage.build(manifest=DISK.replace("    volumes: [/data]\n", option), web="v1")
    )
    assert nowhere.phase == "Reverted"
    assert 'storage class "fast"' in str(nowhere.cause)
