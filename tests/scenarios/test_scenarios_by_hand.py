"""Somebody works on the app with kubectl while a release rolls out, or before, on both clusters: what runs is what was approved."""

from tests.scenarios import by_hand
from tests.scenarios.harness import Stage


async def rolling(stage: Stage, **images: str) -> str:
    """Return a promotion that is being watched, of pods that do not become ready."""
    promotion = await stage.promote(await stage.build(**images))

    async def told() -> bool:
        texts = [line.text for line in await stage.lines(promotion)]
        return texts.count("Started container main") == 2 and any("health check" in text for text in texts)

    await stage.until(told)
    return promotion


async def complete(stage: Stage, promotion: str) -> None:
    """Wait until everything is ready and only watched."""

    async def watching() -> bool:
        return (await stage.bot.store.read.promotion(promotion)).progress.settling is not None

    await stage.until(watching)


async def test_an_image_set_in_the_middle_is_never_verified_and_left_alone(stage: Stage):
    good = await stage.running(web="v1")
    promotion = await rolling(stage, web="v2-neverready")
    # How far the controllers have come with it by then would be luck.
    stage.cluster.freeze()
    await by_hand.set_image(stage, "v3")
    ended = await stage.ended(promotion)
    stage.cluster.thaw()

    assert ended.phase == "Superseded"
    await stage.tells("image-by-hand", promotion)
    live = await stage.deployment()
    assert live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v3")
    app = await stage.bot.store.read.app("myapp")
    assert (app.active, app.verified) == (good, good)
    assert "on hold" not in await stage.command("releases")


async def test_an_image_set_when_everything_is_complete_is_no_success(stage: Stage):
    stage.rule(settle="30s")
    promotion = await stage.promote(await stage.build(web="v1"))
    await complete(stage, promotion)
    await by_hand.set_image(stage, "v2")
    ended = await stage.ended(promotion)

    assert ended.phase == "Superseded"
    assert "kubectl-set changed" in str(ended.cause)
    assert (await stage.bot.store.read.release_status(ended.release)).verified_at is None


async def test_a_variable_set_in_the_middle_ends_it_too(stage: Stage):
    await stage.running(web="v1")
    promotion = await rolling(stage, web="v2-neverready")
    await by_hand.set_env(stage, "DEBUG", "1")
    ended = await stage.ended(promotion)

    assert str(ended.cause) == (
        'kubectl-set changed .spec.template.spec.containers[name="main"].env[name="DEBUG"] of web while it was rolled out'
    )


async def test_undone_in_the_middle_ends_at_once_and_holds_nothing(stage: Stage):
    good = await stage.running(web="v1")
    promotion = await rolling(stage, web="v2-neverready")
    await by_hand.undo(stage, good)
    ended = await stage.ended(promotion)

    assert ended.phase == "Superseded"
    assert str(ended.cause).startswith("kubectl-rollout changed .spec.template.")
    assert "on hold" not in await stage.command("releases")
    await stage.runs(good)


async def test_paused_in_the_middle_ends_at_once_and_before_it_is_refused(stage: Stage):
    await stage.running(web="v1")
    promotion = await rolling(stage, web="v2-neverready")
    await by_hand.pause(stage)
    ended = await stage.ended(promotion)

    assert ended.phase == "Superseded"
    await stage.tells("paused-by-hand", promotion)
    assert "on hold" not in await stage.command("releases")

    refused = await stage.promoted(await stage.build(web="v3"))
    assert refused.phase == "Refused"
    assert "kubectl-rollout has paused the rollout of web" in str(refused.reason)


async def test_a_restart_by_kubectl_in_the_middle_is_no_other_release(stage: Stage):
    stage.rule(settle="8s")
    promotion = await stage.promote(await stage.build(web="v1"))
    await complete(stage, promotion)
    notes = {"kubectl.kubernetes.io/restartedAt": "2026-11-24T10:00:00Z"}
    await by_hand.patched(
        stage, {"template": {"metadata": {"annotations": notes}}}, manager="kubectl-rollout"
    )
    ended = await stage.ended(promotion)

    assert ended.phase == "Running", ended.cause
    await stage.runs(ended.release)
