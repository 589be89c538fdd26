"""Who asks over HTTP: the name of a valid token, the job of CI that shows its own, or nobody; without it everybody on the network could promote."""

import base64
import binascii
from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.api.attempts import AttemptLimiter
from bot.api.metrics_snapshot import version
from bot.handlers.budgets import Budgets
from bot.oidc.jobs import VerifiedJob
from bot.oidc.tokens import looks_like
from bot.views.times import stamp
from core.actor import Actor, Caller
from core.clock import Clock
from core.errors import Forbidden, Unauthorized
from core.records.api_token import ApiToken

USER = "convox"
VERSION_HEADER = "Convox-Bot-Version"
_CALLER = web.RequestKey("_CALLER", Caller)


class TokenChecker(Protocol):
    """Whoever knows the tokens."""

    async def check(self, token: str) -> ApiToken | None:
        """Return a token that nobody has revoked, or None, in a time that tells nothing about the others."""
        ...


class JobTokenChecker(Protocol):
    """Whoever verifies the tokens of jobs of CI."""

    async def check(self, text: str) -> VerifiedJob:
        """Return whose token it is; raises Unauthorized where the policy takes it not, Unavailable where its issuer cannot be asked."""
        ...


def caller_of(request: web.Request) -> Caller:
    """Return who asks, on any route that needs a token."""
    return request[_CALLER]


async def tell_version(request: web.Request, response: web.StreamResponse) -> None:
    """Tell whoever has a token which convox-bot answers: a client of another version knows then why it was not understood."""
    if _CALLER in request:
        response.headers[VERSION_HEADER] = version()


def authentication_middleware(
    tokens: TokenChecker,
    jobs: JobTokenChecker,
    clock: Clock,
    needs_token: Callable[[str], bool],
    budgets: Budgets,
) -> Middleware:
    """Return the middleware that lets in who has a token, to the paths that need one."""
    attempts = AttemptLimiter(budgets)

    @web.middleware
    async def authenticating(request: web.Request, handler: Handler) -> web.StreamResponse:
        if needs_token(request.path):
            header = request.headers.get("Authorization")
            # A job's is new with every job, so none was good before; and whose it is is known without the database.
            if not _shown_by_job(header):
                attempts.check(request)
            try:
                request[_CALLER] = await _caller(tokens, jobs, clock, header)
            except Unauthorized:
                attempts.bad(request)
                raise
            attempts.good(request)
            # A browser adds a remembered password to whatever a foreign page makes it send, and names that page.
            if "Origin" in request.headers:
                raise Forbidden("requests from web pages are not taken", hint="use `convox-bot do`, or curl")
        return await handler(request)

    return authenticating


def _shown_by_job(header: str | None) -> bool:
    given = password(header) if header else None
    return given is not None and looks_like(given)


async def _caller(tokens: TokenChecker, jobs: JobTokenChecker, clock: Clock, header: str | None) -> Caller:
    hint = "`convox-bot token create NAME` makes one"
    if not header:
        raise Unauthorized(f"a token is needed: basic authentication, user {USER}, password TOKEN", hint=hint)
    given = password(header)
    if given is None:
        raise Unauthorized(f"this is no basic authentication with user {USER} and a token", hint=hint)
    if looks_like(given):
        job = await jobs.check(given)
        return Caller(actor=job.actor, source="http", jwt_id=job.jwt_id)
    token = await tokens.check(given)
    if token is None:
        raise Unauthorized("this token is not valid: it is unknown, or was revoked", hint=hint)
    if token.expires_at is not None and token.expired(clock.now()):
        raise Unauthorized(f"the token {token.name} expired at {stamp(token.expires_at)}", hint=hint)
    return Caller(actor=Actor("token", token.name, token.name, token.apps), source="http")


def password(header: str) -> str | None:
    """Return the password of `Basic base64(convox:PASSWORD)`, or None for anything else."""
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip().encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
    user, colon, secret = decoded.partition(":")
    return secret if scheme.lower() == "basic" and user == USER and colon and secret else None
