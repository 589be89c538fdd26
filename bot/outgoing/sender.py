"""Telling others of events: each subscription in order and at its own pace, again until it is taken or too old."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.outgoing.receiver import Delivered, Postponed, Receiver, Skipped, Undelivered
from core.clock import Clock
from core.errors import Unavailable
from core.lifecycle.outgoing import longest, pause_after
from core.ports.outgoing import OutgoingEvents
from core.records.outgoing_event import OutgoingEvent, Subscription, SubscriptionKind
from core.waiting import first_of

log = logging.getLogger(__name__)

# Not every change wakes us (a variable that is set tells Slack nothing); a look costs two small reads.
LOOK_SECONDS = 5.0
# What is written within this is looked at together.
GATHER_SECONDS = 0.2
AFTER_TROUBLE = 30.0
# A receiver that wants to be left alone for longer is asked all the same: it may be mended.
LONGEST_REST = 3600.0


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
        # What made it stumble, and until when it is left alone.
        self._put_off: dict[str, float] = {}

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
        for each in await self._events.subscriptions():
            rests = self._put_off.get(each.id, 0.0) > self._clock.monotonic()
            if each.waiting and each.id not in self._telling and not rests:
                task = asyncio.create_task(self._tell(each), name=f"events of {each.id}")
                self._telling[each.id] = task
                task.add_done_callback(partial(self._told, each.id))
        until = await self._events.next_due(began)
        left = (until - self._clock.now()).total_seconds() if until else LOOK_SECONDS
        return max(0.0, min(left, LOOK_SECONDS))

    def _told(self, subscription: str, _: asyncio.Task[None]) -> None:
        del self._telling[subscription]

    async def _tell(self, subscription: Subscription) -> None:
        try:
            while (event := await self._events.due(subscription.id)) is not None:
                await self._one(subscription, event)
        except Unavailable as error:
            log.warning("%s is told later: %s", subscription.id, error)
            self._put_off[subscription.id] = self._clock.monotonic() + AFTER_TROUBLE
        except Exception:
            log.exception("%s is told later: an error nobody foresaw", subscription.id)
            self._put_off[subscription.id] = self._clock.monotonic() + AFTER_TROUBLE

    async def _one(self, subscription: Subscription, event: OutgoingEvent) -> None:
        try:
            delivery = await self._receivers[subscription.kind].deliver(subscription, event)
        except Unavailable:
            raise
        except Exception:
            # Such an event must not keep those behind it waiting for ever.
            log.exception("%s cannot be told of %s", subscription.id, event.key)
            delivery = Undelivered(answer="something went wrong here")
        match delivery:
            case Delivered():
                await self._events.delivered(event, subscription, delivery.answer)
            case Skipped():
                await self._events.left_out(event)
            case Postponed():
                await self._events.held(event, self._clock.now() + timedelta(seconds=delivery.seconds))
            case Undelivered():
                await self._failed(subscription, event, delivery)

    async def _failed(self, subscription: Subscription, event: OutgoingEvent, failed: Undelivered) -> None:
        now = self._clock.now()
        too_old = now - event.at >= longest(subscription.kind)
        if reason := failed.drop or ("expired" if too_old else None):
            log.log(
                logging.DEBUG if failed.repeated else logging.WARNING,
                "%s (%s) is not told of %s any more, after %d tries: %s",
                subscription.id,
                subscription.host or subscription.kind,
                event.key,
                event.attempts + 1,
                failed.answer,
            )
            await self._events.given_up(event, subscription, failed.answer, reason)
            return
        await self._events.postponed(event, subscription.id, failed.answer, self._again(event, failed, now))

    def _again(self, event: OutgoingEvent, failed: Undelivered, now: datetime) -> datetime:
        rest = timedelta(seconds=min(failed.after, LONGEST_REST))
        return now + max(pause_after(event.attempts + 1), rest)
