"""Posting notices, each once: one whose outcome is unknown is looked for before it is posted again."""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.slack.cards import pause
from bot.slack.lookups import FIRST_LOOK, surely_absent
from bot.slack.pacing import Pacing
from bot.slack.web_api import WebApi
from core.clock import Clock
from core.failpoints import failpoint
from core.ports.notices import Notice, Notices

log = logging.getLogger(__name__)


class NoticeSender:
    """Brings notices to Slack, one call at a time."""

    def __init__(
        self,
        notices: Notices,
        calls: WebApi,
        pacing: Pacing,
        clock: Clock,
        *,
        render: Callable[[Notice], dict[str, Any]],
    ) -> None:
        self._notices = notices
        self._render = render
        self._calls = calls
        self._pacing = pacing
        self._clock = clock

    async def send(self, due: Notice) -> None:
        """Post one notice; a channel that takes none is said in the log, since nobody waits for the answer."""
        if due.nonce and not await self._surely_absent(due):
            return
        if due.over:
            await self._notices.failed(due.id, "over")
            return
        nonce = secrets.token_hex(16)
        await self._notices.sending(due.id, nonce)
        failpoint("outbox.after_sending")
        under = {"thread_ts": due.thread} if due.thread else {}
        said = await self._calls.post(due.channel, self._render(due), nonce, **under)
        failpoint("outbox.after_post")
        if said.ts:
            await self._notices.posted(due.id, said.ts, str(said.data.get("channel") or "") or None)
        elif said.later:
            pause(self._pacing, due.channel, said)
            await self._notices.again(due.id, self._later(said.retry_after))
        elif said.unknown:
            await self._notices.postpone(due.id, self._later(FIRST_LOOK))
        else:
            log.warning("Slack does not take a notice for %s: %s", due.channel, said.error)
            await self._notices.failed(due.id, said.error)

    async def _surely_absent(self, due: Notice) -> bool:
        """Look for a notice whose post had no outcome; True once it may be posted anew."""
        return await surely_absent(
            self._clock,
            due.tried_at,
            find=lambda since: self._calls.find(
                due.nonce, channel=due.channel, thread=due.thread, since=since
            ),
            found=partial(self._notices.posted, due.id),
            postpone=partial(self._notices.postpone, due.id),
        )

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, seconds))
