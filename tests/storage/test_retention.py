"""What is not kept any more goes in small writes, with its room; what has not ended, what Slack is owed and verdicts stay."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import aiosqlite
import pytest

from core.policy.retention import RETENTION_KEYS
from core.ports.retention import AGING
from core.promotion import Phase
from core.records.build import BuildStatus
from core.records.pod_sample import PodSample
from core.sentence import Sentence
from storage import retention
from storage.keys import Keyring
from storage.store import open_store
from storage.upgrading import let_shrink
from tests.storage.before import database_of_before
from tests.storage.making import APP, NOW, make_app, make_line, make_promotion, make_release, seed
from tests.storage.test_build_runs import make_run

R = "RAAAAAAAAAA"
LATER = NOW + timedelta(days=200)


def name(number: int) -> str:
    return f"P{'ABCDEFGHIJ'[number // 10]}{'ABCDEFGHIJ'[number % 10]}AAAAAAAA"


async def told(store, number, *, phase=Phase.FAILURE, ended=True, lines=3, card=True, settled=True):
    """Store a promotion that settled that many days after NOW, with its whole thread; return its id."""
    promotion = name(number)
    at = NOW + timedelta(days=number) if settled else None
    async with store.transaction() as tx:
        await tx.add_promotion(make_promotion(R, promotion, phase=phase, settled_at=at))
        if card:
            await tx.add_card(promotion, "C01")
        await tx.add_lines(promotion, [make_line(n) for n in range(lines)])
        await tx.add_lines(promotion, [make_line(90, "panic", kind="evidence")])
        await tx.add_samples(promotion, [PodSample(at=NOW, stage="forward", services={})])
        await tx.add_picture(promotion)
        await tx.schedule_reminder(promotion, NOW)
        if settled:
            await tx.add_terminal(promotion)
    if card:
        await store.outbox.card_posted(promotion, f"{number}.0", 0)
        await thread_told(store, promotion, end=ended)
    await store.outbox.pictures.end(promotion, "posted")
    return promotion


async def thread_told(store, promotion, *, end):
    """Have Slack told everything of a thread, or all but its last word."""
    while post := await store.outbox.claim_lines(promotion, most=2, fitting=len):
        await store.outbox.post_sent(post.id, "9.9")
    if end and (last := await store.outbox.claim_verdict(promotion, most=2, fits=lambda lines: not lines)):
        await store.outbox.post_sent(last.id, "9.9")
    await store.outbox.write_down()


def rows(store, table, **where):
    with sqlite3.connect(store._database.path) as connection:
        asked = " AND ".join(f"{column} = ?" for column in where) or "1"
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE {asked}", tuple(where.values()))
        count = found.fetchone()[0]
    connection.close()
    return count


async def age_all(store, *records, before=LATER):
    for each in records or AGING:
        while await store.retention.age(each, before):
            pass


def test_every_key_of_the_policy_ages_something():
    assert set(AGING) == {*RETENTION_KEYS, "notices"}


@pytest.fixture
async def app(store):
    await seed(store)


async def test_lines_go_with_their_messages_and_the_verdict_and_what_proves_it_stay(store, app):
    old = await told(store, 1)
    young = await told(store, 50)
    audit = rows(store, "audit")
    await age_all(store, "lines", before=NOW + timedelta(days=49))

    assert [line.kind for _, line in await store.read.lines(old, 0, 99)] == ["evidence"]
    assert len(await store.read.lines(young, 0, 99)) == 4
    assert await store.read.evidence(old)
    assert [await store.read.promotion_aged(each, "lines") for each in (old, young)] == [True, False]
    assert not await store.read.promotion_aged(old, "evidence")
    for table in ("pod_samples", "pictures", "reminders"):
        key = "promotion"
        assert (rows(store, table, **{key: old}), rows(store, table, **{key: young})) == (0, 1), table
    # The message that carries the evidence, and the verdict.
    assert rows(store, "outbox", subject=old, kind="lines") == 1
    assert rows(store, "outbox", subject=old, kind="terminal") == 1
    assert (await store.read.promotion(old)).phase is Phase.FAILURE
    assert await store.read.promotion_of_card("C01", "1.0") == old, "buttons of the card still find it"
    assert rows(store, "audit") == audit

    await age_all(store, "evidence", before=NOW + timedelta(days=49))
    assert await store.read.evidence(old) is None
    assert await store.read.promotion_aged(old, "evidence")
    assert rows(store, "outbox", subject=old, kind="lines") == 0
    assert await store.read.evidence(young)


async def test_what_has_not_ended_and_what_slack_is_owed_stays_however_old(store, app):
    flying = await told(store, 1, phase=Phase.UPDATING, settled=False)
    owed = await told(store, 30, ended=False)
    silent = await told(store, 3, card=False)
    await store.retention.age("lines", LATER)
    await age_all(store)

    assert len(await store.read.lines(flying, 0, 99)) == 4
    assert len(await store.read.lines(owed, 0, 99)) == 4
    assert await store.read.lines(silent, 0, 99) == [], "it was never to be told in Slack"
    await thread_told(store, owed, end=True)
    assert (await store.outbox.backlog()).posts == 0
    assert not await store.read.promotion_aged(flying, "lines")


async def test_what_slack_was_never_told_goes_half_a_year_later_and_is_owed_no_more(store, app):
    owed, silent = await told(store, 30, ended=False), await told(store, 31)
    async with store.transaction() as tx:
        await tx.add_promotion(
            make_promotion(R, name(32), phase=Phase.FAILURE, settled_at=NOW + timedelta(days=32))
        )
        await tx.add_card(name(32), "C01")
        await tx.add_lines(name(32), [make_line(1)])
    before = NOW + timedelta(days=33)
    await age_all(store, before=before)
    assert [len(await store.read.lines(each, 0, 99)) for each in (owed, silent, name(32))] == [4, 0, 1]
    assert not await store.retention.due("lines", before + retention.LONGER - timedelta(days=5))

    later = before + retention.LONGER
    assert await store.retention.due("lines", later)
    await age_all(store, before=later)
    for each in (owed, name(32)):
        assert await store.read.lines(each, 0, 99) == []
        assert rows(store, "outbox", subject=each, kind="lines") == 0
    backlog = await store.outbox.backlog()
    assert (backlog.cards, backlog.lines, backlog.posts) == (0, 0, 0)
    assert await store.outbox.cards_due() == []
    assert not await store.retention.due("lines", later)
    assert set(await store.retention.aged_rows()) <= set(AGING)


async def test_a_mark_that_a_clock_ahead_has_moved_is_put_back_and_nothing_is_left_out(store, app):
    await told(store, 1)
    ahead = await told(store, 99)
    far = LATER + timedelta(days=365)
    await age_all(store, "lines", before=far)
    now = NOW + timedelta(days=50)
    young = await told(store, 49)
    assert await store.read.promotion_aged(young, "lines"), "as if it had been deleted"
    counted = await store.retention.aged_rows()
    await store.retention.mend_marks(now)
    assert not await store.read.promotion_aged(young, "lines")
    assert len(await store.read.lines(young, 0, 99)) == 4
    assert await store.retention.aged_rows() == counted, "what was deleted stays counted"
    await age_all(store, "lines", before=now)
    assert [line.kind for _, line in await store.read.lines(young, 0, 99)] == ["evidence"]
    assert not await store.read.promotion_aged(ahead, "lines")

    changes = store._database._writer.total_changes
    await store.retention.mend_marks(now)
    assert store._database._writer.total_changes == changes, "a mark behind the clock stays"


async def test_an_hour_in_which_nothing_is_old_has_nothing_due(store, app):
    for each in AGING:
        assert not await store.retention.due(each, LATER)


async def test_a_picture_that_is_still_to_be_drawn_keeps_what_it_is_drawn_of(store, app):
    promotion = await told(store, 1)
    with sqlite3.connect(store._database.path) as connection:
        connection.execute("UPDATE pictures SET ended = ''")
    connection.close()
    await age_all(store)
    assert len(await store.read.samples(promotion)) == 1


async def test_the_log_of_a_build_goes_with_its_thread_and_the_build_stays(store, app):
    old, young = make_run(), make_run()
    for number, run in enumerate((old, young)):
        at = NOW + timedelta(days=100 * number)
        async with store.transaction() as tx:
            await tx.add_build_run(run)
            await tx.save_build_run(running := run.started(at), was=BuildStatus.CREATED)
            for n in range(5):
                await tx.add_build_lines(run.id, [f"step {n}", "RUN make"])
            await tx.add_lines(run.id, [make_line(1, kind="step")])
            await tx.save_build_run(
                replace(running.failed(Sentence.of("no"), at), cleared=True), was=BuildStatus.RUNNING
            )
    await age_all(store, before=NOW + timedelta(days=50))

    assert await store.read.build_lines(old.id) == []
    assert len(await store.read.build_lines(young.id)) == 10
    assert [await store.read.build_aged(each.id) for each in (old, young)] == [True, False]
    assert await store.read.lines(old.id, 0, 9) == []
    assert str((await store.read.build_run(old.id)).reason) == "no"


async def test_messages_of_channels_go_but_for_those_that_announce_a_build_and_those_that_wait(
    store, app, clock
):
    release = await store.read.release(APP, R)
    async with store.transaction() as tx:
        await tx.add_notice("C01", Sentence.of("frozen"))
        await tx.add_notice("C01", Sentence.of("built"), kind="build", release=release)
        await tx.add_notice("C01", Sentence.of("waits"))
    for notice in (await store.outbox.notices.due())[:2]:
        await store.outbox.notices.posted(notice.id, f"{notice.id}.0")
    await age_all(store)
    assert await store.read.announced("C01", "2.0"), "its buttons still say which release"
    assert [str(each.said) for each in await store.outbox.notices.due()] == ["waits"]


async def test_each_transaction_is_small_whatever_one_promotion_has_and_a_mark_leaves_nothing_out(
    store, app, monkeypatch
):
    monkeypatch.setattr(retention, "MOST_ROWS", 7)
    monkeypatch.setattr(retention, "MOST_SUBJECTS", 2)
    for number in range(6):
        await told(store, number, lines=20 if number == 2 else 1, card=number % 2 == 0)
    changes, steps = store._database._writer, []
    while True:
        before = changes.total_changes
        left = await store.retention.age("lines", LATER)
        steps.append(changes.total_changes - before)
        if not left:
            break
    assert max(steps) <= 7 + 2 + 1, "rows, a mark for each promotion, and their sum"
    assert rows(store, "lines", kind="line") == 0
    assert rows(store, "lines", kind="evidence") == 6
    counted = await store.retention.aged_rows()
    assert counted["lines"] > 25
    before = changes.total_changes
    await age_all(store, "lines")
    assert changes.total_changes == before, "an hour in which nothing has aged writes nothing"


async def test_of_those_that_ended_in_one_moment_none_is_left_out(store, app, monkeypatch):
    monkeypatch.setattr(retention, "MOST_SUBJECTS", 1)
    for number in range(3):
        async with store.transaction() as tx:
            await tx.add_promotion(make_promotion(R, name(number), phase=Phase.EXPIRED, settled_at=NOW))
            await tx.add_lines(name(number), [make_line(1)])
    assert await store.retention.age("lines", LATER)
    assert [await store.read.promotion_aged(name(n), "lines") for n in range(3)] == [True, False, False]
    await age_all(store)
    assert rows(store, "lines") == 0


async def fill_and_empty(store, megabytes=12):
    """Leave so many megabytes of free pages behind."""
    async with store.transaction() as tx:
        await tx.add_app(make_app("big"))
        await tx.add_release(make_release("RBBBBBBBBBB", app="big"))
    async with store._database.transaction() as connection:
        await connection.execute("CREATE TABLE filler (x BLOB) STRICT")
        await connection.executemany("INSERT INTO filler VALUES (?)", [(b"\0" * 1_000_000,)] * megabytes)
    async with store._database.transaction() as connection:
        await connection.execute("DROP TABLE filler")


async def test_room_is_given_back_a_few_pages_at_a_time_and_some_of_it_kept_for_what_comes(store):
    await fill_and_empty(store)
    before = await store.retention.pages()
    assert before.shrinks
    assert before.free > 12_000_000 // 4096
    assert await store.retention.give_back()
    after = await store.retention.pages()
    assert (before.count - after.count, before.free - after.free) == (retention.PAGES_AT_ONCE,) * 2
    while await store.retention.give_back():
        pass
    assert (await store.retention.pages()).free == retention.FEW_PAGES
    assert not await store.retention.give_back()


async def unable_to_shrink(path, key):
    """Make a database of before, as all were made before there was a retention."""
    async with database_of_before(path, key):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    connection.close()


async def test_a_database_of_before_learns_to_give_room_back_at_its_next_start(path, key, clock, caplog):
    await unable_to_shrink(path, key)
    caplog.set_level("INFO")
    async with open_store(path, Keyring([key]), clock) as store:
        assert (await store.retention.pages()).shrinks
        assert [app.name for app in await store.read.apps()] == [APP]
    assert f"{path} is written anew" in caplog.text
    caplog.clear()
    async with open_store(path, Keyring([key]), clock):
        pass
    assert "written anew" not in caplog.text


async def test_without_room_to_be_written_anew_it_works_on_and_says_so(path, key, clock, caplog, monkeypatch):
    await unable_to_shrink(path, key)
    monkeypatch.setattr("storage.upgrading.VACUUM_TAKES", 1 << 60)
    async with open_store(path, Keyring([key]), clock) as store:
        assert not (await store.retention.pages()).shrinks
        assert not await store.retention.give_back()
    assert "gives no free pages back: to be written anew for that, once, it needs" in caplog.text


async def test_what_is_too_large_for_a_start_is_left_to_an_operator(path, key, clock, caplog, monkeypatch):
    await unable_to_shrink(path, key)
    monkeypatch.setattr("storage.upgrading.MOST_REWRITTEN", 4096)
    async with open_store(path, Keyring([key]), clock) as store:
        assert not (await store.retention.pages()).shrinks
    (command,) = re.findall(r'sqlite3 \S+ "(.*)" does it', caplog.text)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(command)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


async def test_it_is_written_anew_beside_itself_or_not_at_all(path, key, clock, caplog, monkeypatch):
    """A container has little room in /tmp."""
    await unable_to_shrink(path, key)
    said = []

    async def deaf(connection, sql, *more):
        said.append(sql)
        return () if sql == "PRAGMA temp_store_directory" else await real(connection, sql, *more)

    real = aiosqlite.Connection.execute_fetchall
    with monkeypatch.context() as patched:
        patched.setattr(aiosqlite.Connection, "execute_fetchall", deaf)
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await let_shrink(connection, path)
    assert "VACUUM" not in said
    assert f"PRAGMA temp_store_directory = '{path.parent}'" in said
    assert "cannot be told where to write it anew" in caplog.text


async def test_one_that_cannot_be_written_anew_stays_as_it_is(path, key, caplog):
    await unable_to_shrink(path, key)
    with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        async with aiosqlite.connect(path, timeout=0.0, isolation_level=None) as connection:
            await connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            await let_shrink(connection, path)
            assert list(await connection.execute_fetchall("PRAGMA auto_vacuum")) == [(0,)]
    assert (
        "could not be written anew and stays as it is; the next start tries again: database is locked"
        in caplog.text
    )
