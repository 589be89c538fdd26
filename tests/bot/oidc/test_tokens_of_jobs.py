"""A job shows the token of its CI: what is taken, what is not, and what it may; over the real API, with a real issuer."""

import base64
import hmac
import json

import pytest
from aiohttp import web
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from bot.handlers.budgets import STRANGERS
from core.policy.authorization import parse_policy
from tests.bot.api.asking import BUILD, basic
from tests.bot.oidc.issuing import AUDIENCE, curve, encoded, rsa, segment, signed
from tests.core.world import manifest

RULES = """\
oidc:
  - name: web
    issuer: {url}
    audience: {audience}
    subject: "repo:acme/web:ref:refs/heads/*"
    {more}
roles:
  deployer: [view, build, promote, rollback]
members:
  - who: ["oidc:web", "U01ALICE"]
    roles: [deployer]
    apps: [myapp]
"""


def let_in(api, issuer, more="", url=""):
    api.world.policy = parse_policy(RULES.format(url=url or issuer.url, audience=AUDIENCE, more=more))


async def said(api, token, text="releases -a myapp"):
    return await api.client.post("/commands", json={"text": text}, headers=basic(token))


async def refusal(api, token):
    answer = await said(api, token)
    body = await answer.json()
    return answer.status, body["error"], body.get("hint", "")


async def test_a_job_is_let_in_with_the_rights_of_its_rule_and_is_called_by_what_it_is(api, issuer):
    let_in(api, issuer)
    now = api.world.clock.now()
    assert (await said(api, issuer.token(now))).status == 200
    refused = await said(api, issuer.token(now), "env -a myapp")
    assert refused.status == 403
    assert (await said(api, issuer.token(now), "releases -a other")).status == 403
    made = await api.client.post("/apps/myapp/builds", json=BUILD, headers=basic(issuer.token(now)))
    assert made.status == 201
    rows = await api.store._database.reader.execute_fetchall(
        "SELECT actor FROM audit ORDER BY seq DESC LIMIT 1"
    )
    actor = json.loads(rows[0]["actor"])
    assert actor == {"kind": "oidc", "id": "web", "name": "oidc:web (repo:acme/web:ref:refs/heads/main)"}
    assert len(issuer.asked) == 2, "the keys are asked for once"


async def test_a_job_is_let_in_however_many_others_guess_from_behind_its_proxy(api, issuer):
    let_in(api, issuer)
    statuses = [(await said(api, f"guess-{number}")).status for number in range(STRANGERS.burst + 1)]
    assert statuses[-1] == 429
    assert (await said(api, issuer.token(api.world.clock.now()))).status == 200, (
        "its token is always a new one"
    )
    assert (await said(api, issuer.token(api.world.clock.now(), key=FOREIGN))).status == 429


def unsigned(claims, algorithm):
    return f"{segment({'typ': 'JWT', 'alg': algorithm, 'kid': 'one'})}.{segment(claims)}."


def with_the_public_key_as_password(claims):
    """What lets in anybody where the algorithm of the token decides: HS256, with the public key as the secret."""
    text = f"{segment({'typ': 'JWT', 'alg': 'HS256', 'kid': 'one'})}.{segment(claims)}"
    secret = rsa("one").as_pem(private=False)
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def changed(token, **more):
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{segment(claims | more)}.{signature}"


