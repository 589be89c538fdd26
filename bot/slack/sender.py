"""Bringing cards and threads to Slack: one sender, in order, under Slack's limits; twice never, lost never."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from bot.slack.cards import AFTER_TROUBLE, CardSender
from bot.slack.connection import SlackState
from bot.slack.digests import DigestSender
from bot.slack.notices import NoticeSender
from bot.slack.pacing import Pacing, TokenBucket
from bot.slack.priorities import Priority, SendTask, chosen
from bot.slack.threads import ThreadSender
from bot.slack.web_api import WebApi
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.build_run import ENDED
from core.clock import Clock
from core.errors import Unavailable
from core.ports.digests import Digest
from core.ports.notices import Notice
from core.ports.outbox import Card, CardDue, Fits, LostPost, Outbox, Post, Shown, ThreadDue
from core.ports.store import Store
from core.promotion import SETTLED, Phase
from core.waiting import first_of

log = logging.getLogger(__name__)

QUIET_SECONDS = 3600.0
# How long what made the sender stumble is left alone.
AFTER_A_SURPRISE = 30.0
# What many rollouts wake the sender for is looked at together: a hundred need no round each.
GATHER_SECONDS = 0.1
# How long what Slack has taken may stay unwritten, where nothing else is to be written: see `Outbox`. After a verdict
# nothing else may come for hours.
UNWRITTEN_SECONDS, SETTLED_SECONDS = 5.0, 0.5
LAST = frozenset({Priority.VERDICT, Priority.DECISION})
# How long a round waits for its own calls, by the clock on the wall: Slack answers in a third of that. Whoever is slower holds
# up the rest of its channel and nobody else.
PATIENCE_SECONDS = 1.0


class Renderer(Protocol):
    """Records → payloads."""

    async def card(self, subject: str, without: Collection[str] = ()) -> dict[str, Any]: ...

    async def post(self, post: Post) -> dict[str, Any]: ...

    async def beside_ending(self, subject: str) -> Fits: ...

    def shown(self, due: ThreadDue) -> Shown | None: ...

    def notice(self, due: Notice) -> dict[str, Any]: ...

    async def digest(self, due: Digest) -> dict[str, Any]: ...


class Sender:
    """The one sender of a process; also the core's Announcer."""

    def __init__(
        self,
        outbox: Outbox,
        messages: Renderer,
        store: Store,
        calls: WebApi,
        state: SlackState,
        clock: Clock,
        support: WorkspaceBlocks,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._state = state
        self._clock = clock
        self._pacing = Pacing(clock)
        self._fresh = asyncio.Event()
        self._others: list[Callable[[], None]] = []
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        # What a message was about that made the sender stumble, and until when it is left alone.
        self._put_off: dict[str, float] = {}
        self._interrupted = True
        self._sending: dict[asyncio.Task[None], SendTask] = {}
        # Of these, those whose round has ended before them: whoever waits is told of their end.
        self._slow: set[asyncio.Task[None]] = set()
        # When what may be in Slack and in no row yet is written at the latest.
        self._write_at: float | None = None
        self._cards = CardSender(
            outbox,
            calls,
            self._pacing,
            clock,
            render=messages.card,
            support=support,
            outcome_known=self._outcome_known,
        )
        self._threads = ThreadSender(
            outbox,
            calls,
            self._pacing,
            clock,
            render=messages.post,
            beside_ending=messages.beside_ending,
            shown=messages.shown,
        )

        self._notices = NoticeSender(outbox.notices, calls, self._pacing, clock, render=messages.notice)
        self._digests = DigestSender(outbox.digests, calls, self._pacing, clock, render=messages.digest)

    @property
    def pacing(self) -> Pacing:
        """What everybody asks who brings a message to a channel."""
        return self._pacing

    def also_wake(self, other: Callable[[], None]) -> None:
        """Tell somebody else too that there is something new."""
        self._others.append(other)

    def wake(self) -> None:
        """Look for new rows now."""
        self._fresh.set()
        for wake in self._others:
            wake()

    async def wait_for_card(self, subject: str, seconds: float) -> Card | None:
        """Wait until a card is posted or has failed for good, or so many seconds."""
        deadline = self._clock.monotonic() + seconds
        outcome = asyncio.Event()
        waiting = self._waiting[subject]
        waiting.add(outcome)
        try:
            while True:
                outcome.clear()
                card = await self._store.read.card(subject)
                left = deadline - self._clock.monotonic()
                if card is None or card.ts or card.failed or left <= 0:
                    return card
                await first_of(outcome.wait(), self._clock.sleep(left))
        finally:
            waiting.discard(outcome)
            if not waiting:
                self._waiting.pop(subject, None)

    def _outcome_known(self, subject: str) -> None:
        for outcome in self._waiting.get(subject, ()):
            outcome.set()

    async def run(self) -> None:
        """Send until cancelled; waits for Slack to know us, and stops for good with dead credentials."""
        await self._state.identified.wait()
        try:
            await self._send_on()
        finally:
            calls = list(self._sending)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _send_on(self) -> None:
        while not self._state.bot_token_refused:
            self._fresh.clear()
            try:
                await self._recover()
                wait = await self._round()
            except Exception as error:
                if isinstance(error, Unavailable):
                    log.warning("nothing more is sent to Slack for now: %s", error)
                else:
                    log.exception("the sender met an error nobody foresaw; it goes on")
                self._interrupted = True
                wait = AFTER_TROUBLE
            if wait > 0:
                await first_of(self._fresh.wait(), self._clock.sleep(wait))
                if self._fresh.is_set():
                    await self._clock.sleep(GATHER_SECONDS)

    async def _recover(self) -> None:
        """Look up what may have been sent, after a start and after whatever broke off in the middle of sending."""
        if self._interrupted:
            self._interrupted = False
            try:
                await self._outbox.recover(but={task.subject for task in self._sending.values()})
            except BaseException:
                self._interrupted = True
                raise

    async def _round(self) -> float:
        """Send what may go now, one message a channel; return the seconds until more may."""
        tasks, wait = await self._due()
        going, pause = chosen(self._free(tasks), self._clock.monotonic())
        if going:
            _, slow = await asyncio.wait([self._start(task) for task in going], timeout=PATIENCE_SECONDS)
            self._slow |= slow
            return 0.0
        return min(wait, wait if pause is None else pause, await self._write_down())

    def _free(self, tasks: Sequence[SendTask]) -> list[SendTask]:
        """Leave out what a call is under way for: a second one beside it would post twice, or out of order."""
        under_way = self._sending.values()
        subjects, channels = {t.subject for t in under_way}, {t.channel for t in under_way}
        return [t for t in tasks if t.subject not in subjects and t.channel not in channels]

    def _start(self, task: SendTask) -> asyncio.Task[None]:
        call = asyncio.create_task(self._call(task), name=f"a message of {task.subject}")
        self._sending[call] = task
        call.add_done_callback(self._ended)
        return call

    async def _call(self, task: SendTask) -> None:
        try:
            await task.run()
        except Unavailable as error:
            log.warning("a message of %s has to wait: %s", task.subject, error)
            self._stumbled(task)
        except Exception:
            log.exception("a message of %s met an error nobody foresaw", task.subject)
            self._stumbled(task)
        pause = SETTLED_SECONDS if task.priority in LAST else UNWRITTEN_SECONDS
        at = self._clock.monotonic() + pause
        self._write_at = at if self._write_at is None else min(at, self._write_at)

    def _ended(self, call: asyncio.Task[None]) -> None:
        del self._sending[call]
        if call in self._slow:
            self._slow.discard(call)
            self._fresh.set()

    async def _write_down(self) -> float:
        """Write what Slack has taken, once it has waited long enough for another write; return the seconds until then."""
        if self._write_at is None:
            return QUIET_SECONDS
        if (left := self._write_at - self._clock.monotonic()) > 0:
            return left
        await self._outbox.write_down()
        self._write_at = None
        return QUIET_SECONDS

    def _stumbled(self, task: SendTask) -> None:
        """Leave it alone for a while, so that it does not keep the others of its channel waiting."""
        self._put_off[task.subject] = self._clock.monotonic() + AFTER_A_SURPRISE
        self._interrupted = True

    async def _due(self) -> tuple[list[SendTask], float]:
        """Return what may be sent, and how long to wait for what may not be yet."""
        began = self._clock.now()
        tasks: list[SendTask] = []
        self._cards.forget()
        await self._outbox.digests.gather()
        cards = [due for due in await self._outbox.cards_due() if not self._cards.held_back(due)]
        digests = await self._outbox.digests.due()
        interval = self._pacing.card_interval(len(cards) + len(digests))
        wait = QUIET_SECONDS
        for task, pause in [
            *(self._card(due, interval) for due in cards),
            *(self._digest(due, interval) for due in digests),
        ]:
            tasks += [task] if pause <= 0 else []
            wait = min(wait, pause) if pause > 0 else wait
        tasks += [self._look_up(lost, began) for lost in await self._outbox.posts_unknown()]
        tasks += [self._thread(due) for due in await self._threads.due()]
        tasks += [self._notice(due) for due in await self._outbox.notices.due()]
        # Something may be delayed: by a Retry-After, or until its outcome is looked up.
        if (until := await self._outbox.next_due(began)) is not None:
            wait = min(wait, max(0.0, (until - self._clock.now()).total_seconds()))
        now = self._clock.monotonic()
        self._put_off = {subject: until for subject, until in self._put_off.items() if until > now}
        return [task for task in tasks if task.subject not in self._put_off], wait

    def _thread(self, due: ThreadDue) -> SendTask:
        return SendTask(
            priority=Priority.VERDICT if due.ending else Priority.LINES,
            since=due.since,
            channel=due.channel,
            subject=due.subject,
            lanes=self._post_lanes(due.channel),
            run=partial(self._threads.send, due),
        )

    def _notice(self, due: Notice) -> SendTask:
        looking = bool(due.nonce)
        return SendTask(
            priority=Priority.LINES if due.kind == "build" else Priority.DECISION,
            since=due.since,
            channel=due.channel,
            subject=f"notice {due.id}",
            lanes=((self._pacing.look(),),) if looking else self._post_lanes(due.channel),
            run=partial(self._notices.send, due),
        )

    def _look_up(self, lost: LostPost, now: datetime) -> SendTask:
        return SendTask(
            priority=Priority.VERDICT,
            since=lost.post.tried_at or now,
            channel=lost.channel,
            subject=lost.post.subject,
            lanes=((self._pacing.look(),),),
            run=partial(self._threads.look_up, lost),
        )

    def _post_lanes(self, channel: str) -> tuple[tuple[TokenBucket, ...], ...]:
        return ((self._pacing.post(channel), self._pacing.workspace()),)

    def _digest(self, due: Digest, interval: float) -> tuple[SendTask, float]:
        """Return the task of a digest, and how long its next edit must wait: its last one does not."""
        task = partial(SendTask, since=due.since, channel=due.channel, subject=f"digest {due.id}")
        if due.ts is None:
            looking = bool(due.nonce)
            lanes = ((self._pacing.look(),),) if looking else self._post_lanes(due.channel)
            # It tells at once what the cards of so many take minutes to tell.
            return task(priority=Priority.DECISION, lanes=lanes, run=partial(self._digests.post, due)), 0.0
        wait = 0.0 if due.over else self._digests.due_in(due, interval)
        edit = partial(self._digests.edit, due)
        return task(priority=Priority.HEARTBEAT, lanes=((self._pacing.update(),),), run=edit), wait

    def _card(self, due: CardDue, interval: float) -> tuple[SendTask, float]:
        """Return the task of a card, and how long its next edit must wait, of which there is one in so many seconds."""
        card = due.card
        urgent = due.phase in SETTLED | ENDED or due.phase is Phase.AWAITING_APPROVAL
        task = partial(SendTask, since=due.since, channel=card.channel, subject=card.subject)
        if card.ts is None:
            first = Priority.DECISION if urgent else Priority.NEW_CARD
            post = partial(self._cards.post, due)
            return task(priority=first, lanes=self._post_lanes(card.channel), run=post), 0.0
        edit = partial(self._cards.edit, due)
        update = (self._pacing.update(),)
        if urgent:
            return task(priority=Priority.DECISION, lanes=((self._pacing.urgent(),), update), run=edit), 0.0
        wait = self._cards.due_in(card.subject, interval)
        return task(priority=Priority.HEARTBEAT, lanes=(update,), run=edit), wait
