"""What requests over HTTP take from the budget of who asks."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.api.authentication import caller_of
from bot.api.openapi.operations import operation_at
from bot.handlers.budgets import Budgets


def spending_middleware(budgets: Budgets) -> Middleware:
    """Return the middleware that takes each request from a budget; `/commands` does so itself, once it knows which it is."""

    @web.middleware
    async def spending(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = operation_at(request.method, request.path)
        if asked is not None and asked.cost is not None:
            budgets.take(caller_of(request).actor.key, asked.cost)
        return await handler(request)

    return spending
