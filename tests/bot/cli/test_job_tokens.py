"""A job of CI shows its own token: where it comes from, when it is asked for anew, and what is said where there is none."""

import asyncio
import base64
import json
import time

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.cli.job_tokens import PAUSES, end_of, job_tokens
from bot.cli.main import main
from bot.cli.rack_url import CliError, RackUrl
from bot.oidc.issuers import IssuerKeys
from core.policy.authorization import parse_policy
from tests.bot.api.serving import serving
from tests.bot.oidc.issuing import issuing, readers
from tests.fakes import JumpingClock

VARIABLES = (
    *("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    *("CONVOX_OIDC_TOKEN", "CONVOX_OIDC_TOKEN_FILE", "CONVOX_OIDC_AUDIENCE"),
)
RACK = RackUrl.read("https://bot.example.com/rack")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """These tests run in jobs of CI too."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def token(seconds=300.0, number=0):
    body = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + seconds, "n": number}).encode())
    return f"e30.{body.decode().rstrip('=')}.x"


class GitHub:
    """The service of GitHub that a job asks for its token."""

    def __init__(self):
        self.asked = []
        self.answers = []
        self.environ: dict[str, str] = {}

    async def answer(self, request):
        self.asked.append((dict(request.query), request.headers.get("Authorization")))
        if self.answers:
            return self.answers.pop(0)
        return web.json_response({"count": 1, "value": token(number=len(self.asked))})


@pytest.fixture
async def github():
    made, application = GitHub(), web.Application()
    application.router.add_get("/token", made.answer)
    async with TestServer(application) as server:
        made.environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.port}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret",
        }
        yield made


async def asked(environ, *fresh, pauses=None):
    """Ask as a job does that shows a token so often."""

    def ask():
        source = job_tokens(RACK, environ, (pauses if pauses is not None else []).append)
        return [source(each) for each in fresh]

    return await asyncio.to_thread(ask)


async def test_a_job_of_github_asks_for_a_token_for_this_rack_and_shows_it_until_it_ends(github):
    first, again, fresh = await asked(github.environ, False, False, True)
    assert first == again != fresh
    wanted = {"api-version": "2.0", "audience": "https://bot.example.com/rack"}
    assert github.asked == [(wanted, "Bearer secret")] * 2
    github.answers = [web.json_response({"value": token(59)}), web.json_response({"value": "no.token"})]
    one, two, three = await asked(github.environ | {"CONVOX_OIDC_AUDIENCE": "us & them"}, False, False, False)
    assert len({one, two, three}) == 3, (
        "one that ends within the minute, or says nothing of its end, is not shown again"
    )
    assert github.asked[-1][0]["audience"] == "us & them"


async def test_a_service_that_is_away_for_a_moment_is_asked_again(github):
    github.answers = [web.Response(status=503)] * len(PAUSES)
    pauses: list[float] = []
    assert await asked(github.environ, True, pauses=pauses)
    assert pauses == list(PAUSES)
    github.answers = [web.Response(status=503) for _ in range(len(PAUSES) + 1)]
    with pytest.raises(CliError, match=r"GitHub gives this job no token \(HTTPError\)"):
        await asked(github.environ, True)


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (web.Response(status=403), "HTTP 403", "`permissions: id-token: write`"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "HTTP 302", "permissions"),
        (web.Response(text="<html>"), "holds no token", "again"),
        (web.json_response([]), "holds no token", "again"),
        (web.json_response({"value": ""}), "holds no token", "again"),
    ],
)
async def test_a_job_that_gets_no_token_is_told_why(github, answer, said, hint):
    github.answers = [answer]
    with pytest.raises(CliError) as refused:
        await asked(github.environ, True)
    assert said in refused.value.sentence
    assert hint in refused.value.hint
    assert "secret" not in f"{refused.value.sentence}{refused.value.hint}"


def test_what_opens_the_door_to_tokens_goes_over_https_only():
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://evil.example.com/",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s",
    }
    with pytest.raises(CliError, match="no https URL"):
        job_tokens(RACK, environ)


def test_any_other_ci_puts_its_token_into_a_variable_or_a_file_that_is_read_each_time(tmp_path):
    source = job_tokens(RACK, {"CONVOX_OIDC_TOKEN": " one\n"})
    assert source(True) == source(False) == "one"
    path = tmp_path / "token"
    path.write_text("two\n")
    source = job_tokens(RACK, {"CONVOX_OIDC_TOKEN_FILE": str(path)})
    assert source(False) == "two"
    path.write_text("three\n")
    assert source(False) == "three"
    path.unlink()
    with pytest.raises(CliError, match="cannot be read"):
        source(False)


def test_where_there_is_no_token_at_all_it_is_said_how_one_gets_there(monkeypatch, capsys):
    monkeypatch.setenv("RACK_URL", "https://bot.example.com")
    assert main(["do", "apps"]) == 1
    said = capsys.readouterr().err
    assert "ERROR: RACK_URL has no token, and this job has none of its own" in said
    assert "`permissions: id-token: write`" in said
    assert "CONVOX_OIDC_TOKEN" in said


@pytest.mark.parametrize("text", ["", "one", "a.!.c", "a.e30.c", "a.W10.c"])
def test_a_token_that_does_not_say_when_it_ends_is_taken_for_over(text):
    assert end_of(text) == 0


RULES = """\
oidc: [{{name: web, issuer: {url}, audience: "{audience}", subject: "repo:acme/web:ref:refs/heads/main"}}]
roles: {{deployer: [view, build, promote]}}
members: [{{who: ["oidc:web", U01ALICE], roles: [deployer]}}]
"""


async def test_a_job_builds_promotes_and_follows_without_a_stored_token(tmp_path, monkeypatch, capsys):
    """The whole way: GitHub's service, its issuer and the API, each over HTTP."""
    tokens: list[str] = []
    async with issuing() as issuer, aiohttp.ClientSession() as session:
        keys = IssuerKeys(readers(session), JumpingClock())
        async with serving(tmp_path, keys=keys) as api:

            async def give(request):
                made = issuer.token(
                    api.world.clock.now(), aud=request.query["audience"], jti=str(len(tokens))
                )
                tokens.append(made)
                return web.json_response({"value": made})

            application = web.Application()
            application.router.add_get("/", give)
            async with TestServer(application) as server:
                rack = f"http://127.0.0.1:{api.client.port}"
                monkeypatch.setenv("RACK_URL", rack)
                monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{server.port}/")
                monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret")
                api.world.policy = parse_policy(RULES.format(url=issuer.url, audience=rack))
                made = await api.world.build()
                words = ["do", "releases", "promote", made.release.id, "-a", "myapp"]
                assert await asyncio.to_thread(main, words) == 0
            assert capsys.readouterr().out.endswith("OK\n")
            (promotion,) = await api.store.read.promotions("myapp", 5)
            assert promotion.requested_by.key == "oidc:web"
    assert len(tokens) >= 2, "to ask, and to follow"
