"""What waits for an approval while the world goes on: the last approval starts nothing that nobody could ask for by then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, Forbidden
from core.policy.authorization import parse_policy
from core.promotion import Phase
from tests.core.world import ALICE, BOB, CAROL, ONE_APPROVAL, OPEN, World, by, until, world
from tests.fakes import broken, progressing


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def ask_for_approvals(w: World) -> None:
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)


@pytest.mark.parametrize("more", [{"overwrite": True}, {"force": True}])
async def test_who_adds_to_what_somebody_else_asked_for_cannot_approve_it(w: World, more: dict[str, Any]):
    await w.good()
    ask_for_approvals(w)
    waiting = (await w.ask((await w.build()).release.id, actor=ALICE)).promotion
    assert (await w.ask(waiting.release, actor=BOB, **more)).already_waiting
    with pytest.raises(Forbidden, match="you have made or added, and somebody else must approve it"):
        await w.decider.approve(by(BOB), waiting.id)
    assert (await w.decider.approve(by(CAROL), waiting.id)).missing == 0


async def test_who_asks_for_the_same_once_more_adds_nothing_and_can_approve_it(w: World):
    await w.good()
    ask_for_approvals(w)
    waiting = (await w.ask((await w.build()).release.id, actor=ALICE, overwrite=True)).promotion
    await w.ask(waiting.release, actor=BOB)
    await w.ask(waiting.release, actor=ALICE, force=True)
    assert BOB not in (await w.store.read.promotion(waiting.id)).authors
    assert (await w.decider.approve(by(BOB), waiting.id)).missing == 0


async def test_a_freeze_that_has_begun_keeps_back_a_rollback_to_what_never_ran(w: World):
    never = (await w.build()).release.id
    await w.good()
    ask_for_approvals(w)
    waiting = (await w.ask(never, kind="rollback")).promotion
    await w.freezer.freeze(by(CAROL), "myapp", reason="a fair", until=None)
    with pytest.raises(Conflict, match="frozen"):
        await w.ask(never, kind="rollback", actor=CAROL)
    with pytest.raises(Conflict, match="frozen"):
        await w.decider.approve(by(BOB), waiting.id)
    assert (await w.store.read.promotion(waiting.id)).phase is Phase.AWAITING_APPROVAL


async def test_no_freeze_keeps_back_a_rollback_to_what_ran_well(w: World):
    old = await w.good()
    await w.good()
    w.policy = parse_policy(
        ONE_APPROVAL.replace("promote: {count: 1}", "rollback: {count: 1}"), open_to_all=True
    )
    waiting = (await w.ask(old, kind="rollback")).promotion
    assert waiting.phase is Phase.AWAITING_APPROVAL
    await w.freezer.freeze(by(CAROL), "myapp", reason="a fair", until=None)
    assert (await w.decider.approve(by(BOB), waiting.id)).promotion.phase is Phase.PENDING


async def test_a_rollback_to_what_fails_while_it_waits_is_refused_with_its_approval(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: progressing()
    flying = (await w.ask(bad)).promotion
    await until(w, flying.id, Phase.UPDATING)
    ask_for_approvals(w)
    waiting = (await w.ask(bad, kind="rollback")).promotion
    w.cluster.behaves[bad] = lambda _: broken()
    assert (await w.end(flying.id)).phase is Phase.REVERTED
    with pytest.raises(Conflict, match=f"{waiting.id} was refused: {bad} is on hold: its rollout failed"):
        await w.decider.approve(by(BOB), waiting.id)


async def test_who_clicks_on_a_card_of_before_something_was_added_approves_nothing(w: World):
    await w.good()
    ask_for_approvals(w)
    waiting = (await w.ask((await w.build()).release.id, actor=ALICE)).promotion
    more = (await w.ask(waiting.release, actor=BOB, overwrite=True)).promotion
    click = replace(by(CAROL), seen=waiting.revision)
    with pytest.raises(Conflict, match="asks for more than when its card was shown to you: `--overwrite`;"):
        await w.decider.approve(click, waiting.id)
    assert await w.store.read.approvals(waiting.id) == []
    assert (await w.decider.approve(replace(click, seen=more.revision), waiting.id)).missing == 0


async def test_what_was_added_is_named_with_the_reason(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    ask_for_approvals(w)
    waiting = (await w.ask(bad, anyway="a test")).promotion
    await w.ask(bad, actor=BOB, force=True)
    with pytest.raises(Conflict, match="`--force`, a reason to promote what is on hold, “a test”; nothing"):
        await w.decider.approve(replace(by(CAROL), seen=waiting.revision), waiting.id)


async def test_more_approvals_than_it_was_asked_for_with_are_asked_for_anew_and_fewer_are_not(w: World):
    await w.good()
    ask_for_approvals(w)
    waiting = (await w.ask((await w.build()).release.id)).promotion
    w.policy = parse_policy(ONE_APPROVAL.replace("count: 1", "count: 2"), open_to_all=True)
    said = "the policy wants 2 approvals for it by now, and it was asked for with 1; ask again"
    with pytest.raises(Conflict, match=said):
        await w.decider.approve(by(BOB), waiting.id)

    again = (await w.ask(waiting.release)).promotion
    w.policy = parse_policy(OPEN, open_to_all=True)
    assert (await w.decider.approve(by(BOB), again.id)).missing == 1
    assert (await w.decider.approve(by(CAROL), again.id)).promotion.phase is Phase.PENDING
