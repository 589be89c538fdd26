"""What waits for a time or for its turn starts once it comes, after everything was asked again; nothing but records says so."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.views import confirmations
from core.actor import Actor
from core.errors import Conflict, Invalid
from core.lifecycle.outcome import ending
from core.policy.authorization import parse_policy
from core.promotion import Phase, Promotion
from core.records.freeze import Freeze
from core.records.waits_for import WaitsFor
from core.usecases.scheduler import PromotionScheduler
from tests.chain import audit_rows
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, until
from tests.fakes import broken, progressing


def scheduler(w: World, why_not: str = "") -> PromotionScheduler:
    """Return one as a start of the process makes it: it remembers nothing."""
    return PromotionScheduler(
        w.store, w.cluster, w.decider._access, w.decider, why_not_startable=lambda: why_not
    )


async def later(w: World, **passed: float) -> None:
    """Let time pass, and what waits be looked through."""
    await w.clock.sleep(timedelta(**passed).total_seconds())
    await scheduler(w).start_due(w.clock.now())


async def test_it_starts_at_its_time_and_not_before(w: World):
    await w.good()
    newer = (await w.build()).release.id
    # It is noon in the world, and nobody has set a zone: UTC.
    asked = (await w.ask(newer, at="13:00")).promotion
    assert asked.phase is Phase.SCHEDULED
    assert asked.waits_for is not None
    assert asked.waits_for.at == w.clock.now().replace(hour=13, minute=0, second=0, microsecond=0)
    assert not await w.lines(asked.id)
    await later(w, minutes=30)
    assert (await w.store.read.promotion(asked.id)).phase is Phase.SCHEDULED
    await later(w, minutes=31)
    assert (await w.end(asked.id)).phase is Phase.RUNNING
    assert (await w.store.read.app("myapp")).active_release == newer


async def test_people_are_told_once_ten_minutes_before(w: World):
    release = (await w.build()).release.id
    asked = (await w.ask(release, at="13:00")).promotion
    await later(w, minutes=40)
    assert not (await w.store.read.promotion(asked.id)).waits_for.reminded
    await later(w, minutes=11)
    await later(w, minutes=1)
    assert (await w.store.read.promotion(asked.id)).waits_for.reminded
    cancelled = await w.decider.cancel(by(BOB), asked.id)
    assert str(ending(cancelled)) == "ERROR: cancelled by @u02bob, nothing was changed"
    await later(w, hours=1)
    assert (await w.store.read.promotion(asked.id)).phase is Phase.REFUSED


async def test_what_is_queued_starts_when_the_app_is_free_and_the_newest_is_kept(w: World):
    await w.good()
    slow, older, newer = [(await w.build()).release.id for _ in range(3)]
    w.cluster.behaves[slow] = lambda _: progressing(started=1)
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    with pytest.raises(Conflict, match="app is currently updating"):
        await w.ask(older)
    first = (await w.ask(older, queue=True)).promotion
    second = (await w.ask(newer, queue=True)).promotion
    again = await w.ask(newer, queue=True)
    assert (again.already_waiting, again.promotion.id) == (True, second.id)
    assert (await w.store.read.promotion(first.id)).phase is Phase.SUPERSEDED
    await scheduler(w).start_due(w.clock.now())
    assert (await w.store.read.promotion(second.id)).phase is Phase.SCHEDULED
    await w.decider.cancel(by(ALICE), flying.id)
    await w.end(flying.id)
    await scheduler(w).start_due(w.clock.now())
    assert (await w.end(second.id)).phase is Phase.RUNNING


async def test_whatever_is_queued_while_nothing_runs_starts_at_once(w: World):
    asked = (await w.ask((await w.build()).release.id, queue=True)).promotion
    assert (asked.phase, asked.waits_for) == (Phase.PENDING, None)
    assert (await w.end(asked.id)).phase is Phase.RUNNING


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_the_last_approval_starts_nothing_before_its_time(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    assert asked.phase is Phase.AWAITING_APPROVAL
    approved = (await w.decider.approve(by(BOB), asked.id)).promotion
    assert approved.phase is Phase.SCHEDULED
    await later(w, minutes=61)
    assert (await w.end(asked.id)).phase is Phase.RUNNING


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_an_approval_that_no_longer_counts_refuses_it_at_its_time(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    await w.decider.approve(by(BOB), asked.id)
    w.directory.guests = frozenset({"U02BOB"})
    await later(w, minutes=61)
    refused = await w.store.read.promotion(asked.id)
    assert refused.phase is Phase.REFUSED
    assert "an approval no longer counts: @u02bob" in str(refused.reason)


async def test_who_may_not_promote_any_more_promotes_nothing_at_its_time(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    w.policy = parse_policy("roles: {looker: [view]}\nmembers:\n  - {who: ['*'], roles: [looker]}\n")
    await later(w, minutes=61)
    refused = await w.store.read.promotion(asked.id)
    assert str(ending(refused)) == (
        "ERROR: refused, nothing was changed: @u01alice, who asked for it, may not promote it now: "
        "no role of the policy file has the verb promote"
    )


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_of_an_approval_that_lapsed_others_read_whose_it_was_and_why(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    await w.decider.approve(by(BOB), asked.id)
    roles = "roles: {lead: [view, promote, approve], looker: [view]}\nmembers:\n"
    grants = "  - {who: [U01ALICE], roles: [lead]}\n  - {who: [U02BOB], roles: [looker]}\n"
    w.policy = parse_policy(f"{roles}{grants}{ONE_APPROVAL}")
    await later(w, minutes=61)
    refused = await w.store.read.promotion(asked.id)
    assert str(refused.reason) == (
        "an approval no longer counts: @u02bob (they no longer have the role lead for myapp)"
    )


async def test_the_audit_says_what_a_request_waits_for(w: World):
    release = (await w.build()).release.id
    at = (await w.ask(release, at="13:00")).promotion.waits_for
    await w.ask(release)
    rows = await audit_rows(w.store)
    asked = [row for row in rows if row["action"] == "promote.request"]
    assert at is not None
    assert at.at is not None
    assert [json.loads(each["detail"])["waits_for"] for each in asked] == [f"time {at.at.isoformat()}", None]


async def test_what_went_on_hold_meanwhile_is_refused_with_the_reason(w: World):
    await w.good()
    bad = (await w.build()).release.id
    asked = (await w.ask(bad, at="13:00")).promotion
    w.cluster.behaves[bad] = lambda _: broken()
    newer = await w.promote(bad)
    assert newer.phase is Phase.REVERTED
    # The plain request took its place: it is the newer one.
    assert (await w.store.read.promotion(asked.id)).phase is Phase.SUPERSEDED
    again = (await w.ask(bad, at="13:00", anyway="to see")).promotion
    assert again.phase is Phase.SCHEDULED


async def test_nothing_starts_while_the_disk_is_nearly_full(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    await w.clock.sleep(3700)
    await scheduler(w, "the disk is nearly full").start_due(w.clock.now())
    assert (await w.store.read.promotion(asked.id)).phase is Phase.SCHEDULED


async def test_a_time_that_is_none_asks_for_nothing(w: World):
    release = (await w.build()).release.id
    with pytest.raises(Invalid, match="^not a time: tonight"):
        await w.ask(release, at="tonight")
    assert await w.store.read.awaiting("myapp") == []


async def test_whoever_queues_in_a_freeze_waits_for_its_end(w: World):
    release = (await w.build()).release.id
    until_ = w.clock.now() + timedelta(hours=2)
    async with w.store.transaction() as tx:
        await tx.save_freeze(Freeze(app="myapp", by=BOB, since=tx.now, until=until_, reason="sale"))
    asked = (await w.ask(release, queue=True)).promotion
    assert (asked.phase, asked.waits_for) == (Phase.SCHEDULED, WaitsFor(what="window", at=until_))
    await later(w, minutes=100)
    assert (await w.store.read.promotion(asked.id)).phase is Phase.SCHEDULED
    await later(w, minutes=21)
    assert (await w.end(asked.id)).phase is Phase.RUNNING


async def test_a_time_that_comes_in_a_freeze_is_refused_with_the_reason(w: World):
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    async with w.store.transaction() as tx:
        await tx.save_freeze(
            Freeze(app="myapp", by=BOB, since=tx.now, until=tx.now + timedelta(hours=5), reason="sale")
        )
    await later(w, minutes=61)
    refused = await w.store.read.promotion(asked.id)
    assert str(ending(refused)).startswith("ERROR: refused, nothing was changed: myapp is frozen by @u02bob")


async def busy(w: World) -> Promotion:
    """Return a rollout that goes on until it is cancelled, over a release that is good."""
    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing(started=1)
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    return flying


@pytest.mark.parametrize("ends", ["well", "cancelled"])
async def test_what_was_approved_to_follow_a_rollout_runs_however_that_ends(w: World, ends: str):
    flying = await busy(w)
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    next_ = (await w.build()).release.id
    queued = (await w.ask(next_, queue=True)).promotion
    assert queued.binding is not None
    assert queued.binding.follows == (flying.release,)
    assert (await w.decider.approve(by(BOB), queued.id)).promotion.phase is Phase.SCHEDULED
    if ends == "cancelled":
        await w.decider.cancel(by(ALICE), flying.id)
    else:
        del w.cluster.behaves[flying.release]
    assert (await w.end(flying.id)).phase is (Phase.RUNNING if ends == "well" else Phase.REVERTED)
    await scheduler(w).start_due(w.clock.now())
    assert (await w.end(queued.id)).phase is Phase.RUNNING


async def test_the_last_approval_may_come_once_the_rollout_before_it_is_over(w: World):
    flying = await busy(w)
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    queued = (await w.ask((await w.build()).release.id, queue=True)).promotion
    del w.cluster.behaves[flying.release]
    await w.end(flying.id)
    await w.decider.approve(by(BOB), queued.id)
    assert (await w.end(queued.id)).phase is Phase.RUNNING


async def test_what_became_active_in_another_way_voids_what_was_approved_to_follow(w: World):
    flying = await busy(w)
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    next_ = (await w.build()).release.id
    queued = (await w.ask(next_, queue=True)).promotion
    await w.decider.approve(by(BOB), queued.id)
    del w.cluster.behaves[flying.release]
    await w.end(flying.id)
    async with w.store.transaction() as tx:
        # No use case does so: whatever is promoted takes the place of what waits.
        await tx.save_app(replace(await tx.app("myapp"), active_release=next_))
    await scheduler(w).start_due(w.clock.now())
    refused = await w.store.read.promotion(queued.id)
    assert refused.phase is Phase.REFUSED
    assert f"and is {next_}; ask again" in str(refused.reason)


async def test_what_is_queued_in_a_freeze_and_asked_for_again_waits_once(w: World):
    release = (await w.build()).release.id
    until_ = w.clock.now() + timedelta(hours=2)
    async with w.store.transaction() as tx:
        await tx.save_freeze(Freeze(app="myapp", by=BOB, since=tx.now, until=until_, reason="sale"))
    asked = (await w.ask(release, queue=True)).promotion
    again = await w.ask(release, queue=True)
    assert (again.already_waiting, again.promotion.id) == (True, asked.id)
    assert str(confirmations.already_waiting(again.promotion)) == (
        f"{release} already waits: {asked.id} in #C1, for the end of the freeze; asked for by @u01alice"
    )
    async with w.store.transaction() as tx:
        # The freeze is made longer meanwhile: it is the same turn all the same.
        later_ = until_ + timedelta(hours=1)
        await tx.save_freeze(Freeze(app="myapp", by=BOB, since=tx.now, until=later_, reason="sale"))
    again = await w.ask(release, queue=True)
    assert (again.already_waiting, again.promotion.id) == (True, asked.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_waits_for_approval_is_asked_for_once_though_its_turn_has_come(w: World):
    release = (await w.build()).release.id
    asked = (await w.ask(release, queue=True)).promotion
    again = await w.ask(release, queue=True)
    assert (again.already_waiting, again.promotion.id) == (True, asked.id)
    timed = await w.ask(release, at="13:00")
    assert not timed.already_waiting


@pytest.mark.parametrize("count", [1, 2])
async def test_a_policy_that_wants_an_approval_by_now_keeps_back_what_needed_none(w: World, count: int):
    await w.good()
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    w.policy = parse_policy(ONE_APPROVAL.replace("count: 1", f"count: {count}"), open_to_all=True)
    await later(w, minutes=61)
    ended = await w.store.read.promotion(asked.id)
    assert ended.phase is Phase.REFUSED
    approvals = "1 approval" if count == 1 else "2 approvals"
    said = f"the policy wants {approvals} for it by now, and it was asked for with none; ask again"
    assert str(ended.reason) == said


async def test_what_a_token_asked_for_is_not_started_once_that_was_revoked(w: World):
    await w.good()
    await w.store.tokens.create("ci")
    release = (await w.build()).release.id
    robot = Actor("token", "ci", "ci")
    asked = (await w.ask(release, actor=robot, at="13:00")).promotion
    await w.clock.sleep(60)
    await w.store.tokens.revoke("ci")
    await w.store.tokens.create("ci")
    await later(w, minutes=61)
    ended = await w.store.read.promotion(asked.id)
    assert (ended.phase, str(ended.reason)) == (
        Phase.REFUSED,
        "token:ci, which asked for it, was revoked since",
    )


async def test_a_token_that_has_only_expired_or_was_made_anew_before_keeps_nothing_back(w: World):
    await w.good()
    await w.store.tokens.create("ci")
    await w.clock.sleep(1)
    await w.store.tokens.revoke("ci")
    await w.store.tokens.create("ci", expires_at=w.clock.now() + timedelta(minutes=10))
    await w.clock.sleep(1)
    asked = (
        await w.ask((await w.build()).release.id, actor=Actor("token", "ci", "ci"), at="13:00")
    ).promotion
    await w.clock.sleep(1200)
    await w.store.tokens.create("ci")
    await later(w, minutes=61)
    assert (await w.end(asked.id)).phase is Phase.RUNNING
