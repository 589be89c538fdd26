"""The keys of an issuer: asked seldom, kept while it is away, and never from where it does not say."""

import asyncio

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import OctKey
from joserfc.util import int_to_base64

from bot.oidc import discovery, jwk_sets
from bot.oidc.discovery import MOST_BYTES, ClusterIssuer, PublicIssuers
from bot.oidc.issuers import AGAIN_SECONDS, AWAY_SECONDS, FRESH_SECONDS, STALE_SECONDS, IssuerKeys
from bot.oidc.jwk_sets import JwkSet
from core.errors import Rejected, Unreachable
from tests.bot.oidc.issuing import curve, rsa

CONFIGURATION = "/.well-known/openid-configuration"


async def test_an_issuer_is_asked_once_however_many_ask_and_again_after_an_hour(issuer, keys, clock):
    found = await asyncio.gather(*(keys.find("issuer", issuer.url, "one", "RSA") for _ in range(20)))
    assert all(key is found[0] and key is not None for key in found)
    assert issuer.asked == [CONFIGURATION, "/keys"]
    clock.jump(FRESH_SECONDS - 1)
    await keys.find("issuer", issuer.url, "one", "RSA")
    assert len(issuer.asked) == 2
    clock.jump(1)
    await keys.find("issuer", issuer.url, "one", "RSA")
    assert len(issuer.asked) == 4


async def test_a_new_key_is_found_soon_and_a_withdrawn_one_no_more(issuer, keys, clock):
    assert await keys.find("issuer", issuer.url, "one", "RSA") is not None
    issuer.keys = [rsa("two")]
    assert await keys.find("issuer", issuer.url, "two", "RSA") is None, (
        "whoever makes up names of keys asks for no more"
    )
    assert len(issuer.asked) == 2
    clock.jump(AGAIN_SECONDS)
    assert await keys.find("issuer", issuer.url, "two", "RSA") is not None
    assert await keys.find("issuer", issuer.url, "one", "RSA") is None


async def test_names_of_keys_that_are_made_up_ask_at_most_so_often(issuer, keys, clock):
    for number in range(100):
        assert await keys.find("issuer", issuer.url, f"made up {number}", "RSA") is None
        clock.jump(1)
    assert len(issuer.asked) <= 2 * (100 / AGAIN_SECONDS + 1)


async def test_while_it_is_away_known_keys_serve_for_a_day_and_no_longer(issuer, keys, clock):
    assert await keys.find("issuer", issuer.url, "one", "RSA") is not None
    issuer.answer[CONFIGURATION] = web.Response(status=503)
    clock.jump(STALE_SECONDS - 1)
    assert await keys.find("issuer", issuer.url, "one", "RSA") is not None
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 answers HTTP 503"):
        await keys.find("issuer", issuer.url, "two", "RSA")
    clock.jump(1)
    with pytest.raises(Unreachable):
        await keys.find("issuer", issuer.url, "one", "RSA")


async def test_one_that_was_away_is_back_after_some_seconds_and_is_not_asked_by_everybody_meanwhile(
    issuer, keys, clock
):
    issuer.answer[CONFIGURATION] = web.Response(status=500)
    for _ in range(5):
        with pytest.raises(Unreachable):
            await keys.find("issuer", issuer.url, "one", "RSA")
    assert len(issuer.asked) == 1
    issuer.answer.clear()
    clock.jump(AWAY_SECONDS)
    assert await keys.find("issuer", issuer.url, "one", "RSA") is not None


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        (CONFIGURATION, web.json_response({"issuer": "https://other.example.com"}), "calls itself otherwise"),
        (CONFIGURATION, web.json_response(["no object"]), "no JSON object"),
        (CONFIGURATION, web.Response(text="<html>"), "does not answer as an issuer"),
        (CONFIGURATION, web.Response(status=302, headers={"Location": "/keys"}), "answers HTTP 302"),
        ("/keys", web.Response(body=b" " * (MOST_BYTES + 1)), "more than 262,144 bytes"),
        ("/keys", web.Response(status=404), "answers HTTP 404"),
    ],
)
async def test_an_answer_that_is_none_of_an_issuer_is_refused(issuer, keys, path, answer, said):
    issuer.answer[path] = answer
    with pytest.raises(Unreachable, match=said):
        await keys.find("issuer", issuer.url, "one", "RSA")


