"""A freeze keeps what is new from an app: who is refused, who gets through, and what everybody is told."""

from datetime import timedelta
from typing import Any

import pytest

from core.actor import Actor, Caller
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from core.lifecycle.freezing import frozen
from core.policy.authorization import parse_policy
from core.policy.calendar import ZonedTime, parse_time
from core.promotion import Phase
from tests.core.world import ALICE, BOB, CAROL, ONE_APPROVAL, World, by
from tests.fakes import START

CI = Caller(actor=Actor("token", "ci", "ci"), source="http")
RIGHTS = """\
roles:
  developer: [view, build, promote, rollback, freeze, scale]
  lead: [promote, view]
  fireman: [break-glass]
members:
  - {who: [U01ALICE, U02BOB, "token:ci"], roles: [developer]}
  - {who: [U03CAROL], roles: [lead]}
  - {who: [U02BOB, "token:ci"], roles: [fireman]}
freezes:
  override: [lead]
"""
WINDOW = "  windows: [{from: 'Thu 11:00', to: 'Fri 08:00', reason: the night}]\n"


def until(text: str, zone: str = "UTC") -> ZonedTime:
    time = parse_time(text)
    assert time is not None
    return ZonedTime(time=time, zone=zone)


async def frozen_world(w: World, windows: str = WINDOW, more: str = "") -> str:
    """Return a release that is not promoted yet, in an app that is frozen by a window."""
    release = (await w.build()).release.id
    w.policy = parse_policy(RIGHTS + windows + more)
    return release


async def notices(w: World) -> list[str]:
    said = [str(each.said) for each in await w.store.outbox.notices.due()]
    return [each for each in said if not each.startswith("Build ")]


async def test_in_a_window_a_promote_is_refused_with_who_why_and_until_when(w: World):
    release = await frozen_world(w)
    with pytest.raises(Conflict) as refused:
        await w.ask(release)
    assert str(refused.value) == "myapp is frozen by the policy until Fri 2 Jan 08:00 (UTC): “the night”"
    assert str(refused.value.hint) == (
        f"`releases promote {release} -a myapp --queue` starts it when the freeze is over; in an emergency,"
        f' whoever has break-glass: `releases promote {release} -a myapp --break-glass "reason"`'
    )
    w.clock.jump(20 * 3600)
    assert (await w.promote(release)).phase is Phase.RUNNING


async def test_a_role_that_the_policy_names_promotes_through_it_and_the_card_says_so(w: World):
    release = await frozen_world(w)
    promotion = await w.promote(release, actor=CAROL)
    assert promotion.phase is Phase.RUNNING
    assert [str(each) for each in promotion.through] == [
        "myapp is frozen by the policy until Fri 2 Jan 08:00 (UTC): “the night” (promoted all the same by the role lead)"
    ]
    assert promotion.break_glass is None


async def test_going_back_to_what_was_verified_is_never_frozen_but_to_what_never_ran_it_is(w: World):
    first, _ = await w.good(), await w.good(text=None)
    never = (await w.build()).release.id
    w.policy = parse_policy(RIGHTS + WINDOW)
    with pytest.raises(Conflict, match="myapp is frozen"):
        await w.ask(never, kind="rollback")
    assert (await w.promote(first, kind="rollback")).phase is Phase.RUNNING


async def test_a_restart_is_not_kept_by_a_freeze(w: World):
    await w.good()
    w.policy = parse_policy(RIGHTS + WINDOW)
    assert (await w.promote(restart=())).phase is Phase.RUNNING


async def test_a_freeze_that_somebody_calls_names_them_and_ends_by_itself(w: World):
    release = await frozen_world(w, windows="")
    made = await w.freezer.freeze(
        by(ALICE), "myapp", reason="the  launch", until=until("18:00", "Europe/Berlin")
    )
    said = "myapp is frozen by @u01alice until Thu 1 Jan 18:00 (Europe/Berlin): “the launch”"
    assert str(made.sentence) == said
    with pytest.raises(Conflict, match="myapp is frozen by @u01alice"):
        await w.ask(release)
    w.clock.jump(5 * 3600)
    assert (await w.promote(release)).phase is Phase.RUNNING


