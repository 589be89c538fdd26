"""The two races of Kubernetes' rollout status, on both clusters: an old status that looks like news."""

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import ALONE
from tests.scenarios.harness import Stage


async def test_a_status_from_before_the_apply_is_no_success(stage: Stage):
    await stage.running(web="v1")
    stage.cluster.freeze()
    release = await stage.build(web="v2")
    promotion = await stage.promote(release)

    # Longer than the settle window: whoever believes the old conditions has said OK by then.
    async def watched() -> bool:
        found = await stage.bot.store.read.promotion(promotion)
        assert found.phase in {"Pending", "Updating"}, found.phase
        return found.progress.watched >= 5.0

    await stage.until(watched)
    conditions = {c["type"]: c["status"] for c in (await stage.deployment())["status"]["conditions"]}
    assert conditions == {"Available": "True", "Progressing": "True"}
    stage.cluster.thaw()

    assert (await stage.ended(promotion)).phase == "Running"
    await stage.tells("frozen", promotion)
    await stage.runs(release)


async def test_a_deadline_that_sticks_to_the_deployment_does_not_fail_the_rollback(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    stage.rule(longest="12s")
    promotion = await stage.promote(await stage.build(manifest=ALONE, web="v2-neverready"))
    await stage.phase(promotion, "Updating")
    path = f"/apis/apps/v1/namespaces/{stage.namespace()}/deployments/web"
    await stage.cluster.admin.call(
        "PATCH",
        path,
        {"spec": {"progressDeadlineSeconds": 2}},
        content=MERGE,
        query={"fieldManager": "kubectl-edit"},
    )

    async def exceeded() -> bool:
        found = await stage.bot.store.read.promotion(promotion)
        conditions = (await stage.deployment())["status"]["conditions"]
        assert found.phase == "Updating", f"{found.phase}, before Kubernetes' own deadline"
        return any(c["reason"] == "ProgressDeadlineExceeded" for c in conditions)

    await stage.until(exceeded)
    ended = await stage.ended(promotion)

    assert (ended.phase, ended.back_to) == ("Reverted", good)
    await stage.tells("sticky-deadline", promotion)
    await stage.runs(good, count=1)
