"""Events for others on SQLite: written with the row of the audit that they are, kept until somebody has taken them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Row
from typing import Any, Literal

import orjson

from core.actor import Actor
from core.clock import Clock
from core.lifecycle.outgoing import LONGEST_REST, app_of_event, event_types
from core.records.outgoing_event import (
    DropReason,
    EventBacklog,
    OutgoingEvent,
    Subscription,
    SubscriptionKind,
    wants,
)
from storage import audit
from storage.codec import actor_of, actor_text, datetime_or_none, timestamp
from storage.database import Database, open_database
from storage.keys import Vault
from storage.session import Session

# Twice as long as anything is put off.
FAR = timedelta(seconds=2 * LONGEST_REST)
KEY_DIGITS = 32  # of the audit's hash: 128 bits


async def write_events(
    session: Session, *, seq: int, at: datetime, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """Write what a row of the audit, which this transaction has just written, is to whom."""
    if not (types := event_types(action, detail)):
        return
    app = app_of_event(subject, detail)
    for each in await session.all("subscribers"):
        apps, wanted = tuple(each["apps"].split()), tuple(each["types"].split())
        asked = [type_ for type_ in types if wants(apps, wanted, type_=type_, app=app)]
        # GitHub is told with a token of the app's own: without one there is nobody to tell.
        if asked and each["kind"] == "github" and not await session.all("git_accounts", app=app):
            continue
        rows = [
            {
                "subscription": each["id"],
                "audit": seq,
                "type": type_,
                "app": app,
                "subject": subject,
                "created_at": timestamp(at),
            }
            for type_ in asked
        ]
        await session.many("add_outgoing_event", rows)


class SqliteOutgoingEvents:
    """`core.ports.outgoing.OutgoingEvents`, and what an operator does with webhooks."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._reading = Session(database.reader)

    async def subscriptions(self) -> Sequence[Subscription]:
        return [_subscription(row, {}) for row in await self._reading.all("subscriptions")]

    async def owed(self) -> Mapping[str, datetime | None]:
        rows = await self._reading.all("subscriptions_owed", **self._moments())
        return {row["id"]: datetime_or_none(row["failing_since"]) for row in rows}

    async def opened(self, subscription: str) -> Subscription | None:
        row = await self._reading.one("subscription", id=subscription)
        if row is None:
            return None
        return _subscription(row, self._vault.unseal(row["sealed"]) if row["sealed"] else {})

    def _moments(self) -> Mapping[str, str]:
        now = self._clock.now()
        return {"now": timestamp(now), "far": timestamp(now + FAR)}

    async def due(self, subscription: str) -> OutgoingEvent | None:
        row = await self._reading.one("outgoing_event_due", subscription=subscription, **self._moments())
        return None if row is None else _event(row)

    async def delivered(self, event: OutgoingEvent, subscription: Subscription, answer: str) -> None:
        async with self._database.transaction() as connection:
            session = Session(connection)
            await session.run("remove_outgoing_event", {"id": event.id})
            now = timestamp(self._clock.now())
            await session.run("note_delivered", {"id": subscription.id, "answer": answer, "now": now})
            await _count(session, subscription.kind, "delivered")

    async def left_out(self, event: OutgoingEvent) -> None:
        async with self._database.transaction() as connection:
            await Session(connection).run("remove_outgoing_event", {"id": event.id})

    async def given_up(
        self, event: OutgoingEvent, subscription: Subscription, answer: str, reason: DropReason
    ) -> None:
        async with self._database.transaction() as connection:
            session = Session(connection)
            await session.run("remove_outgoing_event", {"id": event.id})
            note = {"id": subscription.id, "answer": answer, "now": timestamp(self._clock.now())}
            await session.run("note_failure", {**note, "dropped": 1})
            await _count(session, subscription.kind, "dropped", reason)

    async def given_up_all(
        self, subscription: Subscription, reason: DropReason, before: datetime | None = None
    ) -> int:
        async with self._database.transaction() as connection:
            session = Session(connection)
            until = None if before is None else timestamp(before)
            events = await session.run(
                "give_up_outgoing_events", {"subscription": subscription.id, "before": until}
            )
            await session.run("note_given_up", {"id": subscription.id, "events": events})
            await _count(session, subscription.kind, "dropped", reason, events)
        return events

    async def released(self, subscription: str) -> None:
        async with self._database.transaction() as connection:
            await Session(connection).run("release_outgoing_events", {"subscription": subscription})

    async def postponed(
        self, event: OutgoingEvent, subscription: str, answer: str, not_before: datetime
    ) -> None:
        now = timestamp(self._clock.now())
        async with self._database.transaction() as connection:
            session = Session(connection)
            await session.run("delay_outgoing_event", {"id": event.id, "not_before": timestamp(not_before)})
            await session.run(
                "note_failure", {"id": subscription, "answer": answer, "now": now, "dropped": 0}
            )

    async def held(self, event: OutgoingEvent, not_before: datetime) -> None:
        async with self._database.transaction() as connection:
            row = {"id": event.id, "not_before": timestamp(not_before)}
            await Session(connection).run("hold_outgoing_event", row)

    async def next_due(self, after: datetime) -> datetime | None:
        row = await self._reading.one("outgoing_events_wait_until", now=timestamp(after))
        return None if row is None else datetime_or_none(row["moment"])

    async def backlog(self) -> Mapping[SubscriptionKind, EventBacklog]:
        endings: dict[SubscriptionKind, dict[str, dict[str, int]]] = {}
        for row in await self._reading.all("event_endings"):
            endings.setdefault(row["kind"], {}).setdefault(row["outcome"], {})[row["reason"]] = row["events"]
        # Whoever scrapes asks for this: no secret is opened for a number.
        waiting: dict[SubscriptionKind, list[Row]] = {kind: [] for kind in endings}
        for row in await self._reading.all("subscriptions"):
            waiting.setdefault(row["kind"], []).append(row)
        return {kind: _backlog(rows, endings.get(kind, {})) for kind, rows in waiting.items()}

    async def add(self, subscription: Subscription) -> None:
        """Have a webhook told of what happens from now on."""
        now = self._clock.now()
        row = {
            "id": subscription.id,
            "host": subscription.host,
            "sealed": self._vault.seal({"url": subscription.url, "secret": subscription.secret}),
            "apps": " ".join(subscription.apps),
            "types": " ".join(subscription.types),
            "created_at": timestamp(now),
            "created_by": actor_text(subscription.created_by),
        }
        # Neither the address, which may hold a secret, nor the secret.
        detail = {"host": subscription.host, "apps": row["apps"], "types": row["types"]}
        await self._change(
            "add_subscription", row, "webhook.add", subscription, detail, subscription.created_by
        )

    async def recovered(self, subscription: Subscription, answer: str) -> None:
        """Note that a webhook which had failed has taken a trial: what waits for it is due at once, not at the next hour."""
        async with self._database.transaction() as connection:
            session, now = Session(connection), timestamp(self._clock.now())
            await session.run("note_recovered", {"id": subscription.id, "answer": answer, "now": now})
            await session.run("release_outgoing_events", {"subscription": subscription.id})

    async def remove(self, subscription: Subscription, *, by: Actor) -> None:
        """Tell a webhook nothing any more, nor what waits for it."""
        await self._change(
            "remove_subscription",
            {"id": subscription.id},
            "webhook.remove",
            subscription,
            {"host": subscription.host},
            by,
        )

    async def _change(
        self,
        statement: str,
        row: Mapping[str, object],
        action: str,
        subscription: Subscription,
        detail: Mapping[str, object],
        by: Actor,
    ) -> None:
        async with self._database.transaction() as connection:
            session = Session(connection)
            await session.run("remove_events_of", {"id": subscription.id})
            await session.run(statement, row)
            await audit.append(
                session,
                at=self._clock.now(),
                actor=by,
                action=action,
                subject=subscription.id,
                detail=detail,
            )


