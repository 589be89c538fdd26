"""What an operator does with webhooks on the database file: addresses and secrets are sealed, keys must be the bot's."""

import sqlite3
from contextlib import closing

import pytest

from bot.admin.doctor.looks.database import look_at_database
from bot.admin.webhooks import (
    WebhookDatabase,
    add_webhook,
    added,
    list_webhooks,
    remove_webhook,
    subscription_documents,
    subscription_table,
    try_webhook,
)
from core.errors import Conflict, Invalid, NotFound
from storage.errors import DatabaseMissing, KeyMismatch
from storage.keys import Keyring
from tests.bot.outgoing.receiving import hook
from tests.core.world import KEY, world

PATTERNS = {"apps": ("*",), "types": ("*",)}


@pytest.fixture
async def database(tmp_path):
    async with world(tmp_path):
        pass
    return WebhookDatabase(path=tmp_path / "convox.db", keys=(KEY,), private=True)


async def test_a_webhook_is_added_tried_listed_and_removed(database):
    async with hook() as to:
        made = await add_webhook(database, to.url, apps=("shop-*",), types=("promotion.*",))
        to.secret, name = made.secret, made.id
        assert f"Secret: {made.secret}" in added(made)
        assert (await try_webhook(database, name.lower())).text == f"Testing {to.url[7:-3]}... OK, 200"
        assert (to.types, to.refused) == (["test"], 0)
        found = await list_webhooks(database)
        document = subscription_documents(found)[-1]
        assert (document["id"], document["apps"], document["answer"]) == (name, ["shop-*"], None)
        listed = f"{subscription_table(found)} {document}"
        assert "shop-*" in listed
        assert "none yet" in listed
        assert to.url not in listed
        assert made.secret not in listed

        to.secret = "whsec_AAAA"
        with pytest.raises(Conflict, match="has not taken it: 401"):
            await try_webhook(database, name)
        stored = sqlite3.connect(database.path)
        dump = "\n".join(stored.iterdump())
        stored.close()
        assert to.url not in dump
        assert "webhook.add" in dump

        assert (await remove_webhook(database, name)).text == f"Removing {to.url[7:-3]}... OK"
        with pytest.raises(NotFound, match="no such webhook"):
            await remove_webhook(database, name)
        with pytest.raises(NotFound, match="no such webhook"):
            await try_webhook(database, "github")


async def test_a_webhook_that_is_mended_and_tried_is_told_at_once_what_waits_for_it(database):
    async with hook() as to:
        made = await add_webhook(database, to.url, **PATTERNS)
        to.secret = made.secret
        with closing(sqlite3.connect(database.path)) as db, db:
            # As a receiver that was away for hours leaves it.
            db.execute(
                "UPDATE subscriptions SET failing_since = '2026-01-01T10:00:00+00:00' WHERE id = ?",
                (made.id,),
            )
            db.execute(
                "INSERT INTO outgoing_events (subscription, audit, type, app, subject, created_at, not_before)"
                " VALUES (?, 1, 'test', 'myapp', 'P', '2026-01-01T10:00:00+00:00', '2999-01-01T00:00:00+00:00')",
                (made.id,),
            )
        looked = await look_at_database(database.path, [KEY], whole=False)
        assert [each.id for each in looked.receivers] == [made.id]

        await try_webhook(database, made.id)

        assert (await look_at_database(database.path, [KEY], whole=False)).receivers == ()
        with closing(sqlite3.connect(database.path)) as db:
            (due,) = db.execute(
                "SELECT not_before FROM outgoing_events WHERE subscription = ?", (made.id,)
            ).fetchone()
        assert due is None
        (found,) = [each for each in await list_webhooks(database) if each.id == made.id]
        assert (found.answer, found.waiting) == ("200", 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apps": ("Shop",)}, "no pattern of app names"),
        ({"types": ("promotion.begun",)}, "no event is of a type like"),
        ({"types": ("a b",)}, "no event is of a type like"),
    ],
)
async def test_patterns_that_match_nothing_are_refused(database, changes, said):
    with pytest.raises(Invalid, match=said):
        await add_webhook(database, "https://hooks.example.com/", **{**PATTERNS, **changes})


async def test_a_secret_is_sealed_only_with_a_key_that_the_bot_has(database, tmp_path):
    fresh = WebhookDatabase(path=database.path, keys=(Keyring.generate(), KEY))
    await add_webhook(fresh, "https://hooks.example.com/", **PATTERNS)
    assert (await list_webhooks(database))[-1].host == "hooks.example.com", "the bot can read it"
    with pytest.raises(KeyMismatch, match="lacks a key"):
        await list_webhooks(WebhookDatabase(path=database.path, keys=(Keyring.generate(),)))
    with pytest.raises(DatabaseMissing):
        await list_webhooks(WebhookDatabase(path=tmp_path / "no.db", keys=(KEY,)))
    made = await add_webhook(database, "https://hooks.example.com:8443/", **PATTERNS)
    assert added(made).startswith("Adding hooks.example.com:8443... OK, W")
