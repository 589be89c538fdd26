"""Telling a webhook: one signed POST, whose answer is looked at no closer than its status."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

import aiohttp
from yarl import URL

from bot.outgoing.cloud_events import MEDIA, CloudEventRenderer
from bot.outgoing.public_addresses import (
    NOT_PUBLIC,
    is_private_address,
    may_be_called,
    new_connector,
)
from bot.outgoing.receiver import Delivered, Delivery, Undelivered
from bot.outgoing.signing import signed_headers
from core.clock import Clock
from core.errors import NotFound
from core.records.outgoing_event import OutgoingEvent, Subscription

# Standard Webhooks asks senders for 15 to 30 seconds; receivers answer first and work afterwards.
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
USER_AGENT = "convox-bot"
# It has read the event and does not want it; every other answer may be said of all of them.
OF_EVENT = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


def new_webhook_session(*, private: bool, seconds: float = ANSWER_SECONDS) -> aiohttp.ClientSession:
    """Return what webhooks are called with: no proxy, no cookie, and unless `private` no address but those of the internet."""
    return aiohttp.ClientSession(
        connector=new_connector(private=private),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT_SECONDS, seconds)),
        auto_decompress=False,
    )


class WebhookReceiver:
    """`bot.outgoing.receiver.Receiver` of webhooks."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        renderer: CloudEventRenderer,
        clock: Clock,
        *,
        private: bool = False,
    ) -> None:
        self._session = session
        self._renderer = renderer
        self._clock = clock
        self._private = private

    async def deliver(self, subscription: Subscription, event: OutgoingEvent) -> Delivery:
        try:
            body = await self._renderer.body(event)
        except NotFound as error:
            # What it tells of is gone, with an app that was deleted: nobody can be told any more.
            return Undelivered(answer=str(error), drop="rejected")
        return await post_event(
            self._session, subscription, event.key, body, at=self._clock.now(), private=self._private
        )


async def post_event(
    session: aiohttp.ClientSession,
    subscription: Subscription,
    key: str,
    body: bytes,
    *,
    at: datetime,
    private: bool,
) -> Delivered | Undelivered:
    """Send one body to a webhook, signed as its events are."""
    url = URL(subscription.url)
    if not may_be_called(url, private=private):
        return Undelivered(answer="its address is not one of the internet, or not https")
    signed = signed_headers(subscription.secret, key, at, body)
    headers = {"Content-Type": MEDIA, "User-Agent": USER_AGENT, **signed}
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            status, given = response.status, response.headers
            # Whatever it has to say: nobody reads it.
            response.close()
    except TimeoutError:
        return Undelivered(answer=f"no answer within {ANSWER_SECONDS:g} s")
    except (aiohttp.ClientError, OSError) as error:
        return Undelivered(answer=_unreached(error))
    return answered(status, given)


def answered(status: int, headers: Mapping[str, str]) -> Delivered | Undelivered:
    """Return what a status means: 2xx is taken, 410 that nobody is there any more; a redirect is not followed."""
    if 200 <= status < 300:
        return Delivered(answer=str(status))
    if status == HTTPStatus.GONE:
        return Undelivered(answer="410: it wants to hear of nothing more", drop="gone")
    if 300 <= status < 400:
        return Undelivered(answer=f"{status}, and a redirect is not followed")
    after = headers.get("Retry-After", "")
    return Undelivered(
        answer=str(status),
        after=float(after) if after.isascii() and after.isdigit() else 0.0,
        of_event=status in OF_EVENT,
    )


def _unreached(error: Exception) -> str:
    """Say why there was no answer, in our words: an error's text may hold the address."""
    if is_private_address(error):
        return f"its name {NOT_PUBLIC}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not to be trusted"
    if isinstance(error, aiohttp.ClientSSLError):
        return "it does not speak TLS as we do"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "it cannot be reached"
    return "the connection broke off"
