"""Slack's endpoint of HTTP mode: Bolt behind a door that turns away what Bolt would stumble over."""

import logging
import re

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

# Slack's payloads are a few kilobytes; a modal's largest is far below this.
LARGEST = 1 << 20
TIMESTAMP = re.compile(r"[0-9]{1,12}")  # seconds since 1970


def new_slack_endpoint(app: AsyncApp) -> web.Application:
    """Return the application for `POST /slack/events` (commands, interactivity, events)."""

    async def events(request: web.Request) -> web.Response:
        # Bolt answers a timestamp that is no number, or one beyond any clock, with a 500 and a traceback, to anybody.
        if not TIMESTAMP.fullmatch(request.headers.get("X-Slack-Request-Timestamp", "")):
            return web.Response(status=401, text="no Slack signature")
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    # A bad signature would be logged with its whole body, response_url and trigger_id included.
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
    endpoint = web.Application(client_max_size=LARGEST)
    endpoint.router.add_post("/slack/events", events)
    return endpoint
