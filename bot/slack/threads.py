"""Posting lines and endings under their card, in order, each once."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.slack.cards import pause
from bot.slack.lookups import FIRST_LOOK, surely_absent
from bot.slack.pacing import Pacing
from bot.slack.web_api import GONE, INACTIVE, CallResult, WebApi
from bot.views.thread import MOST_ROWS, fitting
from core.clock import Clock
from core.failpoints import failpoint
from core.lifecycle.visibility import ELSEWHERE
from core.ports.outbox import Fits, LostPost, Outbox, Post, Shown, ThreadDue

log = logging.getLogger(__name__)

# Slack's word where the app has lost the right to post, wherever that is.
NOT_ALLOWED = "missing_scope"


class ThreadSender:
    """Brings threads to Slack, one message at a time."""

    def __init__(
        self,
        outbox: Outbox,
        calls: WebApi,
        pacing: Pacing,
        clock: Clock,
        *,
        render: Callable[[Post], Awaitable[dict[str, Any]]],
        beside_ending: Callable[[str], Awaitable[Fits]],
        shown: Callable[[ThreadDue], Shown | None],
    ) -> None:
        """Take what it works with.

        Args:
            outbox: what is to be said, and what became of it.
            calls: Slack.
            pacing: is told of a Retry-After.
            clock: for look-ups and delays.
            render: makes the payload of a post from the records.
            beside_ending: says of what has ended which lines go into one message with its ending.
            shown: says of a thread which lines stand in it, None where all do.
        """
        self._outbox = outbox
        self._calls = calls
        self._pacing = pacing
        self._clock = clock
        self._render = render
        self._beside_ending = beside_ending
        self._shown = shown

    async def due(self) -> list[ThreadDue]:
        """Return the threads with something to send now; what they do not show is put aside and takes nobody's turn."""
        due = await self._outbox.threads_due()
        hiding = {each.subject: shown for each in due if each.waiting and (shown := self._shown(each))}
        if hiding and await self._outbox.leave_out(hiding):
            return await self._outbox.threads_due()
        return due

    async def send(self, thread: ThreadDue) -> None:
        """Post the ending with the lines that are left, as soon as they fit into one message; else the next batch of lines."""
        shown = self._shown(thread)
        post = await self._ending(thread.subject, shown) if thread.ending else None
        post = post or await self._outbox.claim_lines(
            thread.subject, most=MOST_ROWS, fitting=fitting, shown=shown
        )
        if post is None:
            return
        failpoint("outbox.after_sending")
        said = await self._calls.post(
            thread.channel, await self._render(post), post.nonce, thread_ts=thread.ts
        )
        failpoint("outbox.after_post")
        await self._keep(post, thread, said)

    async def _ending(self, subject: str, shown: Shown | None) -> Post | None:
        fits = await self._beside_ending(subject)
        return await self._outbox.claim_verdict(subject, most=MOST_ROWS, fits=fits, shown=shown)

    async def _keep(self, post: Post, thread: ThreadDue, said: CallResult) -> None:
        if said.ts:
            await self._outbox.post_sent(post.id, said.ts)
        elif said.unknown:
            await self._outbox.post_unknown(post.id)
            await self._outbox.postpone_post(post.id, self._later(FIRST_LOOK))
        elif said.later:
            pause(self._pacing, thread.channel, said)
            await self._outbox.post_again(post.id, self._later(said.retry_after))
        elif said.error in {*ELSEWHERE, *GONE, INACTIVE}:
            await self._outbox.post_again(post.id)
            await self._elsewhere(thread, said.error)
        elif said.error == NOT_ALLOWED:
            log.error("Slack closed the thread of %s: %s", post.subject, said.error)
            await self._outbox.card_failed(post.subject, said.error)
        else:
            log.error("Slack did not take a message of %s: %s", post.subject, said.error)
            await self._outbox.post_dead(post.id, said.error)

    async def _elsewhere(self, thread: ThreadDue, error: str) -> None:
        """Go on under a new card where this one is gone, and with the requester where the channel, or that one, is as well."""
        if error in GONE and await self._outbox.card_gone(thread.subject, thread.ts, error):
            log.warning("the card of %s is gone: %s; it is posted anew", thread.subject, error)
            return
        log.warning("the channel of %s has closed: %s; its requester is told directly", thread.subject, error)
        await self._outbox.channel_closed(thread.subject, error)

    async def look_up(self, lost: LostPost) -> None:
        """Find out what became of a message without an outcome, before it is sent again."""
        post = lost.post

        async def found(ts: str) -> None:
            await self._outbox.post_sent(post.id, ts)
            await self._outbox.write_down()

        if await surely_absent(
            self._clock,
            post.tried_at,
            find=lambda since: self._calls.find(
                post.nonce, channel=lost.channel, thread=lost.thread, since=since
            ),
            found=found,
            postpone=partial(self._outbox.postpone_post, post.id),
        ):
            await self._outbox.post_again(post.id)

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, seconds))
