"""GitHub's and GitLab's webhooks over HTTP: what is signed is built, and a stranger learns nothing and has nothing built."""

import asyncio
import base64
import hashlib
import hmac
import io
from dataclasses import replace

import orjson
import pytest

from bot.api.webhooks.endpoint import MOST_BYTES
from core.policy.authorization import parse_policy
from tests.bot.api.serving import SECRETS, SIGNING_TOKEN
from tests.bot.api.webhooks.payloads import COMMIT, NONE, github, gitlab

RULES = """builds:
  - {repository: github.com/acme/shop, branch: main, app: myapp, promote: ask}
  - {repository: gitlab.example.com/acme/*, branch: main, app: myapp}
"""
SIGNATURE = "X-Hub-Signature-256"


@pytest.fixture(autouse=True)
def rules(api):
    api.world.policy = parse_policy(RULES, open_to_all=True)
    api.builds.hold()


async def by_github(api, payload=None, *, secret=SECRETS.github[0], **headers):
    body = orjson.dumps(github() if payload is None else payload)
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        SIGNATURE: f"sha256={mac}",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post("/webhooks/github", data=io.BytesIO(body), headers=given)


async def by_gitlab(api, payload=None, **headers):
    given = {
        "Content-Type": "application/json",
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "Idempotency-Key": "f5a2c8a1",
        "X-Gitlab-Token": SECRETS.gitlab[0],
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post("/webhooks/gitlab", data=orjson.dumps(payload or gitlab()), headers=given)


async def runs(api):
    return await api.store.read.open_builds()


@pytest.mark.parametrize("secret", SECRETS.github)
async def test_githubs_push_is_built_with_either_secret(api, secret):
    answer = await by_github(api, secret=secret)
    (run,) = await runs(api)
    assert (answer.status, await answer.json()) == (
        202,
        {"builds": [{"app": "myapp", "id": run.id, "known": False}], "problems": []},
    )
    assert (run.request.git_sha, run.request.author) == (COMMIT, "Alice Example")


async def test_gitlabs_push_is_built_with_its_token(api):
    answer = await by_gitlab(api)
    (run,) = await runs(api)
    assert (answer.status, (await answer.json())["builds"][0]["id"]) == (202, run.id)
    assert run.request.git_url == "https://gitlab.example.com/acme/web/shop.git"


def signed_by_gitlab(api, body, **changes):
    key = base64.b64decode(SIGNING_TOKEN.removeprefix("whsec_"))
    stamp = str(int(api.world.clock.now().timestamp()))
    mac = hmac.new(key, f"d1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Gitlab-Event": "Push Hook",
        "webhook-id": "d1",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    } | changes


async def test_gitlabs_push_is_built_with_its_signature(api):
    body = orjson.dumps(gitlab())
    answer = await api.client.post("/webhooks/gitlab", data=body, headers=signed_by_gitlab(api, body))
    assert (answer.status, len(await runs(api))) == (202, 1)


async def test_gitlabs_signature_of_another_body_or_of_an_hour_ago_is_none(api):
    body = orjson.dumps(gitlab())
    for changed, headers in (
        (b"{}", signed_by_gitlab(api, body)),
        (body, signed_by_gitlab(api, body, **{"webhook-timestamp": "1"})),
    ):
        answer = await api.client.post("/webhooks/gitlab", data=changed, headers=headers)
        assert answer.status == 401
    assert await runs(api) == []


async def test_a_hook_of_a_whole_gitlab_says_in_the_body_what_it_is_about(api):
    built = await by_gitlab(api, X_Gitlab_Event="System Hook")
    assert (built.status, len(await runs(api))) == (202, 1)
    for name in ("user_create", ["push"]):
        ignored = await by_gitlab(api, gitlab(event_name=name), X_Gitlab_Event="System Hook")
        assert (await ignored.json()) == {"ignored": "only pushes are built"}


@pytest.mark.parametrize("key", ["", "k"])
async def test_pushes_of_gitlab_that_share_an_event_are_two_and_each_is_built_once(api, key):
    """What a webhook of a push has set off has the event's id too, and of GitLab before 17.4 that is all there is."""
    other = gitlab(before=COMMIT, after="e" * 40, checkout_sha="e" * 40)
    for payload, mark in ((gitlab(), "1"), (other, "2"), (gitlab(), "1"), (other, "2")):
        assert (await by_gitlab(api, payload, Idempotency_Key=key and key + mark)).status == 202
    assert len(await runs(api)) == 2


async def test_a_delivery_that_is_sent_again_starts_nothing(api):
    first, second = await asyncio.gather(by_github(api), by_github(api))
    assert {(await answer.json())["builds"][0]["known"] for answer in (first, second)} == {False, True}
    again = await by_github(api, X_GitHub_Delivery="another")
    assert (await again.json())["builds"][0]["known"] is True
    assert len(await runs(api)) == 1


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({}, "the secret of somebody else"),
        ({SIGNATURE.replace("-", "_"): "sha256=" + "0" * 64}, SECRETS.github[0]),
        ({SIGNATURE.replace("-", "_"): "sha1=" + "0" * 40}, SECRETS.github[0]),
        ({SIGNATURE.replace("-", "_"): ""}, SECRETS.github[0]),
    ],
)
async def test_what_github_has_not_signed_is_refused_without_saying_why(api, headers, secret):
    answer = await by_github(api, secret=secret, **headers)
    assert (answer.status, await answer.json()) == (
        401,
        {"error": "this is not signed by GitHub with the secret that is set here"},
    )
    assert "WWW-Authenticate" not in answer.headers
    assert await runs(api) == []


