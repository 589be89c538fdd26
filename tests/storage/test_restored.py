"""The first start on a copy: what may have been told since is asked for before it is told again, and cards are written anew."""

import json

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
        assert detail == {"cards": 1, "lines": 2, "posts": 1, "notices": 1}
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
