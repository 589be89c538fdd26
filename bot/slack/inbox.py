"""Working off what Slack delivered: each delivery once, in order within its channel, answered to its sender."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from weakref import WeakValueDictionary

import aiohttp
import orjson

from bot.command.forms import fill
from bot.command.parser import parse
from bot.handlers.dispatch import Handlers
from bot.handlers.reply import Reply, refused
from bot.slack.dialogs import Dialogs, opens_dialog, said_in, with_origin
from bot.slack.files import FileSender
from bot.slack.invocations import Invocation, InvocationReader, channel_of
from bot.slack.responder import Responder
from bot.slack.workspace import WorkspaceFilter
from bot.slack.workspace_blocks import WorkspaceBlocks
from bot.views import confirmations
from bot.views.answers import Answer
from bot.views.times import spoken
from core.clock import Clock
from core.errors import Conflict, Unavailable, Unexpected, UserError
from core.lifecycle.visibility import CARD_PATIENCE, why_unseen
from core.log_context import log_about
from core.ports.announcer import Announcer
from core.ports.inbox import Delivery, DeliveryKind, Inbox
from core.ports.outbox import Card
from core.ports.store import Store
from core.records.app import DEFAULT_RACK
from core.sentence import Channel, Sentence

log = logging.getLogger(__name__)

# How long the database is left alone after it could not be read or written: at first, and at most.
AFTER_TROUBLE, LONGEST_PAUSE = 5.0, 60.0
# What is older is not carried out: people have moved on, and may have been told that nothing was done. Kubernetes moves
# a pod off a lost node after five minutes, so a restart of that kind still forgets nothing. `response_url` works for
# thirty minutes.
FRESH = timedelta(minutes=10)
# Deliveries in hand at once. Each holds its text, and the longest waits for a card; what comes beyond that is in the database.
MOST_IN_HAND = 500
DONE_BEFORE = (
    "I was restarted while I was doing this, after a part of it or all of it was done: "
    "look at the lists and at the thread before you repeat it"
)


class HomeSink(Protocol):
    """Whoever keeps Home tabs; it is told who opens theirs."""

    def opened(self, user: str) -> None: ...


class InboxWorker:
    """Keeps deliveries and carries them out."""

    def __init__(
        self,
        inbox: Inbox,
        handlers: Handlers,
        store: Store,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        identified: asyncio.Event,
        announcer: Announcer,
        dialogs: Dialogs,
        workspaces: WorkspaceFilter,
        files: FileSender,
        homes: HomeSink,
        support: WorkspaceBlocks,
        link: Callable[[str, str], str],
        rack: str = DEFAULT_RACK,
    ) -> None:
        """Take what it works with.

        Args:
            inbox: what was delivered.
            handlers: who carries it out.
            store: where cards are looked up.
            session: for answers through `response_url`.
            clock: everybody's.
            identified: is set once Slack has said who we are, so that people can be judged.
            announcer: knows whether a card can be seen.
            dialogs: shows what is to be entered.
            support: knows which kinds of blocks the workspace takes.
            homes: is told who opens their Home tab.
            files: puts an answer that is a file into a thread.
            link: returns the address of a message, by its channel and ts; "" while that is not known.
            rack: which every answer names, unless it is the usual one.
            workspaces: tells what is of another workspace and came in before it was known which is ours.
        """
        self._inbox = inbox
        self._handlers = handlers
        self._clock = clock
        self._identified = identified
        self._announcer = announcer
        self._dialogs = dialogs
        self._workspaces = workspaces
        self._homes = homes
        self._link = link
        self._reader = InvocationReader(store)
        self._responder = Responder(session, dialogs=dialogs, files=files, support=support, rack=rack)
        self._fresh = asyncio.Event()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Deliveries are numbered in the order in which they are stored, so the newest tells which are new.
        self._newest = 0
        self._in_hand = 0
        # The last look took all that there was room for, so there may be more.
        self._more = False

    async def keep(self, key: str, kind: DeliveryKind, payload: bytes) -> None:
        """Store a delivery; a second one with the same key is dropped."""
        # One that seems to be a repetition may have been stored with others whose task was cancelled in the middle.
        await self._inbox.keep(key, kind, payload, self._clock.now())
        self._fresh.set()

    async def run(self) -> None:
        """Carry out deliveries until cancelled; what an earlier life has left comes first."""
        async with asyncio.TaskGroup() as tasks:
            # What was acknowledged before a crash would else be refused, and nobody would try it again.
            await self._identified.wait()
            while True:
                self._fresh.clear()
                room = MOST_IN_HAND - self._in_hand
                found = await self._unseen(room) if room else ()
                for delivery in found:
                    self._newest = delivery.id
                    self._in_hand += 1
                    tasks.create_task(self._attend(delivery), name=f"delivery {delivery.id}")
                self._more = len(found) == room
                await self._fresh.wait()

    async def _unseen(self, most: int) -> Sequence[Delivery]:
        """Return what came since the last look, in order; a database in trouble is asked again."""
        while True:
            try:
                return await self._inbox.pending(after=self._newest, limit=most)
            except Unavailable as error:
                log.warning("what Slack delivered cannot be read; trying again: %s", error)
            except Exception:
                log.exception("what Slack delivered cannot be read; trying again")
            await self._clock.sleep(AFTER_TROUBLE)

    async def _attend(self, delivery: Delivery) -> None:
        """See to one delivery; afterwards it is handled whatever has happened, for it is not tried again unasked."""
        log_about(delivery=str(delivery.id), app="", build="", promotion="")
        body: Mapping[str, Any] = {}
        try:
            body = _read(delivery)
            async with self._turn(delivery, body):
                reply = await self._carry_out(delivery, body)
            # Neither a card that does not come nor an answer that Slack is slow to take keeps the channel waiting.
            if reply.form is None and delivery.kind != "home":
                await self._responder.respond(body, (await self._seen(reply, channel_of(body))).answer)
        except Exception:
            surprise = Unexpected()
            log.exception("%s: delivery %d has no answer", surprise.reference, delivery.id)
            # Whatever it stumbled over may be in the way of this as well, and the log has it by now.
            with suppress(Exception):
                await self._responder.respond(body, refused(surprise).answer)
        await self._wipe(delivery.id)
        self._in_hand -= 1
        if self._more:
            self._fresh.set()

    async def _wipe(self, delivery_id: int) -> None:
        """Mark it as handled, as soon as the database can be written: a start before that would take it up again."""
        pause = AFTER_TROUBLE
        while True:
            try:
                return await self._inbox.handled(delivery_id, self._clock.now())
            except Unavailable as error:
                log.warning("delivery %d cannot be marked as handled; trying again: %s", delivery_id, error)
            except Exception:
                log.exception("delivery %d cannot be marked as handled; trying again", delivery_id)
            await self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _carry_out(self, delivery: Delivery, body: Mapping[str, Any]) -> Reply:
        """Carry a delivery out; whatever happens, the person gets an answer."""
        if delivery.done:
            return Reply(answer=Answer(text=DONE_BEFORE, code=False))
        if (age := self._clock.now() - delivery.received_at) > FRESH:
            log.warning("delivery %d is %s old and is not carried out", delivery.id, age)
            return _too_late(age)
        try:
            self._workspaces.check(body)
            if delivery.kind == "home":
                self._homes.opened(str(body["event"]["user"]))
                return Reply(answer=Answer())
            invocation = await self._reader.read(delivery.kind, body)
            return await self._answer(
                replace(invocation, caller=replace(invocation.caller, delivery=delivery.id)), body
            )
        except UserError as error:
            return refused(error)
        except Exception:
            surprise = Unexpected()
            log.exception("%s: delivery %d failed unexpectedly", surprise.reference, delivery.id)
            return refused(surprise)

    async def _answer(self, asked: Invocation, body: Mapping[str, Any]) -> Reply:
        linked = asked.app or await self._handlers.linked_app(asked.caller.channel)
        command = fill(parse(asked.text, linked_app=linked), asked.entered, asked.seen)
        reply = await self._handlers.handle(command, asked.caller)
        if reply.form is not None:
            await self._dialogs.open(body, command.typed, reply.form)
        return reply

    def _turn(self, delivery: Delivery, body: Mapping[str, Any]) -> AbstractAsyncContextManager[None]:
        """Return what lets a delivery wait for those before it in its channel; a modal must be there within three seconds, and changes nothing."""
        if delivery.kind == "home" or (
            delivery.kind in {"command", "action"} and opens_dialog(said_in(body))
        ):
            return nullcontext()
        return self._locks.setdefault(channel_of(body) or "", asyncio.Lock())

    async def _seen(self, reply: Reply, asked_in: str | None) -> Reply:
        """Say to the person where the card is, if not where they asked; or that their promotion is refused, because nobody could see it."""
        if not reply.promotion:
            return reply
        try:
            card = await self._announcer.wait_for_card(reply.promotion, CARD_PATIENCE)
        except Unavailable as error:
            # What was asked for is done, and a card that nobody sees is found out by the expiry of approvals.
            log.warning("whether the card of %s is seen cannot be read: %s", reply.promotion, error)
            return reply
        if why := why_unseen(card):
            return replace(refused(_unseen(why, card, asked_in)), promotion=reply.promotion)
        if card is None or card.channel == asked_in:
            return reply
        hint = Sentence.join("\n", filter(None, (Sentence.of(reply.answer.hint), self._elsewhere(card))))
        return replace(reply, answer=replace(reply.answer, hint=hint))

    def _elsewhere(self, card: Card) -> Sentence:
        return confirmations.card_elsewhere(
            card.channel, self._link(card.channel, card.ts) if card.ts else ""
        )


def _unseen(why: str, card: Card | None, asked_in: str | None) -> Conflict:
    """Return the refusal of what nobody could see; where the card belongs elsewhere, it says where."""
    if card is None or card.channel == asked_in:
        return Conflict(why)
    hint = Sentence.of(
        "its card belongs to ", Channel(card.channel), ": see to it there, or link the app to another channel"
    )
    return Conflict(why, hint=hint)


def _too_late(age: timedelta) -> Reply:
    return refused(
        Conflict(
            f"this came {spoken(age.total_seconds())} ago and I could not see to it in time, so nothing was done",
            hint="ask again if you still want it",
        )
    )


def _read(delivery: Delivery) -> Mapping[str, Any]:
    """Return what was delivered; ValueError where it is no JSON, TypeError where it is no object."""
    body = orjson.loads(delivery.payload)
    if not isinstance(body, dict):
        raise TypeError(f"a {delivery.kind} is an object, not {type(body).__name__}")
    return with_origin(body) if delivery.kind == "view" else body
