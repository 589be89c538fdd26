"""Who gets in, what machines are told, and that nothing breaks in public."""

import asyncio
import logging
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.command.lexer import split
from bot.handlers.dispatch import Handlers
from tests.bot.api.asking import basic
from tests.disk import damaged, read_only


async def test_machines_are_answered_without_a_token(api):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await api.client.get(path)).status == 200, path


async def test_a_token_opens_its_own_apps_until_it_expires(api):
    expires = api.world.clock.now() + timedelta(days=1)
    token = await api.store.tokens.create("shop", expires_at=expires, apps=("shop-*",))

    async def said(text):
        return await api.client.post("/commands", json={"text": text}, headers=basic(token))

    refused = await said("releases -a myapp")
    assert refused.status == 403
    assert (await refused.json())["error"].startswith("you may not view myapp: this token is only for shop-*")
    assert (await said("apps")).status == 403
    ours = await api.store.tokens.create("ours", apps=("my*",))
    listed = await api.client.post("/commands", json={"text": "apps"}, headers=basic(ours))
    assert "myapp" in (await listed.json())["text"]
    api.world.clock.jump(25 * 3600)
    over = await said("apps")
    assert over.status == 401
    assert "the token shop expired at 2026-01-02" in (await over.json())["error"]


async def test_it_is_not_ready_while_slack_is_away_and_says_why(api):
    api.slack.connected, api.slack.problem = False, "Slack says invalid_auth"

    answer = await api.client.get("/readyz")

    assert answer.status == 503
    assert await answer.json() == {"error": "Slack says invalid_auth"}
    assert (await api.client.get("/healthz")).status == 200


async def test_it_is_not_ready_between_the_identity_and_the_hello(api):
    api.slack.connected, api.slack.problem = False, ""

    assert await (await api.client.get("/readyz")).json() == {"error": "Slack has not said hello yet"}


async def test_it_is_not_ready_while_the_database_cannot_be_used_and_says_why(api):
    async with read_only(api.store):
        assert (await api.command("apps create other")).status == 503
        answer = await api.client.get("/readyz")
        assert answer.status == 503
        assert await answer.json() == {"error": "the database cannot be used: it is read-only"}
        api.slack.connected, api.slack.problem = False, "Slack says invalid_auth"
        both = "the database cannot be used: it is read-only; Slack says invalid_auth"
        assert await (await api.client.get("/readyz")).json() == {"error": both}
        api.slack.connected = True
        assert (await api.client.get("/healthz")).status == 200, "a restart would mend nothing"
    assert (await api.client.get("/readyz")).status == 200
    async with damaged(api.store, "noise"):
        answer = await api.client.get("/readyz")
        assert await answer.json() == {"error": "the database cannot be used: its file is damaged"}
    assert (await api.client.get("/readyz")).status == 200


async def test_the_metrics_count_promotions_by_ending_and_what_slack_is_owed(api):
    good = await api.world.good()
    await api.world.ask(good)
    api.lag.add(0.2)
    api.slack.limited = 3

    text = await (await api.client.get("/metrics")).text()

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["convox_promotions_settled_total", "Running", "verified"] == 1
    assert samples["convox_promotions_settled_total", "Failure", "image"] == 0, "an alarm sees the first one"
    verified = [
        value
        for (name, *labels), value in samples.items()
        if name == "convox_rollout_seconds_count" and labels == ["verified"]
    ]
    assert verified == [1]
    assert samples["convox_rollout_seconds_bucket", "+Inf", "rolled_back"] == 0
    assert samples[("convox_approval_oldest_seconds",)] == 0
    assert samples[("convox_slack_rate_limited_total",)] == 3
    assert samples[("convox_blind_seconds_total",)] == 0
    assert samples[("convox_policy_refused",)] == 1
    assert samples[("convox_database_bytes",)] > 50_000
    assert 0 < samples[("convox_database_free_ratio",)] <= 1
    assert samples[("convox_promotions_in_flight",)] == 1
    assert samples[("convox_slack_connected",)] == 1
    assert samples["convox_outbox_waiting", "cards"] >= 1
    assert samples[("convox_outbox_oldest_seconds",)] >= 0
    late = [samples["convox_event_loop_lag_seconds_bucket", bound] for bound in ("0.1", "0.25", "+Inf")]
    assert late == [0, 1, 1]
    assert samples[("convox_event_loop_lag_seconds_sum",)] == pytest.approx(0.2)
    assert any(name == "convox_bot_info" for name, *_ in samples)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("wrong"),
        basic(""),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Bearer abc"},
        {"Authorization": "Basic Y29udm94"},
    ],
)
async def test_without_a_valid_token_nothing_is_done_and_the_answer_says_how(api, headers):
    for method, path in (
        ("POST", "/commands"),
        ("POST", "/apps/myapp/builds"),
        ("GET", "/promotions/PAAAAAAAAAA/lines"),
        ("GET", "/nothing/here"),
    ):
        answer = await api.client.request(method, path, headers=headers)
        assert answer.status == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert "token" in (await answer.json())["error"]


