"""What an operator reads who starts the bot wrongly, or in bad times."""

import re
import signal
from pathlib import Path

import aiohttp

from bot.admin.commands import new_key
from bot.playground.slack import SlackWorkspace
from tests.bot.http.certificates import PrivateCa
from tests.serve.conftest import Door, Serve, Settings, rack_url
from tests.serve.program import ended, run, until


async def complaints(folder: Path, settings: Settings) -> list[str]:
    """Return what a start that must fail says, one sentence a line; it ends with 2 and prints nothing else."""
    done = await run(folder, settings, "serve")
    assert (done.status, done.out) == (2, "")
    assert "Traceback" not in done.err
    return done.err.splitlines()


async def test_every_missing_setting_is_named_at_once(tmp_path: Path):
    modes, policy, *single = await complaints(tmp_path, {})
    assert modes == "set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode"
    assert policy.startswith("CONVOX_POLICY is not set")
    assert single == [
        "CONVOX_KEYS is not set; `convox-bot keygen` prints a key",
        "SLACK_BOT_TOKEN is not set",
    ]


async def test_both_modes_at_once_are_an_error_that_says_which_to_drop(tmp_path: Path, settings: Settings):
    (said,) = await complaints(tmp_path, settings | {"SLACK_SIGNING_SECRET": "shh"})

    assert said.startswith("SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set: drop ")


async def test_a_key_that_did_not_write_the_database_is_found_out_before_anything_starts(
    tmp_path: Path, settings: Settings, serve: Serve, session: aiohttp.ClientSession
):
    program = serve(settings)
    await Door(session, settings).answers("/healthz", 200, program)
    program.send(signal.SIGTERM)
    assert await ended(program) == 0

    (said,) = await complaints(tmp_path, settings | {"CONVOX_KEYS": new_key()})

    assert "CONVOX_KEYS" in said


async def test_a_bad_policy_is_told_with_the_line_of_every_problem(tmp_path: Path, settings: Settings):
    text = (tmp_path / "policy.yml").read_text()
    (tmp_path / "policy.yml").write_text(text.replace("admin]", "administrate]").replace("settle", "setle"))

    said = await complaints(tmp_path, settings)

    assert len(said) == 2
    assert re.search(r"\b2\b.*administrate", said[0])
    assert re.search(r"\b11\b.*setle", said[1])


async def test_a_restart_with_a_bad_policy_is_ruled_by_the_last_good_one(
    tmp_path: Path, settings: Settings, serve: Serve, session: aiohttp.ClientSession
):
    program = serve(settings)
    await Door(session, settings).answers("/readyz", 200, program)
    program.send(signal.SIGTERM)
    assert await ended(program) == 0
    (tmp_path / "policy.yml").write_text("nonsense: 1\n")

    program = serve(settings)
    door = Door(session, settings)
    await door.answers("/readyz", 200, program)

    assert "convox_policy_refused 1.0" in await door.answers("/metrics", 200, program)
    assert "the last good one stays in force" in (tmp_path / "bot-1.log").read_text()


async def test_without_a_policy_nobody_is_let_in_by_accident(tmp_path: Path, settings: Settings):
    del settings["CONVOX_POLICY"]

    (said,) = await complaints(tmp_path, settings)

    assert said.startswith("CONVOX_POLICY is not set: name a policy file, or set CONVOX_OPEN=1")


async def test_a_second_bot_on_the_same_database_ends_with_one_sentence(
    tmp_path: Path, settings: Settings, serve: Serve, session: aiohttp.ClientSession
):
    program = serve(settings)
    await Door(session, settings).answers("/readyz", 200, program)

    (said,) = await complaints(tmp_path, settings)

    assert "convox.db" in said
    assert program.ended() is None


async def test_a_token_that_slack_refuses_leaves_the_api_running_and_readyz_says_why(
    tmp_path: Path, settings: Settings, serve: Serve, session: aiohttp.ClientSession, slack: SlackWorkspace
):
    token = (await run(tmp_path, settings, "token", "create", "ci")).out.strip()
    settings["SLACK_BOT_TOKEN"] = "xoxb-revoked"
    program = serve(settings)
    door = Door(session, settings)

    await door.answers("/healthz", 200, program)

    async def refused() -> bool:
        status, body = await door.get("/readyz")
        assert status == 503
        return "invalid_auth" in body

    await until(refused, program)
    apps = await run(tmp_path, {"RACK_URL": rack_url(settings, token)}, "do", "apps")

    assert (apps.status, apps.out.split()) == (0, ["APP", "STATUS", "RELEASE"])
    program.send(signal.SIGTERM)
    assert await ended(program) == 0


async def test_with_a_certificate_a_terminal_asks_by_https_and_one_that_cannot_be_used_is_told(
    tmp_path: Path, settings: Settings, serve: Serve
):
    token = (await run(tmp_path, settings, "token", "create", "ci")).out.strip()
    ca = PrivateCa(tmp_path)
    files = ca.pair()
    settings |= {"CONVOX_TLS_CERT": str(files.certificate), "CONVOX_TLS_KEY": str(files.key)}
    program = serve(settings)
    url = rack_url(settings, token).replace("http://", "https://")

    async def answered() -> bool:
        asked = await run(tmp_path, {"RACK_URL": url, "SSL_CERT_FILE": str(ca.file)}, "do", "apps")
        return asked.status == 0

    await until(answered, program)
    unknown = await run(tmp_path, {"RACK_URL": url}, "do", "apps")
    assert unknown.status == 1
    assert "certificate" in unknown.err
    program.send(signal.SIGTERM)
    assert await ended(program) == 0

    files.key.write_text("no key")
    assert await complaints(tmp_path, settings) == [
        f"CONVOX_TLS_CERT and CONVOX_TLS_KEY cannot be used: {files.key} holds no private key in PEM"
    ]


async def test_no_cluster_leaves_the_bot_ready_since_people_must_get_answers(
    tmp_path: Path, settings: Settings, serve: Serve, session: aiohttp.ClientSession, slack: SlackWorkspace
):
    program = serve(settings)
    await Door(session, settings).answers("/readyz", 200, program)

    await slack.command("alice", "deploys", "apps create shop")

    answer = await slack.wait_for(lambda: next(iter(slack.ephemerals("alice")), None), timeout=30)
    assert "ERROR: " in answer.text
    assert program.ended() is None
    assert slack.violations == []
