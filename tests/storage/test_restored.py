"""The first start on a copy: what may have been told since is asked for before it is told again, and cards are written anew."""

import json
import sqlite3
from contextlib import closing

from core.actor import BOT
from core.sentence import Sentence
from storage.copies import copy_database
from storage.keys import Keyring
from storage.session import Session
from storage.store import open_store
from tests.chain import audit_rows, first_broken
from tests.storage.making import carded, make_app, make_line, make_promotion, make_release

P, Q = "PAAAAAAAAAA", "PBBBBBBBBBB"


async def second_card(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app("other"))
        await tx.add_release(make_release("RBBBBBBBBBB", app="other"))
        await tx.add_promotion(make_promotion("RBBBBBBBBBB", Q, app="other"))
        await tx.add_card(Q, "C02")


async def test_a_message_that_was_made_is_looked_for_and_an_open_card_written_anew(
    store, path, key, clock, tmp_path, caplog
):
    await carded(store)
    await second_card(store)
    async with store.transaction() as tx:
        await tx.add_lines(P, [make_line(1)])
    post = await store.outbox.claim_lines(P, most=5, fitting=len)
    await store.outbox.post_again(post.id)
    async with store.transaction() as tx:
        await tx.add_lines(P, [make_line(2), make_line(3)])
        await tx.add_notice("C01", Sentence.of("a freeze begins"))
    assert await store.outbox.posts_unknown() == []
    copy = tmp_path / "elsewhere" / "convox.db"
    copy.parent.mkdir()
    copy_database(path, copy)
    # What is told from here on the copy does not know.
    await store.outbox.post_sent(post.id, "2.0")

    async with open_store(copy, Keyring([key]), clock) as restored:
        (lost,) = await restored.outbox.posts_unknown()
        assert (lost.post.id, lost.post.nonce) == (post.id, post.nonce), "it is found by its nonce"
        assert lost.post.tried_at is not None
        assert {due.card.subject for due in await restored.outbox.cards_due()} == {P, Q}
        *_, row = await audit_rows(restored)
        assert (row["action"], row["subject"]) == ("database.restore", "database")
        detail = json.loads(row["detail"])
        assert detail.pop("copied_at").endswith("Z")
        assert detail == {"copied_for": "backup", "cards": 1, "lines": 2, "posts": 1, "notices": 1}
        assert await first_broken(restored) is None
        rows = len(list(await audit_rows(restored)))
    assert "Slack was owed 1 cards, 2 lines, 1 messages of threads and 1 others then" in caplog.text

    caplog.clear()
    async with open_store(copy, Keyring([key]), clock) as again:
        assert len(list(await audit_rows(again))) == rows, "once"
    assert "is a copy of" not in caplog.text


async def test_who_only_looks_at_a_copy_leaves_it_one(store, path, key, clock, tmp_path):
    await carded(store)
    copy = tmp_path / "backup.db"
    copy_database(path, copy)
    assert await Session(store._database.reader).one("copied_at") is None, "the database itself is none"
    async with open_store(copy, Keyring([key]), clock, exclusive=False) as looked:
        assert await Session(looked._database.reader).one("copied_at")
        assert await looked.outbox.cards_due() == []


async def test_a_copy_that_an_older_version_has_run_on_is_nobodys_backup(
    store, path, key, clock, tmp_path, caplog
):
    caplog.set_level("INFO")
    await carded(store)
    copy = tmp_path / "copy.db"
    copy_database(path, copy, "upgrade")
    # A version that knows nothing of copies: what it tells and records it writes as any other, and the note stays.
    async with open_store(copy, Keyring([key]), clock, exclusive=False) as older:
        async with older.transaction() as tx:
            await tx.add_lines(P, [make_line(1)])
        post = await older.outbox.claim_lines(P, most=5, fitting=len)
        await older.outbox.post_again(post.id)

    async with open_store(copy, Keyring([key]), clock) as upgraded:
        assert await upgraded.outbox.posts_unknown() == [], (
            "nothing is in doubt: it was this file that told it"
        )
        assert [row["action"] for row in await audit_rows(upgraded)] == []
        assert await Session(upgraded._database.reader).one("copied_at") is None
    assert "was a copy of" in caplog.text
    assert "an older version has run on since" in caplog.text


async def test_what_an_operator_does_before_the_first_start_leaves_a_copy_a_copy(
    store, path, key, clock, tmp_path, caplog
):
    await carded(store)
    copy = tmp_path / "copy.db"
    copy_database(path, copy, "upgrade")
    async with open_store(copy, Keyring([key]), clock, exclusive=False) as looked:
        await looked.tokens.create("ci")
    async with open_store(copy, Keyring([key]), clock) as restored:
        actions = [row["action"] for row in await audit_rows(restored)]
    assert actions == ["token.create", "database.restore"]
    assert ", made before an upgrade, and what happened since is not in it" in caplog.text


async def test_a_copy_of_a_copy_is_as_old_as_the_first_unless_somebody_ran_on_it(
    store, path, key, clock, tmp_path
):
    await carded(store)
    first, second, third = (tmp_path / f"{n}.db" for n in range(3))
    copy_database(path, first)
    with closing(sqlite3.connect(first)) as connection, connection:
        connection.execute("UPDATE meta SET value = '2020-01-01T00:00:00Z' WHERE name = 'copied_at'")
    copy_database(first, second, "upgrade")
    assert noted(second)[:2] == ("2020-01-01T00:00:00Z", "backup")
    async with (
        open_store(first, Keyring([key]), clock, exclusive=False) as older,
        older.transaction() as tx,
    ):
        await tx.audit(BOT, "app.lock", "myapp", {})
    copy_database(first, third, "upgrade")
    at, why, rows = noted(third)
    assert (at > "2020-01-02", why, rows) == (True, "upgrade", 1)


def noted(copy):
    with closing(sqlite3.connect(copy)) as connection:
        found = dict(connection.execute("SELECT name, value FROM meta WHERE name GLOB 'copied_*'").fetchall())
    return found["copied_at"], found["copied_for"], found["copied_audit"]