async def test_the_user_of_the_password_is_convox(api):
    answer = await api.client.post("/commands", json={"text": "help"}, headers=basic(api.token, user="root"))

    assert answer.status == 401


async def test_a_revoked_token_is_let_in_no_more(api):
    assert (await api.command("help")).status == 200

    await api.store.tokens.revoke("ci")

    assert (await api.command("help")).status == 401


async def test_a_web_page_cannot_use_a_password_that_a_browser_remembers(api):
    answer = await api.post("/commands", json={"text": "apps"}, headers={"Origin": "https://evil.example"})

    assert answer.status == 403
    assert "web pages" in (await answer.json())["error"]


async def test_without_a_valid_token_no_body_is_invited_or_waited_for(api):
    """A body of any size would otherwise be read for whoever can reach the port."""
    without: dict[str, str] = {}
    for headers in (without, basic("wrong")):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        for path in ("/commands", "/apps/myapp/builds"):
            reader, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n{lines}\r\n"
            writer.write(head.encode())
            async with asyncio.timeout(30):  # the body is never sent
                assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
            writer.transport.abort()


@pytest.mark.parametrize("within", [False, True])
async def test_a_flood_of_keys_is_refused_before_each_is_looked_at(api, within: bool, monkeypatch):
    keys = {f"key-{number}": 1 for number in range(1_001)}
    monkeypatch.setattr("bot.api.builds.NewBuild.model_validate", None)

    answer = await api.post("/apps/myapp/builds", json={"images": keys} if within else keys)

    assert answer.status == 422
    assert await answer.json() == {"error": "an object of the body has more than 1,000 keys"}


async def test_an_unknown_address_and_a_wrong_method_are_sentences_too(api):
    nowhere = await api.get("/apps/" + "x" * 200)
    wrong = await api.get("/commands")

    assert nowhere.status == 404
    assert (await nowhere.json())["error"].startswith("there is nothing at /apps/xxx")
    assert len((await nowhere.json())["error"]) < 120
    assert wrong.status == 405
    assert wrong.headers["Allow"] == "POST"
    assert await wrong.json() == {"error": "GET is not possible at /commands"}


async def test_what_breaks_here_is_a_reference_outside_and_a_traceback_in_the_log(api, monkeypatch, caplog):
    async def broken(*_):
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(Handlers, "handle", broken)

    answer = await api.command("env set KEY=hunter2-hunter2 -a myapp")

    assert answer.status == 500
    body = await answer.json()
    assert body["error"] == "something went wrong here, and nothing more was done"
    reference = split(body["hint"])[-1].text
    assert reference.startswith("E-")
    assert "secret detail" not in str(body)
    record = next(r for r in caplog.records if reference in r.getMessage())
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError
    assert "POST /commands" in record.getMessage()
    assert api.token not in caplog.text
    assert "hunter2" not in caplog.text


async def test_an_answer_may_hold_values_so_nobody_keeps_it(api):
    for answer in (await api.command("apps"), await api.command("nonsense")):
        assert answer.headers["Cache-Control"] == "no-store"
