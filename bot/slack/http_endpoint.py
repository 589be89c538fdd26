"""Slack's endpoint of HTTP mode: a door in front of Bolt that lets in nothing but what Slack has signed."""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.http.bodies import expect, read_bytes
from bot.http.errors import Unsigned
from bot.http.limits import HttpLimits
from bot.http.site import new_application
from core.errors import Unreadable

log = logging.getLogger(__name__)

TIMESTAMP = re.compile(r"[0-9]{1,12}")  # seconds since 1970
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
# docs.slack.dev, "Verifying requests from Slack": anything older could be a replay.
FRESH_SECONDS = 300
# What a delivery can be: a slash command, something that was clicked or submitted, and Slack's check of a certificate.
FORMS = ("command", "payload", "ssl_check")
MOST_FIELDS = 200  # of a form; a slash command has a dozen


def new_slack_endpoint(
    app: AsyncApp, signing_secret: str, limits: HttpLimits, now: Callable[[], float] = time.time
) -> web.Application:
    """Return the application for `POST /slack/events` (commands, interactivity, events).

    Args:
        app: carries out what Slack delivers.
        signing_secret: what Slack signs with.
        limits: of this port.
        now: seconds since 1970; Slack's clock and ours must agree within five minutes.
    """

    async def events(request: web.Request) -> web.Response:
        body = await signed_body(request, signing_secret.encode(), now)
        try:
            # Signed, and parsed here: Bolt takes a form for a click wherever it says "payload", in a command's text too.
            asked = AsyncBoltRequest(body=delivery_of(body, request.content_type), mode="socket_mode")
        except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            log.warning("what Slack has signed is no delivery: %s", type(error).__name__)
            raise Unreadable("this is signed, but no form and no JSON object that Slack sends") from None
        return await to_aiohttp_response(await app.async_dispatch(asked))

    endpoint = new_application(limits)
    endpoint.router.add_post("/slack/events", events, expect_handler=expect)
    return endpoint


async def signed_body(request: web.Request, secret: bytes, now: Callable[[], float]) -> bytes:
    """Return the body, which is not read before the headers look like Slack's and not parsed before they are.

    Raises:
        Unsigned: Slack did not sign exactly this, or not in the last five minutes.
        UserError: the body cannot be read, as `read_bytes` says.
    """
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    plausible = TIMESTAMP.fullmatch(stamp) and SIGNATURE.fullmatch(signature)
    if not plausible or abs(now() - int(stamp)) > FRESH_SECONDS:
        raise Unsigned("this is not signed by Slack, or was some time ago")
    body = await read_bytes(request)
    mac = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    if not hmac.compare_digest(f"v0={mac.hexdigest()}", signature):
        raise Unsigned("this is not signed by Slack, or was some time ago")
    return body


def delivery_of(body: bytes, content_type: str) -> dict[str, Any]:
    """Return what Slack delivers: a JSON object, or the one in a form's `payload`, or a form.

    Raises:
        ValueError: it is none of them.
    """
    document: Any
    if content_type == "application/json":
        document = orjson.loads(body)
    else:
        form = parse_qs(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
        if not any(name in form for name in FORMS):
            raise ValueError("a form without what it is about")
        if "payload" in form:
            document = orjson.loads(form["payload"][-1])
        else:
            document = {name: values[-1] for name, values in form.items()}
    if not isinstance(document, dict) or not document:
        raise ValueError("no JSON object")
    return document