FOREIGN = RSAKey.generate_key(2048, {"kid": "one"})
CURVE = ECKey.generate_key("P-256", {"kid": "ec"})
HOSTILE = {
    "no signature": (lambda i, now: unsigned(i.claims(now), "none"), "not signed as it must be"),
    "no signature, spelled otherwise": (
        lambda i, now: unsigned(i.claims(now), "NONE"),
        "not signed as it must be",
    ),
    "a signature left out": (lambda i, now: unsigned(i.claims(now), "RS256"), "not signed by the issuer"),
    "the public key as a password": (
        lambda i, now: with_the_public_key_as_password(i.claims(now)),
        "not signed as it must be",
    ),
    "a foreign key of the same name": (lambda i, now: i.token(now, key=FOREIGN), "not signed by the issuer"),
    "its own key in its header": (
        lambda i, now: i.token(now, key=CURVE, header={"jwk": CURVE.as_dict(private=False)}),
        "not signed by the issuer",
    ),
    "a long header": (lambda i, now: i.token(now, header={"x5c": ["x" * 600]}), "cannot be verified"),
    "a key elsewhere": (
        lambda i, now: i.token(now, key=FOREIGN, header={"jku": "https://evil.example.com/keys"}),
        "not signed by the issuer",
    ),
    "a key that the issuer does not name": (
        lambda i, now: i.token(now, key=rsa("stranger")),
        "a key that its issuer does not name",
    ),
    "a path for a key": (
        lambda i, now: i.token(now, header={"kid": "../../../../dev/null"}),
        "a key that its issuer does not name",
    ),
    "a signature over what is not encoded": (
        lambda i, now: i.token(now, header={"b64": False, "crit": ["b64"]}),
        "cannot be verified",
    ),
    "no name of a key": (
        lambda i, now: i.token(now, header={"kid": 7}),
        "names no issuer (iss), or what is no key",
    ),
    "a key of another type": (
        lambda i, now: i.token(now, key=curve("ec"), header={"kid": "one"}),
        "a key that its issuer does not name",
    ),
    "an extension that must be understood": (
        lambda i, now: i.token(now, header={"crit": ["x"], "x": 1}),
        "cannot be verified",
    ),
    "claims changed after": (
        lambda i, now: changed(i.token(now), sub="repo:acme/web:ref:refs/heads/release"),
        "not signed by the issuer",
    ),
    "another audience": (lambda i, now: i.token(now, aud="https://other.example.com"), "another audience"),
    "the audience as a part of a longer one": (
        lambda i, now: i.token(now, aud=AUDIENCE + ".evil"),
        "another audience",
    ),
    "no audience": (lambda i, now: i.token(now, aud=None), "lacks a claim"),
    "expired": (lambda i, now: i.token(now, exp=int(now.timestamp()) - 31), "has expired"),
    "never expiring": (lambda i, now: i.token(now, exp=None), "lacks a claim"),
    "expiring at no number": (
        lambda i, now: i.token(now, exp=float("nan")),
        "cannot be read",
    ),
    "not valid yet": (lambda i, now: i.token(now, nbf=int(now.timestamp()) + 31), "not valid yet"),
    "issued tomorrow": (lambda i, now: i.token(now, iat=int(now.timestamp()) + 86400), "not valid yet"),
    "issued at no time": (lambda i, now: i.token(now, iat=None), "lacks a claim"),
    "no subject": (lambda i, now: i.token(now, sub=None), "lacks a claim"),
    "another repository": (
        lambda i, now: i.token(now, sub="repo:evil/web:ref:refs/heads/main"),
        "no rule under oidc: of the policy file takes this job, whose subject is repo:evil/web",
    ),
    "a pull request": (lambda i, now: i.token(now, sub="repo:acme/web:pull_request"), "takes this job"),
    "a subject that goes on": (
        lambda i, now: i.token(now, sub="repo:acme/web:ref:refs/heads/main:x"),
        "takes this job",
    ),
    "an issuer that nobody named": (
        lambda i, now: i.token(now, iss="https://169.254.169.254"),
        "the issuer of this token is none that the policy file names",
    ),
    "an issuer with a slash more": (
        lambda i, now: i.token(now, iss=i.url + "/"),
        "none that the policy file names",
    ),
    "no JSON": (lambda i, now: "eyJhbGciOiJSUzI1NiJ9.!!!.x", "cannot be read"),
    "claims that are a list": (
        lambda i, now: f"{segment({'alg': 'RS256', 'kid': 'one'})}.{segment([1])}.x",
        "cannot be read",
    ),
    "claims of great depth": (
        lambda i, now: (
            f"{segment({'alg': 'RS256', 'kid': 'one'})}."
            + base64.urlsafe_b64encode(b'{"a":' + b"[" * 2000).decode().rstrip("=")
            + ".x"
        ),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("named", [True, False])
async def test_a_token_need_name_no_key_where_its_issuer_has_one_alone(api, issuer, named):
    """As oidc-provider-mock and others sign (OpenID Connect Core 1.0, 10.1)."""
    let_in(api, issuer)
    now = api.world.clock.now()
    token = without_kid(issuer.token(now))
    text = token.rpartition(".")[0]
    forged = f"{text}.{encoded(JWSRegistry.algorithms['RS256'].sign(text.encode(), FOREIGN))}"
    own = rsa("one").as_dict(private=False)
    alone = {"keys": [own if named else {name: own[name] for name in ("kty", "n", "e")}]}
    issuer.answer["/keys"] = web.json_response(alone)
    assert (await said(api, token)).status == 200
    assert (await said(api, forged)).status == 401


async def test_a_token_that_names_no_key_of_several_is_not_tried_with_each(api, issuer):
    let_in(api, issuer)
    issuer.keys = [rsa("one"), rsa("two")]
    status, error, _ = await refusal(api, without_kid(issuer.token(api.world.clock.now())))
    assert (status, "a key that its issuer does not name" in error) == (401, True)


def without_kid(token):
    text = f"{segment({'alg': 'RS256'})}.{token.split('.')[1]}"
    return f"{text}.{encoded(JWSRegistry.algorithms['RS256'].sign(text.encode(), rsa('one')))}"


# JSON lets each claim be anything; what is no time is none, and nobody is somebody else.
ODD = [None, True, 0, 1.5, 1e308, 10**30, "", "x", "1767269100", [], [7], {}, [[]], "\u0000"]


@pytest.mark.parametrize(
    "claim", ["exp", "iat", "nbf", "sub", "aud", "iss", "jti", "repository", "kubernetes.io"]
)
async def test_a_claim_of_any_form_is_taken_or_refused_and_never_a_fault_of_ours(api, issuer, claim):
    let_in(api, issuer)
    now = api.world.clock.now()
    for value in ODD:
        claims = issuer.claims(now) | {claim: value}
        status = (await said(api, signed(claims, issuer.keys[0]))).status
        # A time may be written with a fraction and far away; by what a job is not known, nobody asks.
        may = claim in {"repository", "kubernetes.io"} or (claim == "jti" and isinstance(value, str))
        number = (
            claim in {"exp", "iat", "nbf"} and isinstance(value, int | float) and not isinstance(value, bool)
        )
        assert status == 200 if may else status in ({200, 401} if number else {401}), (value, status)
        api.world.clock.jump(2)


async def test_letters_that_look_alike_are_other_letters(api, issuer):
    let_in(api, issuer)
    now = api.world.clock.now()
    for sub in (
        "repo:\u0430cme/web:ref:refs/heads/main",
        "repo\uff1aacme/web:ref:refs/heads/main",
        "repo:acme\u2215web:ref:refs/heads/main",
        "REPO:acme/web:ref:refs/heads/main",
        "repo:acme/web:ref:refs/heads/main\n:x",
        " repo:acme/web:ref:refs/heads/main",
    ):
        assert (await said(api, issuer.token(now, sub=sub))).status == 401, sub


@pytest.mark.parametrize("token", HOSTILE)
async def test_a_token_that_is_not_right_is_turned_away_with_why_and_nobody_else_is_asked(api, issuer, token):
    let_in(api, issuer)
    make, why = HOSTILE[token]
    text = make(issuer, api.world.clock.now())
    answer = await said(api, text)
    body = await answer.json()
    assert (answer.status, why in body["error"]) == (401, True), body
    assert body["hint"]
    assert text not in str(body)
    assert text.rpartition(".")[2] not in str(body) or text.endswith((".", ".x"))
    assert set(issuer.asked) <= {"/.well-known/openid-configuration", "/keys"}
    if "an issuer" in token:
        assert not issuer.asked


async def test_an_issuer_that_is_only_in_the_token_is_never_asked(api, issuer):
    let_in(api, issuer, url="https://other.example.com")
    status, error, hint = await refusal(api, issuer.token(api.world.clock.now()))
    assert (status, issuer.asked) == (401, [])
    assert error == "the issuer of this token is none that the policy file names under oidc:"
    assert "docs/ci.md" in hint


async def test_an_issuer_that_is_away_is_said_and_tried_again_and_stored_tokens_go_on(api, issuer):
    let_in(api, issuer, url="https://127.0.0.1:1")
    issuer.url = "https://127.0.0.1:1"
    status, error, hint = await refusal(api, issuer.token(api.world.clock.now()))
    assert status == 503
    assert error.startswith(
        "whether this token is right cannot be known: https://127.0.0.1:1 does not answer"
    )
    assert hint == "try again in a minute"
    assert (await api.command("help")).status == 200


async def test_a_token_is_too_old_where_the_policy_says_so(api, issuer):
    let_in(api, issuer, more="max_age: 10m")
    born = api.world.clock.now()
    token = issuer.token(born, exp=int(born.timestamp()) + 7200)
    assert (await said(api, token)).status == 200
    api.world.clock.jump(700)
    assert "this token is 700 s old, and the policy takes one for 600 s" in (await refusal(api, token))[1]
    let_in(api, issuer)
    assert (await said(api, token)).status == 200


async def test_of_several_rules_the_first_that_takes_a_job_counts(api, issuer):
    let_in(api, issuer)
    first = f"oidc: [{{name: other, issuer: {issuer.url}, audience: {AUDIENCE}, subject: 'repo:acme/web:environment:x'}}"
    rest = f", {{name: main, issuer: {issuer.url}, audience: [], subject: x}}]"
    assert rest
    api.world.policy = parse_policy(
        first
        + f", {{name: main, issuer: {issuer.url}, audience: other, subject: 'repo:acme/web:ref:refs/heads/main'}}"
        + f", {{name: any, issuer: {issuer.url}, audience: {AUDIENCE}, subject: 'repo:acme/web:ref:**'}}]",
        open_to_all=True,
    )
    answer = await said(api, issuer.token(api.world.clock.now(), aud=["x", AUDIENCE]), "whoami")
    assert "oidc:any" in (await answer.json())["text"]


async def test_what_was_recorded_promotes_nothing_again(api, issuer):
    let_in(api, issuer)
    world, token = api.world, issuer.token(api.world.clock.now())
    old, new = await world.good(), await world.good(text=manifest(3))
    asked = f"releases rollback {old} -a myapp"
    first = await said(api, token, asked)
    assert first.status == 200
    await world.end((await first.json())["promotion"])
    await world.good(text=manifest(4))
    again = await said(api, token, asked)
    assert again.status == 409
    body = await again.json()
    assert "has asked for a promotion of myapp already, and asks once" in body["error"]
    assert body["hint"] == "let the job ask for a new token (docs/ci.md)"
    assert (await said(api, token)).status == 200, "it may still look"
    other = issuer.token(world.clock.now(), jti="other")
    assert (await said(api, other, f"releases rollback {new} -a myapp")).status == 200


async def test_a_build_that_is_promoted_by_itself_is_asked_for_once_too(api, issuer):
    let_in(api, issuer)
    token = issuer.token(api.world.clock.now())
    asked = "deploy --git https://github.com/acme/web --ref main -a myapp"
    assert (await said(api, token, asked)).status == 200
    again = await said(api, token, asked)
    assert again.status == 409
    assert "asks once" in (await again.json())["error"]
    built = asked.replace("deploy", "build")
    assert (await said(api, token, built)).status == 200
    assert (await said(api, token, built)).status == 200


async def test_where_the_issuer_numbers_no_tokens_what_is_signed_is_the_number(api, issuer):
    let_in(api, issuer)
    now = api.world.clock.now()
    token = issuer.token(now, jti=None)
    made = await api.world.build()
    assert (await said(api, token, f"releases promote {made.release.id} -a myapp")).status == 200
    await api.world.idle()
    assert (await said(api, token, f"releases promote {made.release.id} -a myapp")).status == 409
    other = issuer.token(now, jti=None, run_id="124")
    assert (await said(api, other, f"releases promote {made.release.id} -a myapp")).status == 200


async def test_tokens_that_open_nothing_any_more_are_forgotten(api, issuer):
    let_in(api, issuer)
    made = await api.world.build()
    promote = f"releases promote {made.release.id} -a myapp"
    assert (await said(api, issuer.token(api.world.clock.now()), promote)).status == 200
    await api.world.idle()
    api.world.clock.jump(86400)
    assert (await said(api, issuer.token(api.world.clock.now(), jti="next"), promote)).status == 200
    (row,) = await api.store._database.reader.execute_fetchall("SELECT count(*) AS many FROM used_jwt_ids")
    assert row["many"] == 1
