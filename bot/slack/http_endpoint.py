"""Slack's endpoint of HTTP mode: a door in front of Bolt that lets in nothing but what Slack has signed."""

import logging
import re

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

# Slack's payloads are a few kilobytes; a modal's largest is far below this.
LARGEST_BODY = 1 << 20
TIMESTAMP = re.compile(r"[0-9]{1,12}")  # seconds since 1970
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def new_slack_endpoint(app: AsyncApp, signing_secret: str) -> web.Application:
    """Return the application for `POST /slack/events` (commands, interactivity, events)."""
    verifier = SignatureVerifier(signing_secret)

    async def events(request: web.Request) -> web.Response:
        # Bolt parses a body before it looks at the signature: anybody could make it answer 500 with a traceback.
        body = await _signed_body(request, verifier)
        if body is None:
            return web.Response(status=401, text="no Slack signature")
        query, headers = request.query_string, dict(request.headers)
        asked = AsyncBoltRequest(body=body, query=query, headers=headers)  # type: ignore[arg-type]
        return await to_aiohttp_response(await app.async_dispatch(asked))

    # A bad signature would be logged with its whole body, response_url and trigger_id included.
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
    endpoint = web.Application(client_max_size=LARGEST_BODY)
    endpoint.router.add_post("/slack/events", events)
    return endpoint


async def _signed_body(request: web.Request, verifier: SignatureVerifier) -> str | None:
    """Return the body, or None where Slack did not sign exactly this, or not in the last five minutes.

    Raises:
        HTTPRequestEntityTooLarge: it is larger than any of Slack's.
    """
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (TIMESTAMP.fullmatch(timestamp) and SIGNATURE.fullmatch(signature)):
        return None
    try:
        body = (await request.read()).decode()
    except (UnicodeDecodeError, web.RequestPayloadError):
        # No UTF-8, or cut in the middle: nothing that Slack sends.
        return None
    return body if verifier.is_valid(body, timestamp, signature) else None
