from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from core.errors import Unavailable
from core.ports.outbox import Card
from core.promotion import Phase
from storage.keys import Keyring
from storage.store import open_store
from tests.storage.making import NOW, carded, make_app, make_line, make_promotion, make_release, moved

R, P = "RAAAAAAAAAA", "PAAAAAAAAAA"
LIMITS: Any = {"most": 3, "fitting": len}
# A terminal message that takes no line along.
ALONE: Any = {"most": 3, "fits": lambda lines: not lines}


async def add_lines(store, *numbers, promotion=P, **changes):
    async with store.transaction() as tx:
        await tx.add_lines(promotion, [make_line(n, **changes) for n in numbers])


async def end(store, promotion=P):
    async with store.transaction() as tx:
        await tx.add_terminal(promotion)


def numbers(post):
    return [number for number, _ in post.lines]


async def test_a_card_is_due_until_it_shows_the_newest_revision(store):
    await carded(store, ts=None)
    (due,) = await store.outbox.cards_due()
    assert (due.card, due.wanted, due.nonce) == (Card(subject=P, channel="C01"), 0, "")
    assert due.phase is Phase.PENDING
    await store.outbox.card_posted(P, "1.0", 0)
    assert await store.outbox.cards_due() == []
    promotion = await store.read.promotion(P)
    async with store.transaction() as tx:
        await tx.save_promotion(moved(promotion, Phase.UPDATING), was=Phase.PENDING)
    (due,) = await store.outbox.cards_due()
    assert (due.card.ts, due.card.shown, due.wanted) == ("1.0", 0, 1)
    assert due.phase is Phase.UPDATING
    await store.outbox.card_shown(P, 1)
    assert await store.outbox.cards_due() == []
    await store.outbox.write_down()
    assert await store.outbox.cards_due() == []
    assert await store.read.card(P) == Card(subject=P, channel="C01", ts="1.0", shown=1)


async def test_progress_that_the_card_shows_makes_it_due(store):
    await carded(store)
    promotion = await store.read.promotion(P)
    async with store.transaction() as tx:
        await tx.save_progress(P, promotion.progress, was=Phase.PENDING, revision=4)
    assert [due.wanted for due in await store.outbox.cards_due()] == [4]


async def test_a_late_answer_never_makes_a_card_older(store):
    await carded(store)
    await store.outbox.card_shown(P, 5)
    await store.outbox.card_shown(P, 3)
    await store.outbox.write_down()
    await store.outbox.card_shown(P, 4)
    await store.outbox.card_posted(P, "9.9", 1)
    assert await store.read.card(P) == Card(subject=P, channel="C01", ts="1.0", shown=5)


async def test_a_card_that_was_being_posted_keeps_its_nonce_until_its_outcome_is_known(store, clock):
    await carded(store, ts=None)
    await store.outbox.card_sending(P, "n1")
    (due,) = await store.outbox.cards_due()
    assert (due.nonce, due.tried_at, due.card.ts) == ("n1", NOW, None)
    await store.outbox.card_again(P, NOW + timedelta(seconds=10))
    assert await store.outbox.cards_due() == []
    clock.jump(10)
    (due,) = await store.outbox.cards_due()
    assert (due.nonce, due.tried_at) == ("", None)


async def test_a_delayed_card_is_left_alone_and_a_failed_one_for_good(store, clock):
    await carded(store, ts=None)
    await add_lines(store, 1)
    await store.outbox.postpone_card(P, NOW + timedelta(seconds=30))
    assert await store.outbox.cards_due() == []
    clock.jump(30)
    assert len(await store.outbox.cards_due()) == 1
    await store.outbox.card_failed(P, "not_in_channel")
    assert await store.outbox.cards_due() == []
    assert await store.outbox.threads_due() == []
    assert (await store.read.card(P)).failed == "not_in_channel"


async def test_a_thread_waits_for_its_card(store):
    await carded(store, ts=None)
    await add_lines(store, 1)
    await end(store)
    assert await store.outbox.threads_due() == []
    assert await store.outbox.claim_lines(P, **LIMITS) is None
    assert await store.outbox.claim_verdict(P, **ALONE) is None
    await store.outbox.card_posted(P, "1.0", 0)
    (thread,) = await store.outbox.threads_due()
    assert (thread.subject, thread.channel, thread.ts, thread.waiting, thread.ending) == (
        P,
        "C01",
        "1.0",
        1,
        True,
    )