async def test_a_freeze_without_an_end_lasts_until_somebody_ends_it_and_the_channel_is_told_of_both(w: World):
    release = await frozen_world(w, windows="")
    await w.freezer.freeze(by(ALICE), "myapp", reason="the launch", until=None)
    w.clock.jump(365 * 86400)
    with pytest.raises(Conflict, match="myapp is frozen by @u01alice: “the launch”"):
        await w.ask(release)
    assert await w.freezer.unfreeze(by(BOB), "myapp") is None
    assert await notices(w) == [
        "myapp is frozen by @u01alice: “the launch”",
        "myapp is no longer frozen: ended by @u02bob",
    ]
    assert (await w.promote(release)).phase is Phase.RUNNING


async def test_every_app_is_frozen_at_once_by_whoever_has_the_right_for_all(w: World):
    release = await frozen_world(w, windows="")
    await w.freezer.freeze(by(ALICE), "*", reason="the launch", until=None)
    with pytest.raises(Conflict, match=r"every app is frozen, myapp too, by @u01alice: “the launch”"):
        await w.ask(release)
    with pytest.raises(Conflict) as refused:
        await w.freezer.unfreeze(by(ALICE), "myapp")
    assert str(refused.value.hint) == "`unfreeze *` ends it"
    await w.freezer.unfreeze(by(ALICE), "*")
    assert frozen(w.policy, await w.store.read.freezes(), "myapp", w.clock.now()) is None
    w.policy = parse_policy(RIGHTS.replace("roles: [developer]", "roles: [developer], apps: [myapp]"))
    with pytest.raises(Forbidden, match=r"^you may not freeze every app"):
        await w.freezer.freeze(by(ALICE), "*", reason="x", until=None)


async def test_what_cannot_be_frozen_is_refused(w: World):
    with pytest.raises(NotFound, match="app not found: nope"):
        await w.freezer.freeze(by(ALICE), "nope", reason="x", until=None)
    with pytest.raises(Invalid, match="a freeze has a reason"):
        await w.freezer.freeze(by(ALICE), "myapp", reason=" ", until=None)
    with pytest.raises(Invalid, match="2025-12-31 08:00 UTC is over"):
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=until("2025-12-31 08:00"))
    with pytest.raises(Conflict, match="myapp is not frozen"):
        await w.freezer.unfreeze(by(ALICE), "myapp")
    with pytest.raises(Conflict, match="every app is not frozen"):
        await w.freezer.unfreeze(by(ALICE), "*")


async def test_nothing_is_written_on_a_full_disk(w: World):
    w.freezer._why_not_startable = lambda: "the disk is full"
    with pytest.raises(Unavailable):
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)


async def test_a_window_is_not_ended_by_unfreeze_and_what_still_freezes_is_told(w: World):
    await frozen_world(w)
    with pytest.raises(Conflict) as refused:
        await w.freezer.unfreeze(by(ALICE), "myapp")
    assert str(refused.value.hint) == "that window stands in the policy file"
    await w.freezer.freeze(by(ALICE), "myapp", reason="the launch", until=None)
    left = await w.freezer.unfreeze(by(ALICE), "myapp")
    assert left is not None
    assert left.by is None


async def test_what_freezes_one_after_the_other_is_over_when_the_last_is(w: World):
    await frozen_world(w)
    await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=until("Fri 07:00"))
    told = frozen(w.policy, await w.store.read.freezes(), "myapp", w.clock.now())
    assert told is not None
    assert told.until == START + timedelta(hours=20)


async def test_an_endless_row_of_windows_has_no_end(w: World):
    await frozen_world(w, "  windows: [{from: '00:00', to: '12:30'}, {from: '12:00', to: '00:30'}]\n")
    told = frozen(w.policy, (), "myapp", w.clock.now())
    assert told is not None
    assert told.until is None


async def test_whoever_breaks_the_glass_gets_through_and_channel_and_audit_are_told(w: World):
    release = await frozen_world(w, more=ONE_APPROVAL)
    promotion = (await w.ask(release, actor=BOB, break_glass="checkout is down")).promotion
    assert promotion.phase is Phase.PENDING
    assert promotion.break_glass == "checkout is down"
    assert await notices(w) == [
        (
            f"@u02bob broke the glass: {release} goes out to myapp although myapp is frozen by the policy until"
            " Fri 2 Jan 08:00 (UTC): “the night” and although 1 approval is missing; the reason: “checkout is down”"
        )
    ]
    assert (await w.end(promotion.id)).phase is Phase.RUNNING


