"""Releases that work, on both clusters: what people are told, what runs, and what is left as it was."""

from pathlib import Path

from bot.playground.kubelet.api import MERGE
from tests.scenarios.arrangement import WEB, WORKER
from tests.scenarios.harness import Stage

EXAMPLE = (Path(__file__).parents[2] / "examples" / "myapp" / "convox.yml").read_text(encoding="utf-8")


def uids(pods):
    return {pod["metadata"]["uid"] for pod in pods}


async def scale_by_hand(stage: Stage, count: int) -> None:
    """Do what `kubectl scale` does."""
    path = f"/apis/apps/v1/namespaces/{stage.namespace()}/deployments/web/scale"
    await stage.cluster.admin.call("PATCH", path, {"spec": {"replicas": count}}, content=MERGE)


async def test_the_example_goes_out_and_its_whole_thread_is_told(stage: Stage):
    assert "Release: R" in await stage.command("env set DATABASE_URL=postgres://db.example/myapp")
    release = await stage.build(manifest=EXAMPLE, web="v1", worker="v1")
    promotion = await stage.promoted(release)

    assert promotion.phase == "Running"
    await stage.tells("example", promotion.id)
    await stage.runs(release)
    await stage.runs(release, "worker", count=1)
    app = await stage.bot.store.read.app("myapp")
    assert app.active_release == release
    assert (await stage.bot.store.read.release_status(release)).verified_at
    assert f"{release}  active" in await stage.command("releases")


async def test_promoting_the_active_release_again_restarts_nothing(stage: Stage):
    release = await stage.running(web="v1")
    before = uids(await stage.pods())
    promotion = await stage.promoted(release)

    assert promotion.phase == "Running"
    await stage.tells("again", promotion.id)
    assert uids(await stage.pods()) == before


async def test_setting_a_variable_and_promoting_in_one_go(stage: Stage):
    await stage.running(web="v1")
    before = uids(await stage.pods())
    answer = await stage.command("env set FOO=bar --promote")

    newest = (await stage.bot.store.read.releases("myapp", 1))[0]
    assert answer == f"```\nSetting FOO... OK\nRelease: {newest.id}\nPromoting {newest.id}...\n```"
    promotion = await stage.ended((await stage.newest()).id)
    assert (promotion.phase, promotion.release) == ("Running", newest.id)
    assert newest.description == "env add:FOO"
    await stage.tells("env-set", promotion.id)
    await stage.runs(newest.id)
    assert not before & uids(await stage.pods())
    names = {secret["metadata"]["name"] for secret in await stage.items("secrets")}
    assert f"env-web-{newest.id.lower()}" in names


async def test_a_count_set_by_hand_survives_a_promote_an_automatic_rollback_and_a_rollback(stage: Stage):
    first = await stage.running(web="v1")
    await scale_by_hand(stage, 3)
    await stage.runs(first, count=3)

    good = await stage.running(web="v2")
    await stage.runs(good, count=3)

    bad = await stage.promoted(await stage.build(web="v3-notfound"))
    assert (bad.phase, bad.back_to) == ("Reverted", good)
    await stage.runs(good, count=3)

    assert f"Rolling back to {first}... OK, R" in await stage.command(f"releases rollback {first}")
    back = await stage.ended((await stage.newest()).id)
    assert back.phase == "Running"
    await stage.runs(back.release, count=3)


async def test_a_service_that_was_taken_out_of_the_manifest_goes_once_the_rest_is_verified(stage: Stage):
    first = await stage.running(manifest=WEB + WORKER, web="v1", worker="v1")
    worker = await stage.deployment("worker")

    bad = await stage.promoted(await stage.build(web="v2-notfound"))
    assert bad.phase == "Reverted"
    assert (await stage.deployment("worker"))["metadata"]["uid"] == worker["metadata"]["uid"]

    promotion = await stage.promote(await stage.build(web="v3"))
    await stage.phase(promotion, "Updating")
    await stage.runs(first, "worker", count=1)
    ended = await stage.ended(promotion)
    assert ended.phase == "Running"

    async def gone() -> bool:
        return await stage.deployment("worker") is None and not await stage.pods("worker")

    async def said() -> bool:
        return "no longer part of the app, removed: Deployment/worker" in (await stage.card(promotion)).text

    await stage.until(gone)
    await stage.until(said)
    await stage.tells("pruned", promotion)
    await stage.runs(ended.release)
