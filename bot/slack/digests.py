"""Posting and editing the one message that tells of all rollouts of a channel, where very many run at once."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.slack.cards import AFTER_TROUBLE, pause
from bot.slack.lookups import FIRST_LOOK, surely_absent
from bot.slack.pacing import Pacing
from bot.slack.web_api import WebApi
from core.clock import Clock
from core.failpoints import failpoint
from core.ports.digests import Digest, Digests

log = logging.getLogger(__name__)


class DigestSender:
    """Brings digests to Slack, one call at a time; without it the cards of a hundred rollouts would be minutes behind."""

    def __init__(
        self,
        digests: Digests,
        calls: WebApi,
        pacing: Pacing,
        clock: Clock,
        *,
        render: Callable[[Digest], Awaitable[dict[str, Any]]],
    ) -> None:
        self._digests = digests
        self._calls = calls
        self._pacing = pacing
        self._clock = clock
        self._render = render
        self._edited: dict[int, float] = {}

    def due_in(self, due: Digest, interval: float) -> float:
        """Return the seconds until one may be edited that is edited once in so many seconds."""
        return self._edited.get(due.id, float("-inf")) + interval - self._clock.monotonic()

    async def post(self, due: Digest) -> None:
        """Post one that is not in Slack yet; one that may be is looked for first."""
        if due.nonce and not await self._surely_absent(due):
            return
        nonce = secrets.token_hex(16)
        payload = await self._render(due)
        await self._digests.sending(due.id, nonce)
        failpoint("outbox.after_sending")
        said = await self._calls.post(due.channel, payload, nonce)
        failpoint("outbox.after_post")
        if said.ts:
            self._edited[due.id] = self._clock.monotonic()
            await self._digests.posted(due.id, said.ts)
            await self._digests.shown(due)
        elif said.later:
            pause(self._pacing, due.channel, said)
            await self._digests.again(due.id, self._later(said.retry_after))
        elif said.unknown:
            await self._digests.postpone(due.id, self._later(FIRST_LOOK))
        else:
            await self._given_up(due, said.error)

    async def _surely_absent(self, due: Digest) -> bool:
        """Look for one whose post had no outcome; True once it may be posted anew."""
        return await surely_absent(
            self._clock,
            due.tried_at,
            find=lambda since: self._calls.find(due.nonce, channel=due.channel, thread=None, since=since),
            found=partial(self._digests.posted, due.id),
            postpone=partial(self._digests.postpone, due.id),
        )

    async def edit(self, due: Digest) -> None:
        """Show the newest state; an edit may be repeated, so nothing is looked up."""
        assert due.ts is not None, "only a posted one is edited"
        said = await self._calls.edit(due.channel, due.ts, await self._render(due))
        self._edited[due.id] = self._clock.monotonic()
        if said.ts:
            await self._digests.shown(due)
        elif said.later:
            self._pacing.close(self._pacing.update(), said.retry_after)
        elif said.unknown:
            await self._digests.postpone(due.id, self._later(AFTER_TROUBLE))
        else:
            await self._given_up(due, said.error)

    async def _given_up(self, due: Digest, error: str) -> None:
        log.warning(
            "Slack does not show the digest of %s: %s; its cards and threads tell everything again",
            due.channel,
            error,
        )
        self._edited.pop(due.id, None)
        await self._digests.failed(due.id, error)

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, seconds))