async def test_lines_go_out_in_order_each_once_and_the_terminal_message_last(store):
    await carded(store)
    await add_lines(store, 1, 2, 3, 4, 5)
    await end(store)
    sent = []
    while post := await store.outbox.claim_lines(P, **LIMITS):
        assert post.kind == "lines"
        assert await store.outbox.claim_verdict(P, **ALONE) is None
        sent.append(numbers(post))
        await store.outbox.post_sent(post.id, f"2.{post.id}")
    assert sent == [[1, 2, 3], [4, 5]]
    last = await store.outbox.claim_verdict(P, **ALONE)
    assert (last.kind, last.lines, last.attempts) == ("terminal", (), 1)
    await store.outbox.post_sent(last.id, "3.0")
    assert await store.outbox.threads_due() == []
    assert await store.outbox.claim_verdict(P, **ALONE) is None
    await add_lines(store, 6)
    assert await store.outbox.threads_due() == [], "nothing follows the terminal message"
    assert await store.outbox.claim_lines(P, **LIMITS) is None


async def test_lines_that_come_before_the_terminal_message_is_out_go_first(store):
    await carded(store)
    await end(store)
    await add_lines(store, 1)
    assert await store.outbox.claim_verdict(P, **ALONE) is None
    post = await store.outbox.claim_lines(P, **LIMITS)
    await store.outbox.post_sent(post.id, "2.0")
    last = await store.outbox.claim_verdict(P, **ALONE)
    await add_lines(store, 2)
    assert await store.outbox.claim_lines(P, **LIMITS) is None, "the terminal message is on its way"
    again = await store.outbox.claim_verdict(P, **ALONE)
    assert (again.id, again.nonce, again.attempts) == (last.id, last.nonce, 2)


async def test_a_message_without_an_outcome_is_handed_out_again_with_its_nonce_and_lines(
    store, path, key, clock
):
    await carded(store)
    await add_lines(store, 1, 2)
    first = await store.outbox.claim_lines(P, **LIMITS)
    await add_lines(store, 3)
    async with open_store(path, Keyring([key]), clock, exclusive=False) as after_crash:
        again = await after_crash.outbox.claim_lines(P, **LIMITS)
    assert (again.id, again.nonce, again.lines) == (first.id, first.nonce, first.lines)
    assert (first.attempts, again.attempts) == (1, 2)


async def test_after_a_restart_the_outcome_is_looked_up_before_anything_is_sent(store, clock):
    await carded(store)
    await add_lines(store, 1)
    post = await store.outbox.claim_lines(P, **LIMITS)
    await add_lines(store, 2)
    await store.outbox.recover()
    assert await store.outbox.threads_due() == []
    assert await store.outbox.claim_lines(P, **LIMITS) is None
    (lost,) = await store.outbox.posts_unknown()
    assert (lost.post, lost.channel, lost.thread) == (post, "C01", "1.0")

    await store.outbox.postpone_post(post.id, NOW + timedelta(seconds=60))
    assert await store.outbox.posts_unknown() == []
    clock.jump(60)
    assert len(await store.outbox.posts_unknown()) == 1

    await store.outbox.post_again(post.id)
    again = await store.outbox.claim_lines(P, **LIMITS)
    assert (again.id, again.nonce, numbers(again)) == (post.id, post.nonce, [1])


async def test_a_lost_message_that_is_found_is_not_sent_again(store):
    await carded(store)
    await end(store)
    post = await store.outbox.claim_verdict(P, **ALONE)
    await store.outbox.post_unknown(post.id)
    assert await store.outbox.claim_verdict(P, **ALONE) is None
    await store.outbox.post_sent(post.id, "2.0")
    assert await store.outbox.posts_unknown() == []
    assert await store.outbox.threads_due() == []


async def test_a_message_that_must_wait_holds_its_thread_and_no_other(store, clock):
    await carded(store)
    async with store.transaction() as tx:
        await tx.add_app(make_app("other"))
        await tx.add_release(make_release("RBBBBBBBBBB", app="other"))
        await tx.add_promotion(make_promotion("RBBBBBBBBBB", "PBBBBBBBBBB", app="other"))
        await tx.add_card("PBBBBBBBBBB", "C00")
    await store.outbox.card_posted("PBBBBBBBBBB", "5.0", 0)
    await add_lines(store, 1)
    await add_lines(store, 1, promotion="PBBBBBBBBBB")
    assert [t.channel for t in await store.outbox.threads_due()] == ["C01", "C00"]
    post = await store.outbox.claim_lines(P, **LIMITS)
    await store.outbox.post_again(post.id, NOW + timedelta(seconds=5))
    assert [t.subject for t in await store.outbox.threads_due()] == ["PBBBBBBBBBB"]
    assert await store.outbox.claim_lines(P, **LIMITS) is None
    clock.jump(5)
    assert len(await store.outbox.threads_due()) == 2
    assert numbers(await store.outbox.claim_lines(P, **LIMITS)) == [1]


