"""What a clock that was ahead has put off is told once it is right again; an honest delay stays."""

from datetime import timedelta

import pytest

from core.sentence import Sentence
from storage.leaps import LONGEST_DELAY
from tests.storage.making import carded, make_line
from tests.storage.test_restored import P, Q, second_card

YEAR = timedelta(days=365)


@pytest.mark.parametrize(("ahead", "told"), [(YEAR, True), (LONGEST_DELAY, False)])
async def test_what_was_put_off_by_a_clock_ahead_is_told_at_once(store, clock, ahead, told):
    await carded(store)
    await second_card(store)
    async with store.transaction() as tx:
        await tx.add_lines(P, [make_line(1)])
        await tx.add_notice("C01", Sentence.of("a freeze begins"))
        await tx.add_picture(P)
    post = await store.outbox.claim_lines(P, most=5, fitting=len)
    then = clock.now() + ahead
    await store.outbox.postpone_card(Q, then)
    await store.outbox.post_again(post.id, then)
    (notice,) = await store.outbox.notices.due()
    await store.outbox.notices.again(notice.id, then)
    await store.outbox.pictures.again(P, then)
    await store.outbox.write_down()
    assert await store.outbox.cards_due() == []

    assert (await store.forget_delays(clock.now()) > 0) is told

    assert bool(await store.outbox.cards_due()) is told
    assert bool(await store.outbox.notices.due()) is told
    assert await store.forget_delays(clock.now()) == 0, "once"
