"""What is pushed is cloned, built and goes out by itself, as far as its rule says: the whole process, from the webhook to the verdict."""

import hashlib
import hmac

import aiohttp
import orjson
import pytest

from core.promotion import Phase, Promotion
from tests.bot.api.webhooks.payloads import COMMIT, github
from tests.controlplane.processes import free_ports
from tests.scenarios.arrangement import APP, BOB, LOOPBACK, policy
from tests.scenarios.conftest import Open
from tests.scenarios.harness import Stage

SECRET = "the secret of this test"
RULE = f"builds: [{{repository: github.com/acme/shop, branch: main, app: {APP}, promote: ask}}]\n"


@pytest.fixture
def plane():
    """Only the simulated cluster clones what there is not."""


async def pushed(stage: Stage) -> dict[str, bool | str]:
    """Tell of a push as GitHub does, and return what became of it in the app."""
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
        assert answer.status == 202
        (built,) = (await answer.json())["builds"]
        return built


async def test_a_push_is_built_and_goes_out_once_somebody_has_approved_it_as_its_rule_says(open_stage: Open):
    port = str(free_ports(1)[0])
    more = {
        "API_PORT": port,
        "CONVOX_REGISTRY": "registry.example",
        "CONVOX_BUILD_ADDRESS": f"http://{LOOPBACK}:{port}",
        "CONVOX_GITHUB_WEBHOOK_SECRETS": SECRET,
    }
    async with open_stage(more=more) as stage:
        await stage.create_app()
        assert stage.settings.convox_policy is not None
        stage.settings.convox_policy.write_text(RULE + policy(), encoding="utf-8")
        stage.bot.policy.reload()
        first = await pushed(stage)
        await stage.restart()
        again = await pushed(stage)
        assert (again["id"], first["known"], again["known"]) == (first["id"], False, True)

        async def asked() -> Promotion | None:
            return next(iter(await stage.bot.store.read.promotions(APP, 1)), None)

        promotion = await stage.until(asked)
        run = await stage.bot.store.read.build_run(str(first["id"]))
        assert (promotion.release, promotion.phase) == (run.release, Phase.AWAITING_APPROVAL)
        # Whose commit it is says the clone by then, and no longer the payload.
        assert (run.request.git_sha, run.request.author) == (COMMIT, "Ada Lovelace")
        assert "webhook:github.com/acme/shop" in (await stage.card(promotion.id)).text
        await stage.click(promotion.id, "approve", user=BOB)
        assert (await stage.ended(promotion.id)).phase is Phase.RUNNING
        assert len(await stage.bot.store.read.promotions(APP, 9)) == 1
