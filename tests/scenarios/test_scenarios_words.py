"""What is said where words were wrong once, on both clusters: no suspicion of what is good, no advice that costs a serving pod."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import ALONE
from tests.scenarios.harness import Stage

HOOKS = "    lifecycle: {postStart: bin/warm, preStop: bin/drain}\n"
# Its one pod goes before the next one comes, and may take longer for it than a quota is waited for.
LEAVES_FIRST = (
    ALONE.replace("termination: {grace: 5}", "termination: {grace: 35}")
    + "    deployment: {minimum: 0, maximum: 100}\n"
)


@asynccontextmanager
async def cordoned(stage: Stage) -> AsyncGenerator[None]:
    """Do what `kubectl cordon` does to every node, and undo it."""
    nodes = (await stage.cluster.admin.call("GET", "/api/v1/nodes"))["items"]

    async def mark(*, closed: bool) -> None:
        for node in nodes:
            where = f"/api/v1/nodes/{node['metadata']['name']}"
            await stage.cluster.admin.call(
                "PATCH", where, {"spec": {"unschedulable": closed or None}}, content=MERGE
            )

    await mark(closed=True)
    try:
        yield
    finally:
        await mark(closed=False)


async def test_where_no_node_takes_pods_nobody_is_advised_to_give_up_one_that_serves(stage: Stage):
    good = await stage.running(web="v1")
    stage.rule(deadline="6s")
    async with cordoned(stage):
        promotion = await stage.promoted(await stage.build(web="v2"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    assert "deployment.minimum" not in "\n".join(await stage.thread(promotion.id))
    await stage.tells("cordoned", promotion.id)


async def test_a_good_release_that_starts_slowly_is_told_without_a_suspicion(stage: Stage):
    await stage.running(web="v1")
    stage.rule(deadline="60s", longest="300s")
    promotion = await stage.promoted(await stage.build(web="v2-slow"))

    assert promotion.phase == "Running", promotion.cause
    await stage.tells("slow-start", promotion.id)


async def test_a_change_of_variables_that_is_cancelled_says_nothing_of_the_build(stage: Stage):
    good = await stage.running(web="v1")
    stage.rule(settle="60s")
    await stage.command("env set A=1 --promote")
    changed = await stage.newest()
    await stage.phase(changed.id, "Updating")
    await stage.command("apps cancel myapp")
    ended = await stage.ended(changed.id)

    assert (ended.phase, ended.back_to) == ("Reverted", good)
    assert f"on hold: {changed.release}" in await stage.command("releases")
    stage.rule()
    answer = await stage.command("env set B=1 --promote")
    assert "Promoting R" in answer, "its build is free"
    assert (await stage.ended((await stage.newest()).id)).phase == "Running"


async def test_a_program_for_another_processor_is_named_though_its_exit_says_nothing(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    promotion = await stage.promoted(await stage.build(manifest=ALONE, web="v2-arm64"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("another-processor", promotion.id)
    await stage.runs(good, count=1)


async def test_a_post_start_hook_that_fails_is_told_with_its_exit_and_its_output(stage: Stage):
    good = await stage.running(manifest=ALONE + HOOKS, web="v1")
    promotion = await stage.promoted(await stage.build(manifest=ALONE + HOOKS, web="v2-poststart"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("post-start-fails", promotion.id)
    await stage.runs(good, count=1)


async def test_a_pre_stop_hook_that_fails_is_told_of_the_old_pods_and_is_no_fault_of_the_new_release(
    stage: Stage,
):
    """Its exit code and its output are in no event and no status, so nobody can tell them."""
    await stage.running(manifest=ALONE + HOOKS, web="v1-prestop")
    promotion = await stage.promoted(await stage.build(manifest=ALONE + HOOKS, web="v2"))

    assert promotion.phase == "Running", promotion.cause
    await stage.tells("pre-stop-fails", promotion.id)


async def test_a_quota_that_a_going_pod_still_holds_is_waited_for(stage: Stage):
    await stage.running(manifest=LEAVES_FIRST, web="v1-deaf")
    quotas = f"/api/v1/namespaces/{stage.namespace()}/resourcequotas"
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    await stage.cluster.admin.call("POST", quotas, quota)
    stage.rule(deadline="60s", longest="120s")
    promotion = await stage.promoted(await stage.build(manifest=LEAVES_FIRST, web="v2"))

    assert promotion.phase == "Running", promotion.cause
    await stage.tells("quota-still-held", promotion.id)