async def test_a_message_that_slack_never_takes_does_not_stop_the_thread(store):
    await carded(store)
    await add_lines(store, 1)
    dead = await store.outbox.claim_lines(P, **LIMITS)
    await store.outbox.post_dead(dead.id, "msg_too_long")
    await add_lines(store, 2)
    assert numbers(await store.outbox.claim_lines(P, **LIMITS)) == [2]


async def test_a_dead_terminal_message_ends_the_thread_too(store):
    await carded(store)
    await end(store)
    post = await store.outbox.claim_verdict(P, **ALONE)
    await store.outbox.post_dead(post.id, "is_archived")
    assert await store.outbox.threads_due() == []


async def test_a_message_has_the_lines_that_its_sender_finds_fitting(store):
    def by_kind(lines):
        return sum(line.kind == lines[0].kind for line in lines[:2])

    await carded(store)
    await add_lines(store, 1)
    await add_lines(store, 2, kind="evidence")
    await add_lines(store, 3)
    sent = []
    while post := await store.outbox.claim_lines(P, most=3, fitting=by_kind):
        sent.append([line.kind for _, line in post.lines])
        await store.outbox.post_sent(post.id, "2.0")
    assert sent == [["line"], ["evidence"], ["line"]]


async def test_the_backlog_counts_what_waits_and_since_when(store, clock):
    backlog = await store.outbox.backlog()
    assert (backlog.cards, backlog.lines, backlog.posts, backlog.oldest) == (0, 0, 0, None)
    await carded(store, ts=None)
    await add_lines(store, 5, 6)
    await end(store)
    backlog = await store.outbox.backlog()
    assert (backlog.cards, backlog.lines, backlog.posts, backlog.oldest) == (1, 2, 1, NOW)
    await store.outbox.card_failed(P, "not_in_channel")
    assert (await store.outbox.backlog()).oldest is None, "what is given up waits no longer"


async def test_a_message_of_a_thread_that_slack_closed_is_not_looked_up(store):
    await carded(store)
    await add_lines(store, 1)
    await store.outbox.claim_lines(P, **LIMITS)
    await store.outbox.card_failed(P, "is_archived")
    await store.outbox.recover()
    assert await store.outbox.posts_unknown() == []
    assert (await store.outbox.backlog()).posts == 0


async def transactions(store, made):
    """Note every transaction of the store from now on."""
    real = store._database.transaction

    @asynccontextmanager
    async def transaction(*work, urgent=False):
        made.append(1)
        async with real(*work, urgent=urgent) as connection:
            yield connection

    store._database.transaction = transaction


async def test_a_message_needs_one_transaction_for_its_outcome_goes_with_the_next(store):
    await carded(store)
    made: list[int] = []
    await transactions(store, made)
    for number in range(1, 6):
        await add_lines(store, number)
        made.clear()
        post = await store.outbox.claim_lines(P, **LIMITS)
        await store.outbox.post_sent(post.id, f"2.{number}")
        await store.outbox.card_shown(P, number)
        assert await store.outbox.threads_due() == []
        assert len(made) == 1
    await store.outbox.write_down()
    await store.outbox.write_down()
    assert len(made) == 2, "nothing is written that is written already"
    backlog = await store.outbox.backlog()
    assert (backlog.lines, backlog.posts) == (0, 0)


async def test_what_could_not_be_written_down_is_written_later(store):
    await carded(store)
    await add_lines(store, 1)
    post = await store.outbox.claim_lines(P, **LIMITS)
    real, full = store._database.transaction, asynccontextmanager(_full)
    store._database.transaction = full
    await store.outbox.post_sent(post.id, "2.0")
    with pytest.raises(Unavailable):
        await store.outbox.write_down()
    assert await store.outbox.threads_due() == []
    store._database.transaction = real
    await store.outbox.recover()
    assert await store.outbox.posts_unknown() == [], "what is known to be in Slack is not looked for"
    await add_lines(store, 2)
    assert numbers(await store.outbox.claim_lines(P, **LIMITS)) == [2]


async def _full(*work, urgent=False):
    raise Unavailable("the disk is full")
    yield


async def test_a_process_that_dies_before_it_wrote_an_outcome_down_looks_it_up(store, path, key, clock):
    await carded(store)
    await add_lines(store, 1)
    post = await store.outbox.claim_lines(P, **LIMITS)
    await store.outbox.post_sent(post.id, "2.0")
    async with open_store(path, Keyring([key]), clock, exclusive=False) as after_crash:
        await after_crash.outbox.recover()
        assert await after_crash.outbox.threads_due() == []
        assert [lost.post.nonce for lost in await after_crash.outbox.posts_unknown()] == [post.nonce]


