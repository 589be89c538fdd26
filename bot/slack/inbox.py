"""Working off what Slack delivered: each delivery once, in order within its channel, answered to its sender."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol
from weakref import WeakValueDictionary

import aiohttp
import orjson

from bot.command.button_value import text_of
from bot.command.commands import Promote
from bot.command.forms import fill
from bot.command.lexer import encode
from bot.command.mentions import ThreadTopic, expanded, topic_of, words_of
from bot.command.parser import parse
from bot.handlers import Handlers, Reply, refused
from bot.slack.dialogs import Dialogs, opens_dialog, said_in, with_origin
from bot.slack.files import FileSender
from bot.slack.workspace import WorkspaceFilter
from bot.slack.workspace_blocks import NEWER, REFUSED, WorkspaceBlocks, kinds_of
from bot.views import confirmations
from bot.views.answers import Answer, slack_answer
from bot.views.buttons import ButtonContext, gone, promotion_of
from bot.views.modals import entered
from bot.views.notices import notice_of
from bot.views.racks import on_rack
from bot.views.times import spoken
from core.actor import Actor, Caller
from core.clock import Clock
from core.errors import Conflict, Unavailable, Unexpected, UserError
from core.lifecycle.visibility import CARD_PATIENCE, why_unseen
from core.ports.announcer import Announcer
from core.ports.inbox import Delivery, DeliveryKind, Inbox
from core.ports.notices import Announcement
from core.ports.outbox import Card
from core.ports.store import Store
from core.records.app import DEFAULT_RACK
from core.sentence import Channel, CommandLine, Sentence

log = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a delivery comes to, of whatever kind it is: somebody asks for something in the words of the grammar.

    Attributes:
        entered: what they entered into a form, by field; None where there was none.
        seen: what the form was made from.
        app: whose app is meant where none is named; None leaves it to the channel.
    """

    caller: Caller
    text: str
    entered: Mapping[str, str] | None = field(default=None, repr=False)
    seen: str | None = None
    app: str | None = None


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
        self._store = store
        self._session = session
        self._clock = clock
        self._identified = identified
        self._announcer = announcer
        self._dialogs = dialogs
        self._workspaces = workspaces
        self._files = files
        self._homes = homes
        self._support = support
        self._link = link
        self._rack = rack
        # What each kind of delivery says. A further kind is an entry here, and a listener that keeps it.
        self._kinds: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Invocation]]] = {
            "command": self._typed,
            "action": self._clicked,
            "view": self._submitted,
            "shortcut": self._chosen,
            "mention": self._mentioned,
        }
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
            tasks.create_task(self._sweep(), name="forget old deliveries")
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

    async def _sweep(self) -> None:
        while True:
            try:
                await self._inbox.prune(self._clock.now())
            except Unavailable as error:
                log.warning("old deliveries stay for now: %s", error)
            except Exception:
                log.exception("old deliveries stay for now")
            await self._clock.sleep(SWEEP_SECONDS)

    async def _attend(self, delivery: Delivery) -> None:
        """See to one delivery; afterwards it is handled whatever has happened, for it is not tried again unasked."""
        body: Mapping[str, Any] = {}
        try:
            body = _read(delivery)
            async with self._turn(delivery, body):
                reply = await self._carry_out(delivery, body)
            # Neither a card that does not come nor an answer that Slack is slow to take keeps the channel waiting.
            if reply.form is None and delivery.kind != "home":
                await self._respond(body, await self._filed((await self._seen(reply, _channel(body))).answer))
        except Exception:
            surprise = Unexpected()
            log.exception("%s: delivery %d has no answer", surprise.reference, delivery.id)
            # Whatever it stumbled over may be in the way of this as well, and the log has it by now.
            with suppress(Exception):
                await self._respond(body, refused(surprise).answer)
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
            invocation = await self._kinds[delivery.kind](body)
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
        return self._locks.setdefault(_channel(body) or "", asyncio.Lock())

    async def _typed(self, body: Mapping[str, Any]) -> Invocation:
        actor = Actor("slack", body["user_id"], body.get("user_name", ""))
        caller = Caller(actor=actor, source="slack", channel=body["channel_id"])
        return Invocation(caller=caller, text=body.get("text", ""))

    async def _clicked(self, body: Mapping[str, Any]) -> Invocation:
        """Return what the button says, if it stands on a message of ours: what stands elsewhere was not put there by us."""
        action, channel = body["actions"][0], _channel(body)
        text = text_of(str(action.get("value", "")))
        if text is not None and (body.get("view") or {}).get("type") == "home":
            # Nobody but its owner sees a Home tab, and nobody but us puts buttons there.
            return Invocation(caller=_caller(body), text=text)
        place = await self._place(str(action.get("block_id", "")))
        # What was posted just before a crash has no ts here yet; that somebody clicks it shows that it is there.
        stamps = {None, body.get("container", {}).get("message_ts")}
        if text is None or place is None or place[0] != channel or place[1] not in stamps:
            raise UserError(
                "this button belongs to no card of mine", hint="use the newest card, or the command"
            )
        if promotion := promotion_of(str(action.get("block_id", ""))):
            await self._still_there(str(action.get("action_id", "")), promotion)
        return Invocation(caller=_caller(body), text=text)

    async def _place(self, block_id: str) -> tuple[str, str | None] | None:
        """Return the channel and the ts of the message of ours that has these buttons."""
        if (number := notice_of(block_id)) is not None:
            return await self._store.read.notice_place(number)
        promotion = promotion_of(block_id)
        card = await self._store.read.card(promotion) if promotion else None
        return (card.channel, card.ts) if card else None

    async def _chosen(self, body: Mapping[str, Any]) -> Invocation:
        """Return what the message shortcut means: promote the build that this message announces."""
        announced = await self._announced(_channel(body) or "", body.get("message") or {})
        if announced is None:
            raise UserError(
                "this message announces no build of mine",
                hint=Sentence.of(CommandLine("releases promote RELEASE -a APP"), " promotes any release"),
            )
        command = Promote(app=announced.app, release=announced.release)
        return Invocation(caller=_caller(body), text=encode(command.typed))

    async def _announced(self, channel: str, message: Mapping[str, Any]) -> Announcement | None:
        read, ts = self._store.read, str(message.get("ts", ""))
        if found := await read.announced(channel, ts):
            return found
        # One that was posted just before a crash is known by its buttons alone.
        blocks = [each for each in message.get("blocks") or () if isinstance(each, dict)]
        numbers = [
            number for each in blocks if (number := notice_of(str(each.get("block_id", "")))) is not None
        ]
        unsure = await read.announcement(numbers[0]) if numbers else None
        return unsure if unsure and unsure.ts is None and unsure.channel == channel else None

    async def _mentioned(self, body: Mapping[str, Any]) -> Invocation:
        """Return what somebody means who wrote to us; under a card they speak of its promotion."""
        event = body["event"]
        channel, thread = str(event["channel"]), event.get("thread_ts")
        topic = await self._topic(channel, str(thread)) if thread else ThreadTopic()
        caller = Caller(actor=Actor("slack", str(event["user"])), source="slack", channel=channel)
        return Invocation(
            caller=caller, text=expanded(words_of(str(event.get("text", ""))), topic), app=topic.app
        )

    async def _topic(self, channel: str, thread: str) -> ThreadTopic:
        read = self._store.read
        if promotion := await read.promotion_of_card(channel, thread):
            return topic_of(await read.promotion(promotion))
        if announced := await read.announced(channel, thread):
            return ThreadTopic(app=announced.app, release=announced.release)
        return ThreadTopic()

    async def _still_there(self, action_id: str, promotion_id: str) -> None:
        """Refuse what an old card offers of an app that has moved on since, as far as a card that is edited late can tell."""
        promotion = await self._store.read.promotion(promotion_id)
        app = await self._store.read.any_app(promotion.app)
        live = app.active_release == promotion.release
        if gone(action_id, ButtonContext(promotion=promotion, live=live, active=app.active_release)):
            now = f"{app.name} runs {app.active_release} by now" if app.active_release else "it was undone"
            raise Conflict(
                f"this card offers that no longer: {now}, so nothing was done",
                hint="use the newest card, or the command",
            )

    async def _submitted(self, body: Mapping[str, Any]) -> Invocation:
        return Invocation(
            caller=_caller(body),
            text=encode(body["text"]),
            entered=entered(body["view"]),
            seen=body["seen"],
        )

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

    async def _filed(self, answer: Answer) -> Answer:
        """Put what is a file into its thread, and say that it is there; else show what a message takes, and why."""
        if answer.file is None:
            return answer
        if why := await self._files.upload(answer.file):
            return replace(answer, warnings=(*answer.warnings, why))
        return replace(answer, text=answer.file.said, hint="", code=False)

    async def _respond(self, body: Mapping[str, Any], answer: Answer) -> None:
        """Answer through response_url, or directly where somebody took longer over a modal than that works."""
        payload = on_rack(slack_answer(answer, tables=await self._support.takes("table")), self._rack)
        if "event" in body:
            await self._dialogs.answer(body["event"], payload["text"])
            return
        if answer.refusal and await self._dialogs.refuse(body, payload["text"]):
            return
        url = body.get("response_url")
        taken = await self._taken(url, payload) if url else False
        if not taken and "view" in body:
            await self._dialogs.tell(body["user"]["id"], payload["text"])

    async def _taken(self, url: str, payload: dict[str, Any]) -> bool:
        """Tell whether Slack took an answer; one whose table it refuses is sent with the block of code alone."""
        status, said = await self._post(url, payload)
        newer = kinds_of(payload) & NEWER
        if status != HTTPStatus.OK and newer and REFUSED in said:
            status, said = await self._post(url, {k: v for k, v in payload.items() if k != "blocks"})
            if status == HTTPStatus.OK:
                await self._support.refuse(newer)
        return status == HTTPStatus.OK

    async def _post(self, url: str, payload: Mapping[str, Any]) -> tuple[int, str]:
        """Return Slack's status and what it says, 0 for none; it never raises in Slack's SDK, so its status is looked at here."""
        try:
            async with self._session.post(url, json=payload) as response:
                if response.status == HTTPStatus.OK:
                    return HTTPStatus.OK, ""
                said = await response.text()
                log.warning("Slack took no answer: HTTP %d %.200s", response.status, said)
                return response.status, said
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("Slack took no answer: %s", type(error).__name__)
        return 0, ""


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


def _caller(body: Mapping[str, Any]) -> Caller:
    """Return who clicks, chooses or submits."""
    user = body["user"]
    actor = Actor("slack", user["id"], user.get("username") or user.get("name", ""))
    return Caller(actor=actor, source="slack", channel=_channel(body))


def _channel(body: Mapping[str, Any]) -> str | None:
    channel = (body.get("event") or body).get("channel")
    if isinstance(channel, str):
        return channel
    found = body.get("channel_id") or (channel.get("id") if isinstance(channel, dict) else None)
    return str(found) if found else None
