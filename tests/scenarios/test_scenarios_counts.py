"""How many pods there are in the end, on both clusters: the manifest's count, a person's, and that of what somebody deleted."""

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import WEB, WORKER
from tests.scenarios.harness import Stage


def web(count: int) -> str:
    return WEB.replace("count: 2", f"count: {count}")


async def scale_by_hand(stage: Stage, count: int) -> None:
    """Do what `kubectl scale` does."""
    path = f"/apis/apps/v1/namespaces/{stage.namespace()}/deployments/web/scale"
    await stage.cluster.admin.call("PATCH", path, {"spec": {"replicas": count}}, content=MERGE)


async def test_from_0_to_2_gives_2_pods_that_are_judged(stage: Stage):
    nothing = await stage.promoted(await stage.build(manifest=web(0), web="v1"))
    assert (nothing.phase, nothing.nothing_ran) == ("Running", True)

    good = await stage.promoted(await stage.build(manifest=web(2), web="v2"))
    assert (good.phase, good.nothing_ran) == ("Running", False)
    await stage.runs(good.release)
    assert good.progress.services == {"web": (2, 2)}


async def test_a_count_that_the_manifest_changes_wins_over_one_by_hand_and_0_is_one(stage: Stage):
    first = await stage.running(web="v1")
    await scale_by_hand(stage, 0)
    await stage.runs_nothing()
    second = await stage.promoted(await stage.build(web="v2"))
    assert second.nothing_ran, f"a person has said 0, and the manifest says what it said for {first}"

    third = await stage.promoted(await stage.build(manifest=web(1), web="v3"))
    assert (third.phase, third.nothing_ran) == ("Running", False)
    await stage.runs(third.release, count=1)


async def test_a_deployment_deleted_in_the_middle_comes_back_with_the_count_it_had(stage: Stage):
    good = await stage.running(web="v1")
    await scale_by_hand(stage, 3)
    await stage.runs(good, count=3)
    promotion = await stage.promote(await stage.build(web="v2-neverready"))
    await stage.phase(promotion, "Updating")
    path = f"/apis/apps/v1/namespaces/{stage.namespace()}/deployments/web"
    await stage.cluster.admin.call("DELETE", path)

    ended = await stage.ended(promotion)
    assert (ended.phase, ended.back_to) == ("Reverted", good)
    assert "its Deployment" in str(ended.cause)
    assert "by somebody" in str(ended.cause)
    await stage.runs(good, count=3)


async def test_a_service_that_comes_back_has_the_count_of_its_manifest(stage: Stage):
    await stage.running(manifest=WEB + WORKER, web="v1", worker="v1")
    await stage.running(web="v2")

    async def pruned() -> bool:
        return await stage.deployment("worker") is None

    await stage.until(pruned)
    two = WORKER.replace("count: 1", "count: 2")
    release = await stage.running(manifest=WEB + two, web="v3", worker="v3")
    await stage.runs(release, "worker", count=2)


async def scaled_to_nothing(stage: Stage) -> str:
    """Return the promotion of a release that became active while a person kept the app at 0."""
    await stage.running(web="v1")
    await scale_by_hand(stage, 0)
    await stage.runs_nothing()
    return await stage.promote(await stage.build(web="v2"))


async def first_pods(stage: Stage, promotion: str) -> str:
    """Return what the card says of them once it does."""

    async def said() -> str:
        return (await stage.bot.store.read.promotion(promotion)).progress.first_pods

    return await stage.until(said)


async def test_a_release_of_which_nothing_ran_says_so_loudly_and_its_first_pods_verify_it(stage: Stage):
    ended = await stage.ended(await scaled_to_nothing(stage))
    assert (ended.phase, ended.nothing_ran) == ("Running", True)
    await stage.tells("nothing-ran", ended.id)
    assert "was never verified: nothing of it ran" in await stage.command("releases")

    await scale_by_hand(stage, 2)
    assert await first_pods(stage, ended.id) == "its first pods have started and stood: it is verified"
    assert (await stage.bot.store.read.release_status(ended.release)).verified_at is not None


async def test_the_first_pods_of_such_a_release_crash_and_it_is_on_hold(stage: Stage):
    await stage.running(web="v1")
    await scale_by_hand(stage, 0)
    await stage.runs_nothing()
    ended = await stage.promoted(await stage.build(web="v2-crash"))
    assert ended.nothing_ran
    await scale_by_hand(stage, 2)

    assert (await first_pods(stage, ended.id)).startswith("its first pods failed: ")
    assert f"on hold: {ended.release}" in await stage.command("releases")
    assert (await stage.deployment())["spec"]["replicas"] == 2, "nothing is undone"
