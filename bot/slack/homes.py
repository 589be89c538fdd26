"""Keeping Home tabs as things are: of those who have opened theirs, published only where something on it has changed."""

import asyncio
import hashlib
import logging
from datetime import timedelta
from typing import Any

import orjson

from bot.slack.connection import SlackState
from bot.slack.pacing import TokenBucket
from bot.slack.web_api import WebApi
from bot.views.home import home_view
from core.actor import Actor
from core.clock import Clock
from core.errors import Unavailable
from core.ports.homes import Homes
from core.usecases.overview import OverviewReader
from core.waiting import first_of

log = logging.getLogger(__name__)

# Of a workspace of thousands only those are kept who opened theirs last; each of the others sees it anew by opening it.
MOST_KEPT, KEPT_FOR = 40, timedelta(hours=24)
# views.publish is Tier 4, 100 a minute. Slack says who people are as often, and judges who may press what here.
PUBLISH_RATE, PUBLISH_BURST = 40 / 60, 5.0
# A tab is looked at again so long after something has happened, and at last after so many seconds without a word.
ROUND_SECONDS, QUIET_SECONDS = 5.0, 60.0


class HomeSender:
    """Publishes Home tabs, by the hash of what stands there."""

    def __init__(
        self, homes: Homes, overviews: OverviewReader, web: WebApi, state: SlackState, clock: Clock
    ) -> None:
        self._homes = homes
        self._overviews = overviews
        self._web = web
        self._state = state
        self._clock = clock
        self._fresh = asyncio.Event()
        self._just_opened: dict[str, None] = {}
        # Person → digest of what Slack shows them, as far as this process knows.
        self._shown: dict[str, str] = {}
        self._bucket = TokenBucket(PUBLISH_RATE, PUBLISH_BURST, PUBLISH_BURST, clock.monotonic())

    def opened(self, user: str) -> None:
        """Somebody looks at their tab: it is the next to be published."""
        self._just_opened[user] = None
        self._fresh.set()

    def wake(self) -> None:
        """Something has changed: look again soon."""
        self._fresh.set()

    async def run(self) -> None:
        """Keep tabs until cancelled; Slack or a database in trouble is tried again with the next round."""
        await self._state.identified.wait()
        while not self._state.bot_token_refused:
            self._fresh.clear()
            try:
                await self._round()
            except Unavailable as error:
                log.warning("Home tabs stay as they are for now: %s", error)
            except Exception:
                log.exception("Home tabs stay as they are for now")
            if not self._just_opened:
                await first_of(self._fresh.wait(), self._clock.sleep(QUIET_SECONDS))
                await self._gather()

    async def _gather(self) -> None:
        """Wait a little for what else changes, but for nobody who has just opened their tab."""
        deadline = self._clock.monotonic() + ROUND_SECONDS
        while not self._just_opened and (left := deadline - self._clock.monotonic()) > 0:
            self._fresh.clear()
            await first_of(self._fresh.wait(), self._clock.sleep(left))

    async def _round(self) -> None:
        while self._just_opened:
            user = next(iter(self._just_opened))
            del self._just_opened[user]
            await self._homes.opened(user, self._clock.now())
            await self._publish(user)
        for user in await self._homes.recent(self._clock.now() - KEPT_FOR, MOST_KEPT):
            if self._just_opened:
                self._fresh.set()
                return
            await self._publish(user)

    async def _publish(self, user: str) -> None:
        """Publish one tab, unless Slack shows just that."""
        view = home_view(await self._overviews.of(Actor("slack", user, "")))
        digest = _digest(view)
        if self._shown.get(user) == digest:
            return
        await self._clock.sleep(max(0.0, self._bucket.wait(self._clock.monotonic())))
        self._bucket.take()
        said = await self._web.publish(user, view)
        if not said.error:
            self._shown[user] = digest
            while len(self._shown) > 2 * MOST_KEPT:
                del self._shown[next(iter(self._shown))]
        elif said.later or said.limited or said.unknown:
            self._bucket.closed_until = self._clock.monotonic() + said.retry_after
            self._shown.pop(user, None)
        else:
            log.error("Slack does not take a Home tab: %s", said.error)
            self._shown[user] = digest


def _digest(view: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(view, option=orjson.OPT_SORT_KEYS)).hexdigest()
