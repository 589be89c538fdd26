"""Bringing cards and threads to Slack: one sender, in order, under Slack's limits; twice never, lost never."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from bot.slack.cards import AFTER_TROUBLE, CardSender
from bot.slack.connection import SlackState
from bot.slack.pacing import Pacing, TokenBucket
from bot.slack.threads import ThreadSender
from bot.slack.web_api import WebApi
from core.clock import Clock
from core.ports.outbox import Card, CardDue, Outgoing, Post
from core.ports.store import Store
from core.promotion import SETTLED, Phase
from core.waiting import first_of

log = logging.getLogger(__name__)

# Smaller first. Verdicts and approvals go before heartbeats and ordinary lines (engine rule 39).
NEW_CARD, VERDICT, DECISION, HEARTBEAT, LINES = range(5)
QUIET_SECONDS = 3600.0
# How long what made the sender stumble is left alone.
AFTER_A_SURPRISE = 30.0


class Renderer(Protocol):
    """Records → payloads."""

    async def card(self, promotion_id: str) -> dict[str, Any]: ...

    async def post(self, post: Post) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class SendTask:
    """One call that is due: how urgent, where, of which promotion, paced by which buckets, and what to do."""

    order: int
    channel: str
    promotion: str
    buckets: tuple[TokenBucket, ...]
    run: Callable[[], Awaitable[None]]

    def take(self, now: float) -> float:
        """Take a token from the first bucket that has one; return the seconds until one has, 0 where it is taken."""
        pauses = [bucket.wait(now) for bucket in self.buckets]
        if (pause := min(pauses)) <= 0:
            next(bucket for bucket, wait in zip(self.buckets, pauses, strict=True) if wait <= 0).take()
        return max(0.0, pause)


class Sender:
    """The one sender of a process; also the core's Announcer."""

    def __init__(
        self,
        outbox: Outgoing,
        messages: Renderer,
        store: Store,
        calls: WebApi,
        state: SlackState,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._state = state
        self._clock = clock
        self._pacing = Pacing(clock)
        self._fresh = asyncio.Event()
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        # What a message was about that made the sender stumble, and until when it is left alone.
        self._put_off: dict[str, float] = {}
        self._interrupted = True
        self._cards = CardSender(
            outbox,
            calls,
            self._pacing,
            clock,
            render=messages.card,
            settled=self._settled,
        )
        self._threads = ThreadSender(outbox, calls, self._pacing, clock, render=messages.post)

    def wake(self) -> None:
        """Look for new rows now."""
        self._fresh.set()

    async def wait_for_card(self, promotion_id: str, seconds: float) -> Card | None:
        """Wait until a card is posted or has failed for good, or so many seconds."""
        deadline = self._clock.monotonic() + seconds
        outcome = asyncio.Event()
        waiting = self._waiting[promotion_id]
        waiting.add(outcome)
        try:
            while True:
                outcome.clear()
                card = await self._store.read.card(promotion_id)
                left = deadline - self._clock.monotonic()
                if card is None or card.ts or card.failed or left <= 0:
                    return card
                await first_of(outcome.wait(), self._clock.sleep(left))
        finally:
            waiting.discard(outcome)
            if not waiting:
                self._waiting.pop(promotion_id, None)

    def _settled(self, promotion_id: str) -> None:
        for outcome in self._waiting.get(promotion_id, ()):
            outcome.set()

    async def run(self) -> None:
        """Send until cancelled; waits for Slack to know us, and stops for good with dead credentials."""
        await self._state.known.wait()
        while not self._state.dead:
            self._fresh.clear()
            try:
                await self._recover()
                wait = await self._round()
            except Exception:
                log.exception("the sender met an error nobody foresaw; it goes on")
                self._interrupted = True
                wait = AFTER_TROUBLE
            if wait > 0:
                await first_of(self._fresh.wait(), self._clock.sleep(wait))

    async def _recover(self) -> None:
        """Look up what may have been sent, after a start and after whatever broke off in the middle of sending."""
        if self._interrupted:
            await self._outbox.recover()
            self._interrupted = False

    async def _round(self) -> float:
        """Send what may go now, one message a channel; return the seconds until more may."""
        tasks, wait = await self._due()
        now = self._clock.monotonic()
        ready: dict[str, SendTask] = {}
        for task in sorted(tasks, key=lambda e: e.order):
            if task.channel in ready:
                continue
            # Taken at once: the next task may be paced by the same bucket.
            if (pause := task.take(now)) > 0:
                wait = min(wait, pause)
            else:
                ready[task.channel] = task
        # All are awaited, whatever becomes of one: a second call beside one that still runs would post twice.
        outcomes = await asyncio.gather(*(task.run() for task in ready.values()), return_exceptions=True)
        for task, outcome in zip(ready.values(), outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._stumbled(task, outcome)
        return 0.0 if ready else wait

    def _stumbled(self, task: SendTask, error: Exception) -> None:
        """Leave a promotion alone for a while, so that it does not keep the others of its channel waiting."""
        log.error("a message of %s met an error nobody foresaw", task.promotion, exc_info=error)
        self._put_off[task.promotion] = self._clock.monotonic() + AFTER_A_SURPRISE
        self._interrupted = True

    async def _due(self) -> tuple[list[SendTask], float]:
        """Return what may be sent, and how long to wait for what may not be yet."""
        tasks: list[SendTask] = []
        self._cards.forget()
        cards = await self._outbox.cards_due()
        wait = QUIET_SECONDS
        for due in cards:
            task, pause = await self._card(due, len(cards))
            tasks += [task] if pause <= 0 else []
            wait = min(wait, pause) if pause > 0 else wait
        for lost in await self._outbox.posts_unknown():
            look_up = partial(self._threads.look_up, lost)
            tasks.append(self._post(VERDICT, lost.channel, lost.post.promotion, look_up))
        for thread in await self._outbox.threads_due():
            order = VERDICT if thread.ending else LINES
            send = partial(self._threads.send, thread)
            tasks.append(self._post(order, thread.channel, thread.promotion, send))
        backlog = await self._outbox.backlog()
        # Something is delayed: by a Retry-After, or until its outcome is looked up.
        delayed = backlog.cards or backlog.lines or backlog.posts
        now = self._clock.monotonic()
        self._put_off = {promotion: until for promotion, until in self._put_off.items() if until > now}
        tasks = [task for task in tasks if task.promotion not in self._put_off]
        return tasks, min(wait, 1.0) if delayed else wait

    def _post(self, order: int, channel: str, promotion: str, run: Callable[[], Awaitable[None]]) -> SendTask:
        return SendTask(order, channel, promotion, (self._pacing.post(channel),), run)

    async def _card(self, due: CardDue, live: int) -> tuple[SendTask, float]:
        """Return the task of a card, and how long its next edit must wait."""
        card = due.card
        if card.ts is None:
            post = partial(self._cards.post, due)
            return self._post(NEW_CARD, card.channel, card.promotion, post), 0.0
        promotion = await self._store.read.promotion(card.promotion)
        urgent = promotion.phase in SETTLED or promotion.phase is Phase.AWAITING_APPROVAL
        edit = partial(self._cards.edit, due)
        if urgent:
            lanes = (self._pacing.urgent(), self._pacing.update())
            return SendTask(DECISION, card.channel, card.promotion, lanes, edit), 0.0
        wait = self._cards.due_in(card.promotion, self._pacing.card_interval(live))
        return SendTask(HEARTBEAT, card.channel, card.promotion, (self._pacing.update(),), edit), wait
