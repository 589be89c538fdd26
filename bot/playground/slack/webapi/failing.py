"""The ways in which a call can go wrong on request."""

import asyncio

from aiohttp import web

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.faults import DROP, HANG, CallFault, Outage


def cut(request: web.Request) -> web.Response:
    """Hang up without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def hang_up(request: web.Request, context: WorkspaceContext) -> web.Response | None:
    """Return how a workspace that is away treats a caller, None when it is there."""
    if context.faults.outage is Outage.ERROR:
        return web.Response(status=503, text="<html>Service unavailable</html>", content_type="text/html")
    return None if context.faults.outage is Outage.NONE else cut(request)


async def fail(request: web.Request, fault: CallFault, stopping: asyncio.Event) -> web.Response:
    """Answer with the ordered failure; a hanging call is cut when the workspace stops."""
    if fault.failure == HANG:
        await stopping.wait()
    if fault.failure in {DROP, HANG}:
        return cut(request)
    if fault.failure == 429:
        headers = {"Retry-After": str(fault.retry_after)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
    if isinstance(fault.failure, int):
        return web.Response(status=fault.failure, text="<html>Oops</html>", content_type="text/html")
    return web.json_response({"ok": False, "error": fault.failure})