async def test_glass_takes_the_place_of_what_waits_for_approval(w: World):
    release = await frozen_world(w, windows="", more=ONE_APPROVAL)
    waiting = (await w.ask(release)).promotion
    assert waiting.phase is Phase.AWAITING_APPROVAL
    assert (await w.promote(release, actor=BOB, break_glass="it burns")).phase is Phase.RUNNING
    assert (await w.store.read.promotion(waiting.id)).phase is Phase.SUPERSEDED


async def test_where_nothing_is_in_the_way_no_glass_is_broken(w: World):
    release = await frozen_world(w, windows="")
    assert (await w.promote(release, actor=BOB, break_glass="it burns")).break_glass is None
    assert await notices(w) == []


async def test_glass_is_for_people_with_the_right_and_never_for_a_token(w: World):
    release = await frozen_world(w)
    with pytest.raises(
        Forbidden, match="^you may not break the glass for myapp: that needs the role fireman"
    ):
        await w.ask(release, break_glass="it burns")
    with pytest.raises(Forbidden, match="may not break the glass: only a person can$"):
        await w.ask(release, actor=CI.actor, break_glass="it burns")


async def test_the_last_approval_is_refused_during_a_freeze_and_the_promotion_goes_on_waiting(w: World):
    release = await frozen_world(
        w, windows="", more=ONE_APPROVAL.replace("count: 1", "count: 2, from: [U02BOB, U03CAROL, U04DAVE]")
    )
    waiting = (await w.ask(release)).promotion
    w.policy = parse_policy(
        RIGHTS + WINDOW + ONE_APPROVAL.replace("count: 1", "count: 2, from: [U02BOB, U03CAROL, U04DAVE]")
    )
    await w.decider.approve(by(BOB), waiting.id)
    dave = Actor("slack", "U04DAVE", "u04dave")
    with pytest.raises(Conflict, match="myapp is frozen") as refused:
        await w.decider.approve(by(dave), waiting.id)
    assert str(refused.value.hint) == f"{waiting.id} goes on waiting: approve it when the freeze is over"
    assert (await w.store.read.promotion(waiting.id)).phase is Phase.AWAITING_APPROVAL
    # One of the roles that override it may.
    assert (await w.decider.approve(by(CAROL), waiting.id)).missing == 0
    await w.idle()


@pytest.mark.parametrize("how", [{"queue": True}, {"at": "tomorrow 09:00"}])
async def test_what_waits_goes_through_no_freeze_whoever_asked_for_it(w: World, how: dict[str, Any]):
    release = await frozen_world(w)
    asked = (await w.ask(release, actor=CAROL, **how)).promotion
    assert (asked.phase, asked.through) == (Phase.SCHEDULED, ())


async def test_the_last_approval_during_a_freeze_is_taken_of_what_waits_for_its_end(w: World):
    release = await frozen_world(w, more=ONE_APPROVAL.replace("count: 1", "count: 1, from: [U02BOB]"))
    asked = (await w.ask(release, queue=True)).promotion
    assert (asked.phase, asked.through) == (Phase.AWAITING_APPROVAL, ())
    approved = (await w.decider.approve(by(BOB), asked.id)).promotion
    assert approved.phase is Phase.SCHEDULED


@pytest.mark.parametrize(("passed", "taken"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)])
async def test_the_last_approval_of_what_has_a_time_starts_nothing_during_a_freeze(
    w: World, passed: timedelta, taken: bool
):
    """Before its time it is asked about again then; once that is past, nothing but the approval would be in its way."""
    rules = ONE_APPROVAL.replace("count: 1", "count: 1, from: [U02BOB]")
    release = await frozen_world(w, windows="", more=rules)
    asked = (await w.ask(release, at="13:00")).promotion
    w.policy = parse_policy(RIGHTS + WINDOW + rules)
    w.clock.jump(passed.total_seconds())
    if taken:
        assert (await w.decider.approve(by(BOB), asked.id)).promotion.phase is Phase.SCHEDULED
        return
    with pytest.raises(Conflict, match="myapp is frozen"):
        await w.decider.approve(by(BOB), asked.id)
    assert (await w.store.read.promotion(asked.id)).phase is Phase.AWAITING_APPROVAL


