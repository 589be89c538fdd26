"""A token of a job, taken apart and verified: who it says it is of, before anything of it is believed, and what is right about it after."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from bot.oidc.jwk_sets import IssuerKey
from core.actor import JwtId
from core.errors import Unauthorized
from core.policy.oidc_rules import OidcRule
from core.policy.shared_issuers import GITHUB, SERVICE_ACCOUNT

# What asymmetric algorithm is signed with which type of key (RFC 7518, 3.1): never `none`, and no HS*, for which a public key would be a password.
ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
}
# Clocks of issuers and ours are kept by NTP; half a minute is what doctor lets pass too.
LEEWAY_SECONDS = 30
LONGEST_SHOWN = 120
HINT = "docs/ci.md tells how a job gets its token"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobToken:
    """A token as it calls itself; nothing of it is true until `verified` has said so.

    Attributes:
        text: the token.
        algorithm, key: how it is signed, and by the name of which key; "" where it names none, since its issuer has one alone.
        issuer: whom it names as its issuer.
    """

    text: str
    algorithm: str
    key: str
    issuer: str

    @property
    def key_type(self) -> str:
        return ALGORITHMS.get(self.algorithm, "")


def looks_like(password: str) -> bool:
    """Tell whether a password is a token of a job: three parts, the first a JSON object; one of ours has no dot."""
    return password.startswith("eyJ") and password.count(".") == 2


def read_token(text: str) -> JobToken:
    """Take a token apart; raises Unauthorized where it cannot be one that is taken."""
    head, body, _ = text.split(".")
    header, claims = _json(head), _json(body)
    algorithm, key, issuer = header.get("alg"), header.get("kid", ""), claims.get("iss")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unauthorized(
            f"this token is not signed as it must be: one of {', '.join(ALGORITHMS)}", hint=HINT
        )
    if not isinstance(key, str) or not isinstance(issuer, str):
        raise Unauthorized("this token names no issuer (iss), or what is no key of it (kid)", hint=HINT)
    return JobToken(text=text, algorithm=algorithm, key=key, issuer=issuer)


def _json(part: str) -> dict[str, Any]:
    try:
        found = orjson.loads(urlsafe_b64decode(part.encode("ascii")))
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise Unauthorized("this token of a job cannot be read", hint=HINT)
    return found


def verified(token: JobToken, key: IssuerKey, audiences: Sequence[str], now: datetime) -> Mapping[str, Any]:
    """Return the claims of a token that its issuer has signed with a key, for one of these audiences, and that is valid now.

    Raises:
        Unauthorized: it is not; the sentence tells no more than whoever holds it can read in it.
    """
    try:
        signed = jwt.decode(
            token.text,
            key,
            registry=JWSRegistry(algorithms=[token.algorithm], strict_check_header=False),
        )
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": token.issuer},
            sub={"essential": True},
            aud={"essential": True, "values": list(audiences)},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(signed.claims)
        return signed.claims
    except BadSignatureError:
        raise Unauthorized("this token was not signed by the issuer that it names", hint=HINT) from None
    except ExpiredTokenError:
        raise Unauthorized(
            "this token has expired", hint="let the job ask for a new one; are both clocks right?"
        ) from None
    except MissingClaimError as error:
        raise Unauthorized(
            f"this token lacks a claim: {error.description or 'exp, iat, iss, sub or aud'}", hint=HINT
        ) from None
    except InvalidClaimError as error:
        raise _wrong_claim(str(error.claim)) from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unauthorized("this token of a job cannot be verified", hint=HINT) from None


def _wrong_claim(claim: str) -> Unauthorized:
    if claim == "aud":
        return Unauthorized(
            "this token is for another audience than the policy asks for",
            hint="let the job ask for one with the audience of the rule under oidc: in the policy file, mostly the address in RACK_URL",
        )
    if claim in {"nbf", "iat"}:
        return Unauthorized(
            "this token is not valid yet", hint="is the clock of the bot right? `convox-bot doctor` says"
        )
    return Unauthorized(f"the claim {claim} of this token is not as it must be", hint=HINT)


def rule_for(rules: Sequence[OidcRule], claims: Mapping[str, Any], now: datetime) -> OidcRule:
    """Return the first of the rules of its issuer that takes a job; raises Unauthorized where none does."""
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    fitting = [rule for rule in rules if rule.audience in named and rule.takes(claims)]
    age = now.timestamp() - claims["iat"]
    young = [rule for rule in fitting if rule.max_age is None or age < rule.max_age + LEEWAY_SECONDS]
    if young:
        return young[0]
    if fitting:
        raise Unauthorized(
            f"this token is {age:.0f} s old, and the policy takes one for {fitting[0].max_age:g} s",
            hint="let the job ask for a new one",
        )
    raise Unauthorized(
        f"no rule under oidc: of the policy file takes this job, whose subject is {shown(claims['sub'])}",
        hint="an administrator adds one, or widens it; its other claims must fit as well",
    )


def jwt_id(claims: Mapping[str, Any], text: str) -> JwtId:
    """Return what makes a token one: its `jti`, or where the issuer gives none what is signed, which nobody can write otherwise."""
    own = claims.get("jti")
    what = f"jti {own}" if isinstance(own, str) and own else f"text {text.rpartition('.')[0]}"
    digest = hashlib.sha256(f"{claims['iss']}\n{what}".encode()).hexdigest()
    # What a date can say; nobody waits for the end of the year 9999.
    expires = min(claims["exp"] + LEEWAY_SECONDS, 253402300799)
    return JwtId(digest=digest, expires_at=datetime.fromtimestamp(math.ceil(expires), UTC))


def name_of(rule: OidcRule, claims: Mapping[str, Any]) -> str:
    """Return which job it is, for people: `github:acme/web@refs/heads/main (run 123)`, `kubernetes:ci/deployer (pod web-x7)`."""
    said = {name: shown(claims[name]) for name in claims if isinstance(claims[name], str | int)}
    if "repository" in said and (rule.issuer.startswith(GITHUB) or rule.issuer.endswith("/_services/token")):
        return f"github:{said['repository']}@{said.get('ref', '')} (run {said.get('run_id', '')})"
    if "project_path" in said and "job_id" in said:
        return f"gitlab:{said['project_path']}@{said.get('ref_path') or said.get('ref', '')} (job {said['job_id']})"
    if said["sub"].startswith(SERVICE_ACCOUNT):
        pod = _pod_of(claims.get("kubernetes.io"))
        return f"kubernetes:{said['sub'].removeprefix(SERVICE_ACCOUNT).replace(':', '/')}{f' (pod {pod})' if pod else ''}"
    return f"oidc:{rule.name} ({said['sub']})"


def _pod_of(binding: object) -> str:
    """Return the pod that a token of a ServiceAccount was made for, "" where it was made for none."""
    pod = binding.get("pod") if isinstance(binding, dict) else None
    name = pod.get("name") if isinstance(pod, dict) else None
    return shown(name) if isinstance(name, str) else ""


def shown(value: object) -> str:
    """Return a claim as it may stand in a line: names of branches are other people's words."""
    text = "".join(each if each.isprintable() and each not in "`<>()" else "?" for each in str(value))
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