@pytest.mark.parametrize("token", ["", "the secret token of GitLa", SIGNING_TOKEN, "\udcff"])
async def test_without_gitlabs_token_nothing_is_built(api, token):
    answer = await by_gitlab(api, X_Gitlab_Token=token)
    assert answer.status == 401
    assert await runs(api) == []


async def test_a_body_of_a_stranger_is_not_read(api):
    async def endless():
        raise AssertionError("the body was asked for")
        yield b""

    headers = {"Expect": "100-continue", SIGNATURE: "sha256=0"}
    answer = await api.client.post("/webhooks/github", data=endless(), headers=headers)
    assert answer.status == 401


async def test_a_body_that_is_too_large_is_said_to_be(api):
    answer = await by_github(api, github(commits=["x" * MOST_BYTES]))
    assert (answer.status, await answer.json()) == (413, {"error": "the body is larger than 4 MiB"})


async def test_a_push_of_many_commits_is_larger_than_what_else_is_sent(api):
    answer = await by_github(api, github(commits=["x" * (2 << 20)]))
    assert (answer.status, len(await runs(api))) == (202, 1)


@pytest.mark.parametrize(
    ("event", "ignored"),
    [("ping", "a ping is answered, and that is all"), ("pull_request", "only pushes are built")],
)
async def test_other_events_are_ignored(api, event, ignored):
    answer = await by_github(api, {"zen": "x"}, X_GitHub_Event=event)
    assert (answer.status, await answer.json()) == (202, {"ignored": ignored})


async def test_what_was_deleted_or_no_rule_takes_is_ignored(api):
    deleted = await by_github(api, github(deleted=True, after=NONE, head_commit=None))
    other = await by_github(api, github(ref="refs/heads/dev"))
    assert (await deleted.json()) == {"ignored": "what was deleted is not built"}
    assert (await other.json()) == {"ignored": "no rule of the policy has dev of github.com/Acme/shop built"}
    assert (deleted.status, other.status, await runs(api)) == (202, 202, [])


async def test_garbage_that_is_signed_is_told_what_is_wrong(api):
    answers = [
        await by_github(api, []),
        await by_github(api, {}),
        await by_github(api, Content_Type="application/x-www-form-urlencoded"),
        await by_github(api, X_GitHub_Delivery=""),
        await by_github(api, X_GitHub_Delivery="x" * 1001),
        await by_gitlab(api, Idempotency_Key="", X_Gitlab_Event_UUID=""),
        await by_github(api, X_GitHub_Delivery="d\u202e"),
    ]
    assert [answer.status for answer in answers] == [400] * 7
    assert [(await answer.json())["error"] for answer in answers[:4]] == [
        "the body is no JSON object",
        "the push says no repository that is cloned by https",
        "this delivery is a form",
        "this delivery has no id, so it could not be told from the next one",
    ]
    assert (await answers[2].json())["hint"] == "set the content type of the webhook to application/json"
    assert await runs(api) == []


async def test_a_rule_that_cannot_be_followed_is_said_in_the_answer(api):
    api.world.policy = parse_policy(RULES.replace("myapp", "ghost"), open_to_all=True)
    answer = await by_github(api)
    assert (answer.status, await answer.json()) == (
        202,
        {"builds": [], "problems": ["ghost: app not found: ghost"]},
    )


async def test_a_vendor_without_a_secret_is_told_what_to_set(api):
    webhooks = api.webhooks
    webhooks._secrets = replace(webhooks._secrets, github=())
    answer = await by_github(api, secret="")
    assert (answer.status, await answer.json()) == (
        404,
        {
            "error": "webhooks of GitHub are not set up here",
            "hint": "CONVOX_GITHUB_WEBHOOK_SECRETS is not set",
        },
    )


async def test_deliveries_are_counted_by_what_became_of_them(api):
    await by_github(api)
    await by_github(api)
    await by_github(api, secret="the secret of somebody else")
    await by_github(api, [])
    await by_gitlab(api, gitlab(ref="refs/heads/dev"))
    text = await (await api.get("/metrics")).text()
    counted = [
        line
        for line in text.splitlines()
        if line.startswith("convox_webhooks_total") and line.endswith(" 1.0")
    ]
    assert counted == [
        'convox_webhooks_total{outcome="failed",vendor="github"} 1.0',
        'convox_webhooks_total{outcome="known",vendor="github"} 1.0',
        'convox_webhooks_total{outcome="started",vendor="github"} 1.0',
        'convox_webhooks_total{outcome="unsigned",vendor="github"} 1.0',
        'convox_webhooks_total{outcome="ignored",vendor="gitlab"} 1.0',
    ]
