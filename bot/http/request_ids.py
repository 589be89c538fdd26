"""An id for each request, for the log: who has asked finds what was done about it, and what stands in front of us its own id."""

import re
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from core.log_context import log_about

HEADER = "X-Request-Id"
# What proxies make; anything else could be made to read like something of ours in a log, or to have no end.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = web.RequestKey("request_id", str)


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, its own where it brings one; the lines that are logged for it tell it."""
    given = request.headers.get(HEADER, "")
    request[REQUEST_ID] = made = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
    # One connection answers its requests in one task: what the request before was about is none of this one's.
    log_about(request=made, app="", build="", delivery="", promotion="")
    return await handler(request)


async def tell_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Put the id into the answer, before its headers go; a request that no middleware has seen has none."""
    if made := request.get(REQUEST_ID):
        response.headers[HEADER] = made
