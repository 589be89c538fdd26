"""Somebody works on the app with kubectl while a release rolls out, or before, on both clusters: what runs is what was approved."""

import asyncio
from typing import Any

import pytest

from core.errors import Unreachable
from core.records.bundle import Bundle, Ref
from core.records.intent import Applied
from tests.scenarios import by_hand
from tests.scenarios.arrangement import BOB, WEB, WORKER
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
    assert app.active_release == good
    assert "on hold" not in await stage.command("releases")

    assert "Rolling back to" in await stage.click(promotion, "rollback", user=BOB)
    back = await stage.ended((await stage.newest()).id)
    assert back.phase == "Running", back.cause
    await stage.runs(back.release)


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
    assert str(ended.cause).startswith("kubectl changed .spec.template.")
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


@pytest.mark.parametrize("kind", ["services", "secrets"])
async def test_what_is_deleted_while_everything_else_is_good_is_no_success(stage: Stage, kind: str):
    good = await stage.running(web="v1")
    stage.rule(settle="8s")
    promotion = await stage.promote(await stage.build(web="v2"))
    await complete(stage, promotion)
    names = [each["metadata"]["name"] for each in await stage.items(kind)]
    release = (await stage.bot.store.read.promotion(promotion)).release
    name = "web" if kind == "services" else f"env-web-{release.lower()}"
    assert name in names
    await by_hand.delete(stage, kind, name)
    ended = await stage.ended(promotion)

    assert (ended.phase, ended.back_to) == ("Reverted", good)
    assert str(ended.cause).endswith(f"/{name} was deleted by somebody")
    if kind == "services":
        await stage.tells("deleted-service", promotion)
    assert "on hold" not in await stage.command("releases")
    assert "web" in {each["metadata"]["name"] for each in await stage.items("services")}
    await stage.runs(good)


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


def main_of(deployment) -> dict:
    return deployment["spec"]["template"]["spec"]["containers"][0]


async def test_a_variable_set_before_is_refused_and_overwritten_where_asked_for(stage: Stage):
    await stage.running(web="v1")
    await by_hand.set_env(stage, "DEBUG", "1")
    release = await stage.build(web="v2")
    refused = await stage.promoted(release)

    assert refused.phase == "Refused"
    await stage.tells("drift-refused", refused.id)
    assert "DEBUG" in {each["name"] for each in main_of(await stage.deployment())["env"]}, (
        "nothing was touched"
    )

    ended = await stage.promoted(release, "--overwrite")
    assert ended.phase == "Running", ended.cause
    assert {each["name"] for each in main_of(await stage.deployment())["env"]} == {"INSTANCE_IP"}
    line = await stage.line(ended.id, "Overwrote")
    assert line.text == (
        'Overwrote .spec.template.spec.containers[name="main"].env[name="DEBUG"] (set by kubectl-set)'
    )
    assert (await stage.promoted(await stage.build(web="v3"))).phase == "Running"


async def test_a_variable_set_by_hand_is_gone_after_a_rollback(stage: Stage):
    first = await stage.running(web="v1")
    await by_hand.set_env(stage, "DEBUG", "1")
    await stage.command(f"releases rollback {first}")
    back = await stage.ended((await stage.newest()).id)

    assert back.phase == "Running", back.cause
    assert {each["name"] for each in main_of(await stage.deployment())["env"]} == {"INSTANCE_IP"}
    assert "(set by kubectl-set)" in (await stage.line(back.id, "Overwrote")).text


async def test_after_an_undo_a_rollback_puts_everything_right_for_all_that_follow(stage: Stage):
    first = await stage.running(web="v1")
    await stage.running(web="v2")
    await by_hand.undo(stage, first)
    refused = await stage.promoted(await stage.build(web="v3"))
    assert refused.phase == "Refused"
    assert "(set by kubectl)" in str(refused.reason)

    await stage.command(f"releases rollback {first}")
    assert (await stage.ended((await stage.newest()).id)).phase == "Running"
    for tag in ("v4", "v5"):
        ended = await stage.promoted(await stage.build(web=tag))
        assert ended.phase == "Running", str(ended.reason)
        await stage.runs(ended.release)


async def type_of_service(stage: Stage) -> str:
    (service,) = await stage.items("services")
    return service["spec"]["type"]


async def test_a_service_made_public_by_hand_is_refused_by_name_and_a_rollback_says_that_it_took_it_back(
    stage: Stage,
):
    first = await stage.running(web="v1")
    await by_hand.set_type(stage, "web", "LoadBalancer")
    refused = await stage.promoted(await stage.build(web="v2"))

    assert refused.phase == "Refused"
    await stage.tells("service-by-hand", refused.id)
    assert await type_of_service(stage) == "LoadBalancer"

    await stage.command(f"releases rollback {first}")
    back = await stage.ended((await stage.newest()).id)
    assert back.phase == "Running", back.cause
    assert await type_of_service(stage) == "ClusterIP"
    line = await stage.line(back.id, "Overwrote")
    assert (line.object, line.text) == ("web", "Overwrote .spec.type (set by kubectl-patch)")


async def test_overwriting_takes_a_service_back_and_the_next_promote_needs_it_no_more(stage: Stage):
    await stage.running(web="v1")
    await by_hand.set_type(stage, "web", "LoadBalancer")
    ended = await stage.promoted(await stage.build(web="v2"), "--overwrite")

    assert ended.phase == "Running", ended.cause
    assert (await stage.line(ended.id, "Overwrote")).text == "Overwrote .spec.type (set by kubectl-patch)"
    assert await type_of_service(stage) == "ClusterIP"
    assert (await stage.promoted(await stage.build(web="v3"))).phase == "Running"


async def test_an_image_set_while_the_bot_was_away_ends_it_before_anything_more_is_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    """It died between two services: what it had applied is somebody else's by now, and the other service is left as it was."""
    cluster = stage.bot.supervisor._ports.cluster
    real, waits = cluster.apply, asyncio.Event()

    async def apply(app: str, bundle: Bundle, ref: Ref, **more: Any) -> Applied:
        if ref == Ref("Deployment", "worker"):
            waits.set()
            raise Unreachable("the connection was cut")
        return await real(app, bundle, ref, **more)

    monkeypatch.setattr(cluster, "apply", apply)
    promotion = await stage.promote(await stage.build(manifest=WEB + WORKER, web="v1", worker="v1"))
    await stage.until(waits.is_set)
    await stage.stop()
    await by_hand.set_image(stage, "v9")
    await stage.start()
    ended = await stage.ended(promotion)

    assert ended.phase == "Superseded"
    assert "kubectl-set changed" in str(ended.cause)
    assert await stage.deployment("worker") is None
