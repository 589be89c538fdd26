"""What follows a verdict, on both clusters: it comes, it goes, and a way back leaves exactly what was there before."""

import json
from typing import Any

from tests.scenarios.arrangement import BOB, WEB
from tests.scenarios.clusters import Document
from tests.scenarios.harness import Stage

TIMER = """
timers:
  nightly: {schedule: "0 0 1 1 *", service: web, command: bin/clean}
"""
FOLLOWED = WEB.replace("count: 2", "count: 2-5, targets: {cpu: 70}") + TIMER
ALONE = WEB.replace("port: 3000", "port: 3000\n    singleton: true").replace("count: 2", "count: 1")


def without(release: str, found: dict[str, Document]) -> dict[str, Document]:
    """Return what is asked for without the id of its release, of which a rollback makes another."""
    text = json.dumps(found, sort_keys=True)
    plain: dict[str, Document] = json.loads(
        text.replace(release, "RELEASE").replace(release.lower(), "release")
    )
    return plain


async def stranger(stage: Stage) -> None:
    """Make a CronJob of the timer's name by hand, after the dry run, so that the timer is refused."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/x:v1"}]}
    body: Any = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "timer-nightly"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
    path = f"/apis/batch/v1/namespaces/{stage.namespace()}/cronjobs"
    await stage.cluster.admin.call("POST", path, body)


async def test_an_autoscaler_and_a_timer_come_once_the_pods_are_verified(stage: Stage):
    release = await stage.build(manifest=FOLLOWED, web="v1")
    promotion = await stage.promoted(release)

    assert promotion.phase == "Running"
    await stage.tells("followed", promotion.id)
    found = await stage.everything()
    assert found["HorizontalPodAutoscaler/web"]["spec"]["maxReplicas"] == 5
    assert found["CronJob/timer-nightly"]["spec"]["schedule"] == "0 0 1 1 *"
    assert "web is not scaled by its load" in (await stage.card(promotion.id)).text


async def test_a_way_back_from_them_leaves_exactly_what_was_there_before(stage: Stage):
    good = await stage.running(web="v1")
    before = await stage.everything()
    promotion = await stage.promote(await stage.build(manifest=FOLLOWED, web="v2"))
    await stage.phase(promotion, "Updating")
    await stranger(stage)

    ended = await stage.ended(promotion)
    assert (ended.phase, ended.back_to) == ("Reverted", good)
    await stage.tells("follower-refused", promotion)
    await stage.runs(good)
    assert await stage.everything() == before


async def test_a_rollback_by_a_person_leaves_exactly_what_was_there_before(stage: Stage):
    first = await stage.running(web="v1")
    before = without(first, await stage.everything())
    await stage.running(manifest=FOLLOWED, web="v2")
    await stage.command(f"releases rollback {first} -a myapp", user=BOB)
    back = await stage.ended((await stage.newest()).id)
    assert back.phase == "Running"

    async def pruned() -> bool:
        return (
            not {"CronJob/timer-nightly", "HorizontalPodAutoscaler/web"} & (await stage.everything()).keys()
        )

    await stage.until(pruned)
    assert without(back.release, await stage.everything()) == before


async def test_what_must_not_run_twice_is_replaced_without_ever_doing_so(stage: Stage):
    await stage.running(manifest=WEB.replace("count: 2", "count: 1"), web="v1")
    promotion = await stage.promoted(await stage.build(manifest=ALONE, web="v2"))

    assert promotion.phase == "Running"
    assert promotion.cautions == ("web is down from when the rollout begins until its new process is ready",)
    deployment = await stage.deployment()
    assert deployment is not None
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    back = await stage.promoted(await stage.build(manifest=WEB, web="v3"))
    assert back.phase == "Running"
    deployment = await stage.deployment()
    assert deployment is not None
    assert deployment["spec"]["strategy"]["type"] == "RollingUpdate"
