"""Webhooks of an operator's: who is told of events, made and ended beside a running bot."""

import string
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from secrets import choice

import orjson
from yarl import URL

from bot.admin.operation_result import OperationResult
from bot.admin.operator import operator
from bot.clock import SystemClock
from bot.outgoing.cloud_events import TYPE_PREFIX
from bot.outgoing.public_addresses import check_webhook_url
from bot.outgoing.receiver import Delivered
from bot.outgoing.signing import new_secret
from bot.outgoing.webhooks import new_webhook_session, post_event
from bot.views.tables import table
from bot.views.times import stamp
from core.errors import Conflict, Invalid, NotFound
from core.lifecycle.outgoing import EVENT_TYPES
from core.records.outgoing_event import Subscription, wants
from storage.outgoing import SqliteOutgoingEvents, open_outgoing_events
from storage.tokens.issued import PATTERN

LETTERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDatabase:
    """Where webhooks are kept, and whom they may reach."""

    path: Path
    keys: tuple[str, ...]
    private: bool = False


async def add_webhook(
    database: WebhookDatabase, url: str, *, apps: Sequence[str], types: Sequence[str]
) -> Subscription:
    """Have a webhook told of events from now on, and return it with its secret.

    Raises:
        Invalid: no address that may be reached, no pattern of apps, or one of types that no type has.
        StorageError, Unavailable: the database or the keys cannot be used.
    """
    address = check_webhook_url(url, private=database.private)
    for each in apps:
        if not PATTERN.fullmatch(each):
            raise Invalid(f"{each[:60]!r} is no pattern of app names", hint="as in: --app 'shop-*'")
    for each in types:
        if " " in each or not any(wants(("*",), (each,), type_=known, app="*") for known in EVENT_TYPES):
            raise Invalid(
                f"no event is of a type like {each[:60]!r}", hint=f"types: {', '.join(EVENT_TYPES)}"
            )
    parts = URL(address)
    clock = SystemClock()
    made = Subscription(
        id="W" + "".join(choice(string.ascii_uppercase) for _ in range(LETTERS)),
        kind="webhook",
        host=f"{parts.host}" if parts.is_default_port() else f"{parts.host}:{parts.port}",
        url=address,
        secret=new_secret(),
        apps=tuple(apps),
        types=tuple(types),
        created_at=clock.now(),
        created_by=operator(),
    )
    async with _opened(database) as events:
        await events.add(made)
    return made


async def remove_webhook(database: WebhookDatabase, id_: str) -> OperationResult:
    """End a webhook with all that waits for it, and return what to print; raise NotFound where there is none."""
    async with _opened(database) as events:
        found = await _find(events, id_)
        await events.remove(found, by=operator())
    return OperationResult(f"Removing {found.host}... OK", {"id": found.id, "receiver": found.host})


async def list_webhooks(database: WebhookDatabase) -> Sequence[Subscription]:
    """Return everybody who is told of events; raise as `add_webhook`."""
    async with _opened(database) as events:
        return await events.subscriptions()


async def try_webhook(database: WebhookDatabase, id_: str) -> OperationResult:
    """Send a webhook one signed event of type `test`, and return what to print; one that had failed is told what waits for it.

    Raises:
        NotFound: there is none.
        Conflict: it has not taken it; the sentence says why.
    """
    clock = SystemClock()
    async with _opened(database) as events:
        found = await _find(events, id_)
    now = clock.now()
    key = f"test-{int(now.timestamp())}"
    document = {
        "specversion": "1.0",
        "id": key,
        "source": "urn:convox-bot:test",
        "type": f"{TYPE_PREFIX}test",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"webhook": found.id},
    }
    async with new_webhook_session(private=database.private) as session:
        said = await post_event(session, found, key, orjson.dumps(document), at=now, private=database.private)
    if not isinstance(said, Delivered):
        raise Conflict(f"{found.host} has not taken it: {getattr(said, 'answer', '')}")
    if found.failing_since is not None:
        async with _opened(database) as events:
            await events.recovered(found, said.answer)
    facts = {"id": found.id, "receiver": found.host, "answer": said.answer}
    return OperationResult(f"Testing {found.host}... OK, {said.answer}", facts)


def subscription_table(subscriptions: Sequence[Subscription]) -> str:
    """Return who is told of what, and what each said last."""
    rows = [
        (
            each.id,
            each.host or each.kind,
            ", ".join(each.apps),
            ", ".join(each.types),
            str(each.delivered),
            str(each.waiting),
            str(each.dropped),
            f"{each.answer} ({stamp(each.answered_at)})" if each.answered_at else "none yet",
        )
        for each in subscriptions
    ]
    return table(("ID", "RECEIVER", "APPS", "TYPES", "DELIVERED", "WAITING", "DROPPED", "LAST ANSWER"), rows)


def subscription_documents(subscriptions: Sequence[Subscription]) -> list[dict[str, object]]:
    """Return the same for programs, without addresses and secrets; null for what has not been."""
    return [
        {
            "id": each.id,
            "receiver": each.host or each.kind,
            "apps": list(each.apps),
            "types": list(each.types),
            "delivered": each.delivered,
            "waiting": each.waiting,
            "dropped": each.dropped,
            "answer": each.answer or None,
            "answered": stamp(each.answered_at) if each.answered_at else None,
            "failing-since": stamp(each.failing_since) if each.failing_since else None,
        }
        for each in subscriptions
    ]


def added(subscription: Subscription) -> str:
    """Say that a webhook was added, with its secret, which nobody can show again."""
    return "\n".join(
        (
            f"Adding {subscription.host}... OK, {subscription.id}",
            f"Secret: {subscription.secret}",
            "Its receiver checks signatures with it, and nobody can show it again.",
            f"Try it: convox-bot webhooks test {subscription.id}",
        )
    )


def _opened(database: WebhookDatabase) -> AbstractAsyncContextManager[SqliteOutgoingEvents]:
    return open_outgoing_events(database.path, database.keys, SystemClock())


async def _find(events: SqliteOutgoingEvents, id_: str) -> Subscription:
    found = await events.opened(id_.strip().upper())
    if found is not None and found.kind == "webhook":
        return found
    raise NotFound(f"no such webhook: {id_[:40]}", hint="`convox-bot webhooks list` shows them")