@pytest.mark.parametrize(
    "where", [{}, {"jwks_uri": "http://127.0.0.1/keys"}, {"jwks_uri": "file:///etc/passwd"}]
)
async def test_keys_come_over_https_only(issuer, keys, where):
    issuer.answer[CONFIGURATION] = web.json_response({"issuer": issuer.url} | where)
    with pytest.raises(Unreachable, match="does not say where its keys are, over https"):
        await keys.find("issuer", issuer.url, "one", "RSA")


async def test_one_that_never_answers_or_whose_certificate_nobody_vouches_for_is_said(
    issuer, session, monkeypatch
):
    with pytest.raises(Unreachable, match="does not answer as an issuer"):
        await PublicIssuers(session).read(issuer.url)
    monkeypatch.setattr(discovery, "PATIENCE_SECONDS", 0.01)

    async def never(*_):
        await asyncio.sleep(60)

    made = PublicIssuers(session)
    monkeypatch.setattr(made, "_document", never)
    with pytest.raises(Unreachable, match=r"does not answer within 0\.01 s"):
        await made.read(issuer.url)


async def test_a_cluster_is_asked_as_the_bot_is_known_to_it_and_must_sign_as_the_issuer_of_the_rule(clock):
    documents = {
        CONFIGURATION: {"issuer": "https://kubernetes.default.svc", "jwks_uri": "https://10.0.0.1:6443/keys"},
        "/openid/v1/jwks": {"keys": [rsa("one").as_dict(private=False)]},
    }
    asked = []

    async def document(path):
        asked.append(path)
        if path not in documents:
            raise Rejected(f"the bot may not get {path}")
        return documents[path]

    keys = IssuerKeys({"cluster": ClusterIssuer(document)}, clock)
    assert await keys.find("cluster", "https://kubernetes.default.svc", "one", "RSA") is not None
    assert asked == [CONFIGURATION, "/openid/v1/jwks"], "never the address that the document names"
    with pytest.raises(
        Unreachable, match="signs as the issuer https://kubernetes.default.svc, not as https://x"
    ):
        await keys.find("cluster", "https://x.example.com", "one", "RSA")
    del documents["/openid/v1/jwks"]
    with pytest.raises(Unreachable, match="does not say its keys: the bot may not get /openid/v1/jwks"):
        await ClusterIssuer(document).read("https://kubernetes.default.svc")


def test_of_a_set_only_keys_that_sign_and_are_strong_enough_are_taken():
    good, ecdsa = rsa("one").as_dict(private=False), curve("ec").as_dict(private=False)
    short = generate_private_key(65537, 1024).public_key().public_numbers()
    weak = {"kty": "RSA", "kid": "weak", "n": int_to_base64(short.n), "e": "AQAB"}
    secret = OctKey.generate_key(256, {"kid": "secret"}).as_dict(private=True)
    odd = [
        7,
        {},
        {"kty": "RSA"},
        {"kty": ["RSA"], "kid": "x"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    ]
    listed = [good, good | {"kid": "enc", "use": "enc"}, weak, secret, ecdsa, *odd]
    keys = JwkSet({"keys": listed})
    assert keys.usable() == 2
    assert keys.find("one", "RSA") is keys.find("one", "RSA") is not None
    assert keys.find("ec", "EC") is not None
    assert keys.find("one", "EC") is keys.find("secret", "oct") is keys.find("weak", "RSA") is None
    assert JwkSet({}).usable() == JwkSet({"keys": "none"}).usable() == 0


async def test_an_issuer_may_name_more_keys_than_anybody_can_make_ready_at_once(issuer, keys, monkeypatch):
    named = [{**rsa("one").as_dict(private=False), "kid": f"k{number}"} for number in range(600)]
    issuer.answer["/keys"] = web.json_response({"keys": named})
    made = []
    real = jwk_sets._imported

    def imported(kind, document):
        made.append(document["kid"])
        return real(kind, document)

    monkeypatch.setattr(jwk_sets, "_imported", imported)
    for _ in range(3):
        assert await keys.find("issuer", issuer.url, "k599", "RSA") is not None
    assert made == ["k599"], "the loop would stand still while all are made ready"
