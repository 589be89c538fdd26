"""The same bot without a socket: Slack posts to it, signed."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.scenarios.arrangement import ALICE, CAROL, CHANNEL, LOOPBACK
from tests.scenarios.conftest import Open
from tests.scenarios.harness import Stage


@pytest.fixture
def plane():
    """The cluster makes no difference to Slack."""


@pytest.fixture
async def stage(open_stage: Open) -> AsyncIterator[Stage]:
    """A stage in HTTP mode."""
    async with open_stage(http=True) as made:
        await made.create_app()
        yield made


async def post(stage: Stage, headers: dict[str, str], body: str, path: str = "/slack/events") -> int:
    """Send what claims to come from Slack; return the status of the answer."""
    url = f"http://{LOOPBACK}:{stage.settings.port}{path}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=form | headers) as got,
    ):
        return got.status


def signed(secret: str, timestamp: str, body: str) -> dict[str, str]:
    base = f"v0:{timestamp}:{body}".encode()
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signature}"}


async def test_commands_clicks_cards_and_threads_work_as_through_a_socket(stage: Stage):
    stage.rule(approvals="{promote: {count: 1}}", unpinned="true")
    promotion = await stage.promote(await stage.build(web="v1"))
    await stage.click(promotion, "approve", user=CAROL)

    assert (await stage.ended(promotion)).phase == "Running"
    await stage.tells("approved", promotion)
    assert stage.slack.connected == 0
    assert (await stage.http("GET", "/readyz"))[0] == 200


async def test_a_timestamp_that_is_no_number_is_turned_away(stage: Stage):
    secret = stage.slack.credentials.signing_secret
    body = urlencode({"command": "/convox", "text": "releases", "user_id": ALICE, "channel_id": CHANNEL})
    for timestamp in ("garbage", "", "-1", "1e9", "٣", "1" * 400):
        assert await post(stage, signed(secret, timestamp, body), body) == 401, timestamp
    assert await post(stage, {}, body) == 401


async def test_a_wrong_signature_or_an_old_one_is_turned_away(stage: Stage):
    secret = stage.slack.credentials.signing_secret
    fields = {"command": "/convox", "text": "apps create intruder", "user_id": ALICE, "channel_id": CHANNEL}
    body = urlencode({**fields, "trigger_id": "1.2.3", "response_url": f"{stage.slack.url}/response/x"})
    now = str(int(time.time()))
    hour_ago = str(int(time.time()) - 3600)

    assert await post(stage, signed("not the secret", now, body), body) == 401
    assert await post(stage, signed(secret, hour_ago, body), body) == 401
    assert await post(stage, signed(secret, now, body), body + "&text=help") == 401
    assert [app.name for app in await stage.bot.store.read.apps()] == ["myapp"]


async def test_the_api_is_not_on_slacks_port_and_slack_not_on_the_apis(stage: Stage):
    assert await post(stage, stage.authorization, "", path="/commands") == 404
    assert (await stage.http("POST", "/slack/events"))[0] == 404


async def test_a_menu_is_filled_through_the_address_for_options_and_is_empty_without_one(stage: Stage):
    release = await stage.build(web="v1")
    assert (await stage.slack.command(ALICE, CHANNEL, "releases promote --ask -a myapp")).ok

    def filled() -> dict[str, Any] | None:
        view = stage.slack.views.modal(ALICE)
        return view if view and "submit" in view else None

    view = await stage.until(filled)
    offered = await stage.slack.views.suggest(ALICE, view["id"], "release")
    assert [each["value"] for each in offered] == [release]
    stage.slack.options_url = ""
    assert await stage.slack.views.suggest(ALICE, view["id"], "release") == []
