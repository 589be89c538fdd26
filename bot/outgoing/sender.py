"""Telling others of events: each subscription in order and at its own pace, again until it is taken or too old."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.outgoing.circuit_breaker import CircuitBreaker
from bot.outgoing.receiver import Delivered, Postponed, Receiver, Skipped, Undelivered
from core.clock import Clock
from core.errors import Unavailable
from core.lifecycle.outgoing import LONGEST_REST, SHARED_TRIES, longest, pause_after
from core.ports.outgoing import OutgoingEvents
from core.records.outgoing_event import DropReason, OutgoingEvent, Subscription, SubscriptionKind
from core.waiting import first_of

log = logging.getLogger(__name__)

# Not every change wakes us (a variable that is set tells Slack nothing); a look costs two small reads.
LOOK_SECONDS = 5.0
# What is written within this is looked at together.
GATHER_SECONDS = 0.2
AFTER_TROUBLE = 30.0
# Whose trouble it is, where it is no receiver's.
HERE = "here"


class EventSender:
    """The one sender of events of a process."""

    def __init__(
        self, events: OutgoingEvents, receivers: Mapping[SubscriptionKind, Receiver], clock: Clock
    ) -> None:
        self._events = events
        self._receivers = receivers
        self._clock = clock
        self._fresh = asyncio.Event()
        # Subscription → what tells it now: a slow one keeps nobody else waiting.
        self._telling: dict[str, asyncio.Task[None]] = {}
        # Subscription → since it does not answer, or since our own database is in trouble.
        self._breaker = CircuitBreaker(clock)

    def wake(self) -> None:
        """Something may have happened: look soon."""
        self._fresh.set()

    async def run(self) -> None:
        """Tell until cancelled; a database in trouble is tried again."""
        try:
            while True:
                self._fresh.clear()
                try:
                    pause = await self._round()
                except Unavailable as error:
                    log.warning("nobody is told of events for now: %s", error)
                    pause = AFTER_TROUBLE
                except Exception:
                    log.exception("events met an error nobody foresaw; they go on")
                    pause = AFTER_TROUBLE
                await first_of(self._fresh.wait(), self._clock.sleep(pause))
                await self._clock.sleep(GATHER_SECONDS)
        finally:
            telling = list(self._telling.values())
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)

    async def _round(self) -> float:
        """Begin to tell whoever is not being told; return the seconds until the next look."""
        began = self._clock.now()
        for each, failing_since in (await self._events.owed()).items():
            if each in self._telling:
                continue
            if failing_since is None:
                # An operator has tried it, and it took that.
                self._breaker.well(each)
            if not self._rests(each):
                task = asyncio.create_task(self._tell(each), name=f"events of {each}")
                self._telling[each] = task
                task.add_done_callback(partial(self._told, each))
        until = await self._events.next_due(began)
        left = (until - self._clock.now()).total_seconds() if until else LOOK_SECONDS
        return max(0.0, min(left, LOOK_SECONDS))

    def _rests(self, subscription: str) -> bool:
        return bool(self._breaker.left(subscription) or self._breaker.left((HERE, subscription)))

    def _told(self, subscription: str, _: asyncio.Task[None]) -> None:
        del self._telling[subscription]

    async def _tell(self, id_: str) -> None:
        """Tell one subscription what is due, until it has all or is left alone."""
        try:
            # Its secret is opened once for all that waits.
            subscription = await self._events.opened(id_)
            while subscription and not self._rests(id_) and (event := await self._events.due(id_)):
                await self._one(subscription, event)
            self._breaker.well((HERE, id_))
        except Unavailable as error:
            log.warning("%s is told later: %s", id_, error)
            self._breaker.failed((HERE, id_), after=AFTER_TROUBLE)
        except Exception:
            log.exception("%s is told later: an error nobody foresaw", id_)
            self._breaker.failed((HERE, id_), after=AFTER_TROUBLE)

    async def _one(self, subscription: Subscription, event: OutgoingEvent) -> None:
        try:
            delivery = await self._receivers[subscription.kind].deliver(subscription, event)
        except Unavailable:
            raise
        except Exception:
            # Such an event must not keep those behind it waiting for ever.
            log.exception("%s cannot be told of %s", subscription.id, event.key)
            delivery = Undelivered(answer="something went wrong here", of_event=True)
        match delivery:
            case Delivered():
                await self._events.delivered(event, subscription, delivery.answer)
                if self._breaker.well(subscription.id) > SHARED_TRIES:
                    await self._events.released(subscription.id)
            case Skipped():
                await self._events.left_out(event)
            case Postponed() if not self._too_old(subscription, event):
                await self._events.held(event, self._clock.now() + timedelta(seconds=delivery.seconds))
            case Postponed():
                late = Undelivered(answer="it could not be told in time")
                await self._give_up(subscription, event, late, "expired")
            case Undelivered():
                await self._failed(subscription, event, delivery)

    def _too_old(self, subscription: Subscription, event: OutgoingEvent) -> bool:
        return self._clock.now() - event.at >= longest(subscription.kind)

    async def _failed(self, subscription: Subscription, event: OutgoingEvent, failed: Undelivered) -> None:
        tries = event.attempts + 1
        if not failed.of_event and failed.drop in {None, "gone"}:
            self._breaker.failed(subscription.id, after=LONGEST_REST if failed.drop else failed.after)
        if failed.drop:
            await self._give_up(subscription, event, failed, failed.drop)
        elif self._too_old(subscription, event) and (failed.of_event or tries > SHARED_TRIES):
            await self._give_up(subscription, event, failed, "expired")
        else:
            again = self._again(failed, tries)
            await self._events.postponed(event, subscription.id, failed.answer, again)
        if failed.drop == "gone":
            await self._give_up_all(subscription, failed.answer, "gone")
        elif self._is_away(subscription):
            before = self._clock.now() - longest(subscription.kind)
            await self._give_up_all(subscription, failed.answer, "expired", before)

    def _is_away(self, subscription: Subscription) -> bool:
        """Tell whether somebody has taken nothing for as long as anybody is told.

        And was tried several times: a clock that is set to another day makes nobody away for a day.
        """
        since = subscription.failing_since
        often = self._breaker.failures(subscription.id) > SHARED_TRIES
        return often and since is not None and self._clock.now() - since >= longest(subscription.kind)

    def _again(self, failed: Undelivered, tries: int) -> datetime:
        """Return when an event is tried again; as long as its receiver alone is to blame, once that has rested."""
        now = self._clock.now()
        if not failed.of_event and tries <= SHARED_TRIES:
            return now
        return now + max(pause_after(tries), timedelta(seconds=min(failed.after, LONGEST_REST)))

    async def _give_up(
        self, subscription: Subscription, event: OutgoingEvent, failed: Undelivered, reason: DropReason
    ) -> None:
        log.log(
            logging.DEBUG if failed.repeated else logging.WARNING,
            "%s is not told of %s any more, after %d tries: %s",
            _name(subscription),
            event.key,
            event.attempts + 1,
            failed.answer,
        )
        await self._events.given_up(event, subscription, failed.answer, reason)

    async def _give_up_all(
        self, subscription: Subscription, answer: str, reason: DropReason, before: datetime | None = None
    ) -> None:
        if events := await self._events.given_up_all(subscription, reason, before):
            log.warning("%s is not told of %d more events: %s", _name(subscription), events, answer)


def _name(subscription: Subscription) -> str:
    return f"{subscription.id} ({subscription.host or subscription.kind})"
