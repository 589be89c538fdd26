"""Releases that do not work, on both clusters: the cause in seconds, the way back, and what is said of both."""

from datetime import datetime

from tests.scenarios.arrangement import ALONE
from tests.scenarios.harness import Stage


async def first_report(stage: Stage, reason: str) -> datetime:
    """Return when a kubelet first said this, by the cluster's own record."""
    found = [event for event in await stage.items("events") if event["reason"] == reason]
    return min(datetime.fromisoformat(event["firstTimestamp"]) for event in found)


async def test_an_image_that_does_not_exist_is_named_in_seconds_and_the_app_goes_back(stage: Stage):
    good = await stage.running(web="v1")
    pods = {pod["metadata"]["uid"] for pod in await stage.pods()}
    promotion = await stage.promoted(await stage.build(web="v2-notfound"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("image-not-found", promotion.id)
    verdict = await stage.line(promotion.id, "Status: Updating => Error")
    assert (verdict.at - await first_report(stage, "Failed")).total_seconds() <= 15
    await stage.runs(good)
    assert {pod["metadata"]["uid"] for pod in await stage.pods()} == pods
    app = await stage.bot.store.read.app("myapp")
    assert app.active_release == good
    assert (await stage.bot.store.read.release_status(good)).verified_at
    answer = await stage.command(f"releases promote {promotion.release}")
    assert (
        f"ERROR: {promotion.release} is on hold: its rollout failed: image registry.example/myapp" in answer
    )
    assert f"on hold: {promotion.release}" in await stage.command("releases")


async def test_a_crash_is_told_with_the_log_that_proves_it(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    promotion = await stage.promoted(await stage.build(manifest=ALONE, web="v2-crash"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("crash", promotion.id)
    await stage.runs(good, count=1)


async def test_a_release_that_is_never_ready_ends_at_its_deadline(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    # A start that its own check allows is waited for: five seconds, one to count, and a minute beside them.
    stage.rule(deadline="6s")
    promotion = await stage.promoted(await stage.build(manifest=ALONE, web="v2-neverready"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("never-ready", promotion.id)
    await stage.runs(good, count=1)


async def test_memory_that_runs_out_within_the_settle_window(stage: Stage):
    good = await stage.running(manifest=ALONE, web="v1")
    stage.rule(settle="6s")
    promotion = await stage.promoted(await stage.build(manifest=ALONE, web="v2-oom"))

    assert (promotion.phase, promotion.back_to) == ("Reverted", good)
    await stage.tells("out-of-memory", promotion.id)
    await stage.runs(good, count=1)


async def test_a_first_release_that_fails_is_removed(stage: Stage):
    promotion = await stage.promoted(await stage.build(web="v1-notfound"))

    assert (promotion.phase, promotion.removed) == ("Reverted", True)
    await stage.tells("first-fails", promotion.id)
    assert await stage.items("deployments") == []
    assert "web" not in {service["metadata"]["name"] for service in await stage.items("services")}
    app = await stage.bot.store.read.app("myapp")
    assert app.active_release is None


async def test_a_person_rolls_back(stage: Stage):
    first = await stage.running(web="v1")
    second = await stage.running(web="v2")
    answer = await stage.command(f"releases rollback {first}")

    promotion = await stage.newest()
    assert answer == f"```\nRolling back to {first}... OK, {promotion.release}\n```"
    ended = await stage.ended(promotion.id)
    assert (ended.phase, ended.kind) == ("Running", "rollback")
    await stage.tells("rollback", promotion.id)
    await stage.runs(promotion.release)
    assert (await stage.bot.store.read.release_status(second)).withdrawn