async def test_whoami_names_break_glass_only_where_it_is_of_use(w: World):
    async def verbs(actor: Actor) -> tuple[str, ...]:
        told = await w.explainer.whoami(Caller(actor=actor, source="slack"))
        return dict(told.rights).get("myapp", ())

    w.policy = parse_policy(RIGHTS)
    assert "break-glass" in await verbs(BOB)
    assert "break-glass" not in await verbs(CI.actor)
    w.policy = parse_policy(
        RIGHTS.replace("roles: [lead]", "roles: [fireman]").replace("override: [lead]", "override: []")
    )
    assert await verbs(CAROL) == ()


async def test_a_time_without_a_zone_is_in_that_of_who_freezes_and_the_answer_says_so(w: World):
    release = await frozen_world(w, windows="")
    w.directory.zones = {ALICE.id: "America/New_York", BOB.id: "Europe/Atlantis"}
    assert await w.freezer.zone(by(ALICE), "myapp") == "America/New_York"
    made = await w.freezer.freeze(by(ALICE), "myapp", reason="the launch", until=until("18:00", ""))
    assert str(made.sentence) == (
        "myapp is frozen by @u01alice until Thu 1 Jan 18:00 (America/New_York): “the launch”"
    )
    w.clock.jump(10 * 3600)  # 22:00 UTC, and 17:00 there
    with pytest.raises(Conflict, match="myapp is frozen"):
        await w.ask(release)
    w.clock.jump(3600)
    assert (await w.promote(release)).phase is Phase.RUNNING
    # What nobody here knows is UTC, as in a terminal.
    made = await w.freezer.freeze(by(BOB), "myapp", reason="x", until=until("23:30", ""))
    assert made.zone == "UTC"


async def test_a_freeze_may_begin_later_and_ends_none_that_is_on(w: World):
    release = await frozen_world(w, windows="")
    made = await w.freezer.freeze(
        by(ALICE), "myapp", reason="sale", begins=until("14:00"), until=until("13:00")
    )
    assert str(made.sentence) == (
        "myapp will be frozen by @u01alice from Thu 1 Jan 14:00 (UTC) until Fri 2 Jan 13:00 (UTC): “sale”"
    )
    assert (await w.promote(release)).phase is Phase.RUNNING
    w.clock.jump(2 * 3600)
    with pytest.raises(Conflict, match="myapp is frozen by @u01alice"):
        await w.ask((await w.build()).release.id)
    with pytest.raises(Conflict, match="^myapp is frozen now by @u01alice") as refused:
        await w.freezer.freeze(by(BOB), "myapp", reason="x", begins=until("20:00"), until=None)
    assert str(refused.value.hint) == "end that first: `unfreeze myapp`"
    await w.freezer.unfreeze(by(BOB), "myapp")
    await w.freezer.freeze(by(BOB), "*", reason="x", begins=until("23:00"), until=None)
    assert (
        str((await notices(w))[-1]) == "every app will be frozen by @u02bob from Thu 1 Jan 23:00 (UTC): “x”"
    )
    # What lies ahead is called off as well.
    assert await w.freezer.unfreeze(by(BOB), "*") is None
    with pytest.raises(Conflict, match="is not frozen"):
        await w.freezer.unfreeze(by(BOB), "*")


async def test_a_freeze_that_begins_later_is_told_of_again_when_it_begins_once(w: World):
    await frozen_world(w, windows="")
    await w.freezer.freeze(by(ALICE), "myapp", reason="sale", begins=until("14:00"), until=until("18:00"))
    await w.freezer.freeze(by(ALICE), "*", reason="night", begins=until("13:00"), until=until("13:30"))
    called = await notices(w)
    await w.freezer.tell_begun(w.clock.now())
    assert await notices(w) == called
    w.clock.jump(3 * 3600)
    await w.freezer.tell_begun(w.clock.now())
    await w.freezer.tell_begun(w.clock.now())
    # The one of all apps is over: nobody is told of what nobody met.
    assert await notices(w) == [*called, "myapp is frozen by @u01alice until Thu 1 Jan 18:00 (UTC): “sale”"]
    assert not any(each.to_tell for each in await w.store.read.freezes())


async def test_a_freeze_of_all_apps_is_told_of_in_each_channel_when_it_begins(w: World):
    await frozen_world(w, windows="")
    await w.freezer.freeze(by(ALICE), "*", reason="night", begins=until("13:00"), until=None)
    called = await notices(w)
    w.clock.jump(3600)
    await w.freezer.tell_begun(w.clock.now())
    assert (await notices(w))[len(called) :] == ["every app is frozen by @u01alice: “night”"]
