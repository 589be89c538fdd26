"""What is pushed goes out by itself, as far as the rule says: the whole process, but for the pod that builds."""

import hashlib
import hmac

import aiohttp
import orjson
import pytest

from core.actor import Actor
from core.build_run import BuildRequest, BuildRun
from core.ids import new_id
from core.promotion import Phase, Promotion
from core.records.build import BuildStatus
from tests.bot.api.webhooks.payloads import github
from tests.scenarios.arrangement import APP, BOB, LOOPBACK, WEB, policy
from tests.scenarios.conftest import Open
from tests.scenarios.harness import Stage

SECRET = "the secret of this test"
RULE = f"builds: [{{repository: github.com/acme/shop, branch: main, app: {APP}, promote: ask}}]\n"


@pytest.fixture
def plane():
    """The cluster makes no difference to a push."""


async def pushed(stage: Stage) -> tuple[int, object]:
    repository = github()["repository"] | {"pushed_at": None}
    body = orjson.dumps(github(repository=repository))
    headers = {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "d1",
        "X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}",
        "Content-Type": "application/json",
    }
    url = f"http://{LOOPBACK}:{stage.settings.api_port}/webhooks/github"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def built(stage: Stage) -> BuildRun:
    """Let a push have been built, as the pod of it ends it."""
    request = BuildRequest(
        manifest=WEB,
        source=new_id("source"),
        promote=True,
        promote_after="ask",
        pushed_to="refs/heads/main",
    )
    async with stage.bot.store.transaction() as tx:
        actor = Actor("webhook", "github.com/acme/shop")
        run = BuildRun(id=new_id("build"), app=APP, request=request, created_at=tx.now, created_by=actor)
        await tx.add_build_run(run)
        await tx.save_build_run(run.started(tx.now), was=BuildStatus.CREATED)
        begun = run.started(tx.now)
    await stage.bot.registrar.release_build(begun, {"web": f"registry.example/web@sha256:{'0' * 64}"})
    return await stage.bot.store.read.build_run(run.id)


async def test_a_push_is_taken_and_the_release_of_its_build_waits_for_the_approval_that_its_rule_asks_for(
    open_stage: Open,
):
    async with open_stage(more={"CONVOX_GITHUB_WEBHOOK_SECRETS": SECRET}) as stage:
        await stage.create_app()
        assert stage.settings.convox_policy is not None
        stage.settings.convox_policy.write_text(RULE + policy(), encoding="utf-8")
        stage.bot.policy.reload()
        status, answer = await pushed(stage)
        why = f"{APP}: this rack builds nothing, since CONVOX_REGISTRY and CONVOX_BUILD_ADDRESS is not set"
        assert (status, answer) == (202, {"builds": [], "problems": [why]})
        run = await built(stage)

        async def asked() -> Promotion | None:
            return next(iter(await stage.bot.store.read.promotions(APP, 1)), None)

        promotion = await stage.until(asked)
        assert (promotion.release, promotion.phase) == (run.release, Phase.AWAITING_APPROVAL)
        assert "webhook:github.com/acme/shop" in (await stage.card(promotion.id)).text
        await stage.click(promotion.id, "approve", user=BOB)
        assert (await stage.ended(promotion.id)).phase is Phase.RUNNING
