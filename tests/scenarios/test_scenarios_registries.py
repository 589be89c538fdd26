"""The app's logins at registries in its pods, on both clusters: renewed at once, gone when forgotten, never one of before."""

import base64
import json

from tests.scenarios.harness import Stage

SECRET = "convox-bot-registries"


async def log_in(stage: Stage, password: str) -> None:
    body = {"text": "registries add registry.example bot -a myapp", "input": {"value": password}}
    status, said = await stage.http("POST", "/commands", body)
    assert (status, password in said) == (200, False), said


async def passwords(stage: Stage) -> list[str]:
    """Return the passwords with which the pods of the app pull."""
    (secret,) = [s for s in await stage.items("secrets") if s["metadata"]["name"] == SECRET]
    auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    return [each["password"] for each in auths.values()]


async def pulled_with(stage: Stage) -> set[str]:
    pods = await stage.pods("web")
    return {each["name"] for pod in pods for each in pod["spec"].get("imagePullSecrets", [])}


async def test_pods_pull_with_the_login_of_now_whichever_release_they_are_of(stage: Stage):
    before = await stage.running(web="v1")
    assert await pulled_with(stage) == set()

    await log_in(stage, "first-password")
    first = await stage.running(web="v2")
    assert await pulled_with(stage) == {SECRET}
    assert await passwords(stage) == ["first-password"]
    path = stage.settings.convox_database
    assert b"first-password" not in b"".join(f.read_bytes() for f in path.parent.glob(f"{path.name}*"))

    await log_in(stage, "second-password")
    assert await passwords(stage) == ["second-password"]  # at once, without a promotion
    bad = await stage.promoted(await stage.build(web="v3-notfound"))
    assert (bad.phase, bad.back_to) == ("Reverted", first)
    assert await passwords(stage) == [
        "second-password"
    ]  # a way back brings back no password that was revoked

    status, said = await stage.do("registries rm registry.example -a myapp")
    assert status == 200, said
    assert await passwords(stage) == []
    await stage.command(f"releases rollback {before}")
    assert (await stage.ended((await stage.newest("myapp")).id)).phase == "Running"
    assert await pulled_with(stage) == set()
