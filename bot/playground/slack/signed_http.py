"""Signed HTTP: the other way in which Slack delivers, as form posts with a v0 signature."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.envelopes import Envelope
from core.waiting import first_of

Json = dict[str, Any]


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return the v0 signature of a request body."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return f"v0={digest}"


def body_of(envelope: Envelope) -> tuple[str, str]:
    """Return the body of a delivery and its content type."""
    if envelope.type == "events_api":
        return json.dumps(envelope.payload), "application/json"
    if envelope.type == "interactive":
        return urlencode({"payload": json.dumps(envelope.payload)}), "application/x-www-form-urlencoded"
    return urlencode(envelope.payload), "application/x-www-form-urlencoded"


class SignedHttp:
    """Posts deliveries to the application's request URL."""

    def __init__(self, context: WorkspaceContext) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, envelope: Envelope, *, attempt: int, seconds: float) -> Json | str:
        """Post one delivery; return what a 200 said, or the error a person is shown."""
        posting = asyncio.ensure_future(self._post(url, envelope, attempt))
        try:
            await first_of(posting, self._context.clock.sleep(seconds))
            return posting.result() if posting.done() else "operation_timeout"
        except (aiohttp.ClientError, OSError):
            return "dispatch_failed"
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)

    async def _post(self, url: str, envelope: Envelope, attempt: int) -> Json | str:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        body, content_type = body_of(envelope)
        async with self._session.post(
            url, data=body, headers=self._headers(body, content_type, attempt)
        ) as response:
            text = await response.text()
            if response.status != 200:
                return "dispatch_failed"
            return (
                json.loads(text) if response.content_type == "application/json" and text else {"text": text}
            )

    def _headers(self, body: str, content_type: str, attempt: int) -> dict[str, str]:
        # The receiver compares with the wall, however fast the playground's own clock runs.
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._context.credentials.signing_secret, timestamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        return headers | retry if attempt else headers

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