async def _count(
    session: Session,
    kind: SubscriptionKind,
    outcome: str,
    reason: DropReason | Literal[""] = "",
    events: int = 1,
) -> None:
    if events:
        row = {"kind": kind, "outcome": outcome, "reason": reason, "events": events}
        await session.run("count_event_ending", row)


def _subscription(row: Row, opened: Mapping[str, str]) -> Subscription:
    return Subscription(
        id=row["id"],
        kind=row["kind"],
        host=row["host"],
        url=opened.get("url", ""),
        secret=opened.get("secret", ""),
        apps=tuple(row["apps"].split()),
        types=tuple(row["types"].split()),
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=actor_of(row["created_by"]),
        delivered=row["delivered"],
        dropped=row["dropped"],
        waiting=row["waiting"],
        oldest=datetime_or_none(row["oldest"]),
        answer=row["answer"],
        answered_at=datetime_or_none(row["answered_at"]),
        failing_since=datetime_or_none(row["failing_since"]),
    )


def _backlog(rows: Sequence[Row], endings: Mapping[str, Mapping[str, int]]) -> EventBacklog:
    moments = [datetime_or_none(row["oldest"]) for row in rows]
    return EventBacklog(
        waiting=sum(row["waiting"] for row in rows),
        oldest=min((at for at in moments if at), default=None),
        delivered=sum(endings.get("delivered", {}).values()),
        dropped=endings.get("dropped", {}),
    )


def _event(row: Row) -> OutgoingEvent:
    return OutgoingEvent(
        id=row["id"],
        # The hash of the row covers what it says: a database that was restored gives the same number to something else.
        key=f"{row['hash'][:KEY_DIGITS]}-{row['type']}",
        type=row["type"],
        app=row["app"],
        subject=row["subject"],
        at=datetime.fromisoformat(row["at"]),
        actor=actor_of(row["actor"]),
        action=row["action"],
        detail=orjson.loads(row["detail"]),
        attempts=row["attempts"],
    )


@asynccontextmanager
async def open_outgoing_events(
    path: Path, keys: Sequence[str], clock: Clock
) -> AsyncGenerator[SqliteOutgoingEvents]:
    """Open the subscriptions of a database, beside a running bot.

    Raises:
        InvalidKey, KeyMismatch: see `Vault.beside`.
        StorageError, Unavailable: the database cannot be used.
    """
    async with open_database(path, exclusive=False, make=False) as database:
        yield SqliteOutgoingEvents(database, await Vault.beside(database, keys), clock)
