"""The same rollback asked for twice, by a double click or by two people at once, is one rollback."""

import asyncio

import pytest

from core.errors import Busy
from core.promotion import Phase
from tests.core.world import BOB, World, by

WAITS = """\
apps:
  - match: ["*"]
    unpinned: true
    approvals:
      promote: {count: 0}
      rollback: {count: 1}
"""


async def two_releases(w: World) -> tuple[str, str]:
    return await w.good(), await w.good()


async def test_the_second_is_told_that_it_is_being_done_and_nothing_begins_anew(w: World):
    first, _ = await two_releases(w)
    asked = (await w.ask(first, kind="rollback")).promotion
    with pytest.raises(
        Busy, match=f"myapp is going back to {first} already: asked for by @u01alice"
    ) as refused:
        await w.ask(first, kind="rollback", actor=BOB)
    assert str(refused.value.hint).endswith("`apps cancel myapp`")
    ended = await w.end(asked.id)
    assert ended.phase is Phase.RUNNING
    assert len(await w.store.read.promotions("myapp", 9)) == 3


async def test_of_two_at_the_same_moment_one_goes_out(w: World):
    first, _ = await two_releases(w)
    answers = await asyncio.gather(
        w.ask(first, kind="rollback"), w.ask(first, kind="rollback", actor=BOB), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(Busy) == 1
    await w.idle()
    assert [p.phase for p in await w.store.read.promotions("myapp", 9)] == [Phase.RUNNING] * 3


async def test_a_rollback_to_another_release_still_takes_over(w: World):
    first, second = await two_releases(w)
    await w.good()
    asked = (await w.ask(first, kind="rollback")).promotion
    other = (await w.ask(second, kind="rollback", actor=BOB)).promotion
    await w.idle()
    assert (await w.store.read.promotion(asked.id)).phase is Phase.SUPERSEDED
    assert (await w.store.read.promotion(other.id)).phase is Phase.RUNNING


@pytest.mark.world(policy=WAITS)
async def test_the_second_joins_the_one_that_waits_for_its_approval_and_its_approvals_count(w: World):
    first, _ = await two_releases(w)
    asked = (await w.ask(first, kind="rollback")).promotion
    again = await w.ask(first, kind="rollback", actor=BOB)
    assert (again.promotion.id, again.already_waiting) == (asked.id, True)
    await w.decider.approve(by(BOB), asked.id)
    assert (await w.end(asked.id)).phase is Phase.RUNNING
