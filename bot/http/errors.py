"""Every error over HTTP is one sentence in JSON; without this CI would parse HTML and a stranger read a traceback."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.prefixes import in_terminal
from core.errors import Unauthorized, Unexpected, UserError
from core.sentence import Sentence

log = logging.getLogger(__name__)

# RFC 7617; a browser or curl learns from it that a password would help.
CHALLENGE = {"WWW-Authenticate": 'Basic realm="convox-bot", charset="UTF-8"'}
LONGEST_PATH = 80


class RequestTimeout(UserError):
    status = 408


class PayloadTooLarge(UserError):
    status = 413


class HeaderTooLarge(UserError):
    """RFC 6585, 5."""

    status = 431


class Unsigned(UserError):
    """Nobody whose secret is known has signed this; no password would help, so none is asked for."""

    status = 401


class TooManyRequests(UserError):
    """More requests than one token may send.

    Attributes:
        retry_after: whole seconds until the next one is taken.
    """

    status = 429

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Overloaded(UserError):
    """This port has as much to do as it takes.

    Attributes:
        retry_after: whole seconds after which it is worth another try.
    """

    status = 503
    retry_after = 2


def json_response(
    document: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a JSON answer that nobody on the way keeps: it can hold revealed values."""
    return web.Response(
        body=orjson.dumps(document) + b"\n",
        status=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        content_type="application/json",
    )


def error_response(error: UserError, *, sentence: str = "", hint: str = "", text: str = "") -> web.Response:
    """Return the answer to a request that was refused.

    Args:
        error: says why; its status is the answer's.
        sentence: the error's own, where people in it have names already.
        hint: what to do now, where the error itself does not say.
        text: what was done before the refusal.
    """
    said = {"hint": hint or Sentence.of(error.hint).shown(in_terminal), "text": text}
    document = {
        "error": sentence or error.sentence.shown(in_terminal),
        **{key: value for key, value in said.items() if value},
    }
    return json_response(document, error.status, _headers(error))


def _headers(error: UserError) -> dict[str, str]:
    if isinstance(error, TooManyRequests | Overloaded):
        return {"Retry-After": str(error.retry_after)}
    return CHALLENGE if isinstance(error, Unauthorized) else {}


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a route raises into its answer."""
    try:
        return await handler(request)
    except UserError as error:
        return error_response(error)
    except web.HTTPException as error:
        return routing_response(request, error)
    except Exception:
        surprise = Unexpected()
        log.exception("%s: %s %s failed unexpectedly", surprise.reference, request.method, route_of(request))
        return error_response(surprise)


def raw_response(error: UserError) -> bytes:
    """Return an answer as it goes over the wire and ends the connection, where there is no request yet to answer."""
    answer = error_response(error)
    body = answer.body
    assert isinstance(body, bytes)
    headers = dict(answer.headers) | {"Connection": "close", "Content-Length": str(len(body))}
    head = [
        f"HTTP/1.1 {answer.status} {answer.reason}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def routing_response(request: web.Request, error: web.HTTPException) -> web.Response:
    """Return the JSON of aiohttp's own refusals: no such address, no such method."""
    path = request.path if len(request.path) <= LONGEST_PATH else request.path[:LONGEST_PATH] + "…"
    sentence = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {path}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible at {path}",
    }.get(HTTPStatus(error.status), error.reason)
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return json_response({"error": sentence}, error.status, allow)


def route_of(request: web.Request) -> str:
    """Return the pattern of the route, since a path is whatever a stranger typed and does not belong in a log."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "an unknown address"
