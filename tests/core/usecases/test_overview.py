"""What one person's Home tab holds: each button exactly when what it means would not be refused them."""

from pathlib import Path

import pytest

from bot.views.home import home_view
from core.actor import Actor
from core.errors import UserError
from core.policy.authorization import parse_policy
from core.records.freeze import Freeze
from core.usecases.overview import MOST_APPS
from tests.core.world import ALICE, BOB, CAROL, World, by, world
from tests.fakes import broken

POLICY = """
roles: {developer: [view, promote, rollback, cancel, env, build, admin], approver: [view, approve], reader: [view]}
members:
  - {who: [U01ALICE], roles: [developer, approver]}
  - {who: [U02BOB], roles: [approver]}
  - {who: [U03CAROL], roles: [reader]}
apps: [{match: ["*"], unpinned: true, approvals: {promote: {count: 1, requester: false}}}]
"""


def buttons(view: dict) -> set[str]:
    return {
        each["action_id"]
        for block in view["blocks"]
        for each in block.get("elements", ())
        if "action_id" in each
    }


async def would(w: World, actor: Actor, deed: str, promotion: str) -> bool:
    """Say whether a deed is not refused, by asking the use case itself; whoever may not changes nothing."""
    caller = by(actor, "C1")
    try:
        if deed == "approve":
            await w.decider.approve(caller, promotion)
        elif deed == "decline":
            await w.decider.decline(caller, promotion, "no")
        else:
            await w.decider.cancel(caller, promotion)
    except UserError:
        return False
    return True


@pytest.mark.parametrize("deed", ["approve", "decline", "cancel"])
@pytest.mark.parametrize("actor", [ALICE, BOB, CAROL], ids=lambda actor: actor.name)
async def test_a_button_stands_there_exactly_when_the_deed_is_not_refused(
    tmp_path: Path, deed: str, actor: Actor
):
    async with world(tmp_path) as w:
        made = await w.build()
        w.policy = parse_policy(POLICY)
        asked = (await w.ask(made.release.id)).promotion
        seen = await w.overviews.of(actor)
        (item,) = (*seen.waiting, *seen.rolling)
        assert (f"home.{deed}" in buttons(home_view(seen))) == (deed in item.may)
        assert (deed in item.may) == await would(w, actor, deed, asked.id)


async def test_in_a_freeze_home_offers_no_approval_that_it_would_refuse(tmp_path: Path):
    async with world(tmp_path) as w:
        made = await w.build()
        w.policy = parse_policy(POLICY)
        asked = (await w.ask(made.release.id)).promotion
        assert "home.approve" in buttons(home_view(await w.overviews.of(BOB)))
        async with w.store.transaction() as tx:
            await tx.save_freeze(Freeze(app="myapp", by=ALICE, since=tx.now, reason="sale"))
        shown = buttons(home_view(await w.overviews.of(BOB)))
        assert ("home.approve" in shown, "home.decline" in shown) == (False, True)
        assert not await would(w, BOB, "approve", asked.id)


async def test_what_is_live_on_hold_and_mine_is_there_and_unchanged_it_is_the_same_view(tmp_path: Path):
    async with world(tmp_path) as w:
        first = await w.good()
        bad = (await w.build()).release.id
        w.cluster.behaves[bad] = lambda _: broken()
        await w.promote(bad)
        w.policy = parse_policy(POLICY)
        seen = await w.overviews.of(ALICE)
        assert [item.active and item.active.id for item in seen.apps] == [first]
        assert [(item.release.id, set(item.may)) for item in seen.held] == [(bad, {"promote"})]
        assert [p.release for p in seen.mine] == [bad, first]
        assert "home.again" in buttons(home_view(seen))
        reader = await w.overviews.of(CAROL)
        assert buttons(home_view(reader)) == set()
        assert reader.mine == []
        assert home_view(await w.overviews.of(ALICE)) == home_view(seen)


async def test_of_many_apps_the_first_are_shown_and_the_rest_counted(tmp_path: Path):
    async with world(tmp_path) as w:
        for number in range(MOST_APPS + 2):
            await w.registrar.create_app(by(ALICE, f"C{number + 10}"), f"app{number:02}")
        seen = await w.overviews.of(ALICE)
        assert (len(seen.apps), seen.more_apps) == (MOST_APPS, 3)
        view = home_view(seen)
        assert len(view["blocks"]) <= 100
        assert "3 more apps are not shown" in str(view)