async def test_the_terminal_message_takes_the_last_lines_along_where_they_fit(store):
    await carded(store)
    await add_lines(store, 1, 2, 3, 4, 5)
    await end(store)
    (thread,) = await store.outbox.threads_due()
    assert (thread.waiting, thread.ending, thread.since) == (5, True, NOW)

    def two(lines):
        return len(lines) <= 2

    assert await store.outbox.claim_verdict(P, most=3, fits=two) is None, "five are more than three"
    assert await store.outbox.claim_verdict(P, most=9, fits=two) is None, "they do not fit"
    post = await store.outbox.claim_lines(P, **LIMITS)
    assert await store.outbox.claim_verdict(P, most=9, fits=two) is None, "a message is on its way"
    await store.outbox.post_sent(post.id, "2.0")
    last = await store.outbox.claim_verdict(P, most=9, fits=two)
    assert (last.kind, numbers(last)) == ("terminal", [4, 5])
    assert await store.outbox.claim_lines(P, **LIMITS) is None
    await store.outbox.post_again(last.id)
    again = await store.outbox.claim_verdict(P, **ALONE)
    assert (again.nonce, numbers(again)) == (last.nonce, [4, 5]), "what it has taken along stays in it"
    await store.outbox.post_sent(last.id, "3.0")
    assert await store.outbox.threads_due() == []
    await store.outbox.write_down()
    assert await store.outbox.threads_due() == []


async def test_the_next_delay_that_ends_is_known_without_a_look_at_each(store):
    await carded(store)
    assert await store.outbox.next_due(NOW) is None
    promotion = await store.read.promotion(P)
    async with store.transaction() as tx:
        await tx.save_promotion(moved(promotion, Phase.UPDATING), was=Phase.PENDING)
    await add_lines(store, 1)
    post = await store.outbox.claim_lines(P, **LIMITS)
    soon, later = NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)
    await store.outbox.postpone_card(P, later)
    await store.outbox.post_again(post.id, soon)
    assert await store.outbox.next_due(NOW) == soon
    assert await store.outbox.next_due(soon) == later
    assert await store.outbox.next_due(later) is None


async def test_who_has_waited_longest_comes_first_whatever_the_channel(store, clock):
    await carded(store, channel="C09")
    clock.jump(1)
    async with store.transaction() as tx:
        await tx.add_app(make_app("other"))
        await tx.add_release(make_release("RBBBBBBBBBB", app="other"))
        await tx.add_promotion(make_promotion("RBBBBBBBBBB", "PBBBBBBBBBB", app="other"))
        await tx.add_card("PBBBBBBBBBB", "C00")
    promotion = await store.read.promotion(P)
    async with store.transaction() as tx:
        await tx.save_promotion(moved(promotion, Phase.UPDATING), was=Phase.PENDING)
    assert [due.card.channel for due in await store.outbox.cards_due()] == ["C09", "C00"]
    await store.outbox.card_posted("PBBBBBBBBBB", "5.0", 0)
    await add_lines(store, 8)
    await add_lines(store, 3, promotion="PBBBBBBBBBB")
    assert [thread.subject for thread in await store.outbox.threads_due()] == ["PBBBBBBBBBB", P]
    clock.jump(1)
    await end(store)
    threads = await store.outbox.threads_due()
    assert [(t.subject, t.since) for t in threads][1] == (P.replace("A", "B"), NOW + timedelta(seconds=3))
    assert threads[0].since == NOW + timedelta(seconds=2)


async def test_lines_that_a_thread_does_not_show_are_put_aside_also_between_two_looks(store):
    await carded(store)
    await add_lines(store, 1, 2, 3)
    odd = lambda line: int(line.key.split()[-1]) % 2 == 1  # noqa: E731

    assert await store.outbox.leave_out({P: odd})
    assert not await store.outbox.leave_out({P: odd}), "and once they are, nothing more is written"
    await add_lines(store, 4, 5)
    post = await store.outbox.claim_lines(P, **LIMITS, shown=odd)
    assert numbers(post) == [1, 3, 5]
    await store.outbox.post_sent(post.id, "2.0")
    await add_lines(store, 6)
    await end(store)
    last = await store.outbox.claim_verdict(P, most=0, fits=lambda lines: not lines, shown=odd)
    assert (last.kind, last.lines) == ("terminal", ())
