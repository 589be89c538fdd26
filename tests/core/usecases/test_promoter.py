"""Asking, approving, declining, cancelling, taking over: on the real store."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.actor import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound, UserError
from core.lifecycle.gate import lapsed_approvals
from core.lifecycle.outcome import ending
from core.policy.authorization import Policy, parse_policy
from core.promotion import Phase
from tests.core.world import ALICE, BOB, CAROL, ONE_APPROVAL, World, by, manifest, until, world
from tests.fakes import broken, progressing
from tests.soak import times

TWO_APPROVALS = ONE_APPROVAL.replace("count: 1", "count: 2")


# Whoever is to drive what has started, and does not.
NOBODY = type("Nobody", (), {"drive": lambda self, promotion: None, "wake": lambda self, app: None})()


async def test_without_an_id_the_newest_release_not_on_hold_goes_out(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    request = await w.ask()
    assert request.promotion.release == good
    assert request.skipped == f"{bad} is on hold and was skipped"
    await w.end(request.promotion.id)


async def test_no_release_at_all_is_said_in_convox_words(w: World):
    with pytest.raises(NotFound, match="^no releases to promote$"):
        await w.ask()


async def test_a_release_without_a_build_cannot_be_promoted(w: World):
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("FOO", "bar")])
    with pytest.raises(Invalid, match="^can not promote a release with an empty manifest$"):
        await w.ask(made.release.id)


async def test_an_older_release_is_refused_with_the_rollback_to_type(w: World):
    old = await w.good()
    await w.good()
    with pytest.raises(Invalid, match="^can not promote an older release, try rollback$") as refused:
        await w.ask(old)
    assert str(refused.value.hint) == f"`releases rollback {old} -a myapp`"


async def test_while_a_rollout_runs_a_promote_is_refused_with_the_holder(w: World):
    slow = (await w.build()).release.id
    first = await w.ask(slow)
    with pytest.raises(Conflict, match="^app is currently updating: @u01alice promotes " + slow):
        await w.ask(actor=BOB)
    await w.end(first.promotion.id)


async def test_the_guards_come_in_convoxs_order(w: World):
    """App, then busy, then release, then manifest, then older, then hold; --force skips the busy guard alone."""
    empty = (await w.registrar.set_environment(by(ALICE), "myapp", [("FOO", "bar")])).release.id
    old = await w.good()
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    with pytest.raises(NotFound, match="^app not found: other$"):
        await w.ask(old, app="other")
    flying = await w.ask(slow)
    for release in ("RZZZZZZZZZZ", empty, old, bad):
        with pytest.raises(Conflict, match="^app is currently updating"):
            await w.ask(release)
    with pytest.raises(NotFound, match="^no such release: RZZZZZZZZZZ$"):
        await w.ask("RZZZZZZZZZZ", force=True)
    with pytest.raises(Invalid, match="^can not promote a release with an empty manifest$"):
        await w.ask(empty, force=True)
    with pytest.raises(Invalid, match="^can not promote an older release, try rollback$"):
        await w.ask(old, force=True, anyway="really")
    with pytest.raises(Conflict, match=f"^{bad} is on hold"):
        await w.ask(bad, force=True)
    with pytest.raises(Conflict, match=f"^{bad} is on hold"):
        await w.ask(bad, force=True, anyway="")
    assert (await w.store.read.in_flight("myapp")).id == flying.promotion.id
    await w.decider.cancel_app(by(ALICE), "myapp")
    await w.end(flying.promotion.id)


@pytest.mark.soak
async def test_of_many_promotes_in_one_instant_exactly_one_runs(w: World):
    many = times(100, soak=1000)
    release = (await w.build()).release.id
    answers = await asyncio.gather(*(w.ask(release) for _ in range(many)), return_exceptions=True)
    started = [a for a in answers if not isinstance(a, BaseException)]
    refused = [a for a in answers if isinstance(a, Conflict)]
    assert (len(started), len(refused)) == (1, many - 1)
    assert all("app is currently updating: @u01alice" in str(r) for r in refused)
    await w.end(started[0].promotion.id)


@pytest.mark.soak
async def test_two_promotes_in_one_instant_again_and_again(w: World):
    releases = [(await w.build()).release.id for _ in range(2)]
    # Nobody drives: the one that was accepted stays Pending until it is cancelled.
    w.decider._runner = NOBODY
    for _ in range(times(20, soak=1000)):
        answers = await asyncio.gather(
            *(w.ask(r, actor=a) for r, a in zip(releases, (ALICE, BOB), strict=True)),
            return_exceptions=True,
        )
        (started,) = [a for a in answers if not isinstance(a, BaseException)]
        (refused,) = [a for a in answers if isinstance(a, Conflict)]
        holder = started.promotion
        assert f"{holder.requested_by.plain} promotes {holder.release}" in str(refused)
        await w.decider.cancel_app(by(CAROL), "myapp")


async def test_a_rollback_to_a_release_that_failed_is_refused(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    with pytest.raises(Conflict, match=f"^{bad} is on hold"):
        await w.ask(bad, kind="rollback")


async def test_a_rollback_that_is_declined_withdraws_nothing(w: World):
    good = await w.good()
    never = (await w.build()).release.id
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    request = await w.ask(never, kind="rollback")
    await w.decider.decline(by(BOB), request.promotion.id)
    assert not (await w.store.read.release_status(good)).withdrawn


async def test_a_held_release_needs_a_reason(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    with pytest.raises(Conflict, match=f"^{bad} is on hold: its rollout failed: image"):
        await w.ask(bad)
    del w.cluster.behaves[bad]
    promotion = await w.promote(bad, anyway="the registry was mended")
    assert promotion.phase is Phase.RUNNING
    assert (await w.store.read.release_status(bad)).held is None


async def test_a_held_build_is_held_in_every_release_of_it(w: World):
    await w.good()
    made = await w.build()
    w.cluster.behaves[made.release.id] = lambda _: broken()
    await w.promote(made.release.id)
    changed = await w.registrar.set_environment(by(ALICE), "myapp", [("FOO", "bar")])
    assert changed.release.build != made.release.build, "a change forks the newest release not on hold"
    assert made.release.id in changed.skipped


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_an_approval_by_somebody_else_starts_the_rollout(w: World):
    request = await w.ask((await w.build()).release.id)
    assert request.promotion.phase is Phase.AWAITING_APPROVAL
    with pytest.raises(Forbidden, match="you asked for it"):
        await w.decider.approve(by(ALICE), request.promotion.id)
    approved = (await w.decider.approve(by(BOB), request.promotion.id)).promotion
    assert approved.phase is Phase.PENDING
    assert (await w.end(request.promotion.id)).phase is Phase.RUNNING


@pytest.mark.world(policy=ONE_APPROVAL + "    unpinned: true\n")
async def test_a_tag_that_the_policy_allows_no_longer_is_refused_with_the_last_approval(w: World):
    tagged = await w.build(text=manifest().replace("@sha256:" + "0" * 64, ":v1"))
    request = await w.ask(tagged.release.id)
    assert request.promotion.phase is Phase.AWAITING_APPROVAL
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    with pytest.raises(Conflict, match="its images are not pinned by digest: web; build it with"):
        await w.decider.approve(by(BOB), request.promotion.id)
    assert (await w.store.read.promotion(request.promotion.id)).phase is Phase.REFUSED


async def test_a_persons_rollback_overwrites_what_another_tool_has_set(w: World):
    first, _ = await w.good(), await w.good()
    w.cluster.requests.clear()
    rollback = await w.promote(first, kind="rollback")
    assert rollback.phase is Phase.RUNNING
    sent = [r for r in w.cluster.requests if r.startswith(("preflight", "apply"))]
    assert sent
    assert all(request.endswith(f"{rollback.release} forced") for request in sent)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_late_click_is_told_who_was_first(w: World):
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    with pytest.raises(Conflict, match="^already approved by @u02bob at 12:00 UTC$"):
        await w.decider.approve(by(CAROL), request.promotion.id)
    await w.end(request.promotion.id)


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_a_late_click_is_told_what_became_of_it(w: World):
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    await w.decider.cancel_app(by(ALICE), "myapp")
    with pytest.raises(Conflict, match=r"^P\w+ was cancelled by @u01alice at 12:00 UTC$"):
        await w.decider.approve(by(CAROL), request.promotion.id)
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    newer = await w.ask((await w.build()).release.id, actor=CAROL)
    superseded = f"was superseded by {newer.promotion.release} at 12:00 UTC, asked for by @u03carol"
    with pytest.raises(Conflict, match=superseded):
        await w.decider.decline(by(ALICE), request.promotion.id)


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_whoever_has_approved_is_told_how_to_stop_it(w: World):
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    with pytest.raises(Conflict, match="^you have already approved P") as refusal:
        await w.decider.decline(by(BOB), request.promotion.id)
    assert str(refusal.value.hint) == "`apps cancel myapp` stops it for everybody"


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_an_approval_of_a_token_is_answered_while_slack_is_down(w: World):
    request = await w.ask((await w.build()).release.id)
    w.directory.down = True
    with pytest.raises(Forbidden, match="only a person can approve"):
        await w.decider.approve(by(Actor("token", "ci", "ci")), request.promotion.id)
    with pytest.raises(Forbidden, match="^I cannot check whether you may approve promotions of myapp"):
        await w.decider.approve(by(BOB), request.promotion.id)


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_one_person_fills_one_seat(w: World):
    request = await w.ask((await w.build()).release.id)
    assert (await w.decider.approve(by(BOB), request.promotion.id)).promotion.phase is Phase.AWAITING_APPROVAL
    with pytest.raises(UserError, match="already approved"):
        await w.decider.approve(by(BOB), request.promotion.id)
    assert (await w.decider.approve(by(CAROL), request.promotion.id)).promotion.phase is Phase.PENDING
    await w.end(request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_token_never_fills_a_seat(w: World):
    request = await w.ask((await w.build()).release.id)
    with pytest.raises(Forbidden, match="only a person can approve"):
        await w.decider.approve(by(Actor("token", "ci", "ci")), request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_decline_without_a_reason_is_no_cancelling(w: World):
    request = await w.ask((await w.build()).release.id)
    declined = await w.decider.decline(by(BOB), request.promotion.id)
    assert (declined.declined_by.id, declined.cancelled_by) == (BOB.id, None)
    assert str(ending(declined)) == "ERROR: declined by @u02bob"


async def test_who_cancelled_stays_known_when_somebody_else_takes_over(w: World):
    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    running = (await w.ask(slow)).promotion
    await until(w, running.id, Phase.UPDATING)
    await w.decider.cancel_app(by(BOB), "myapp")
    newer = await w.ask((await w.build()).release.id, actor=ALICE, force=True)
    ended = await w.end(running.id)
    assert (ended.phase, ended.superseded_by) == (Phase.SUPERSEDED, newer.promotion.release)
    assert (ended.cancelled_by.id, ended.taken_over_by.id) == (BOB.id, ALICE.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_decline_ends_it_for_everybody_with_its_reason(w: World):
    request = await w.ask((await w.build()).release.id)
    declined = await w.decider.decline(by(BOB), request.promotion.id, "not on a Friday")
    assert str(ending(declined)) == "ERROR: declined by @u02bob: not on a Friday"
    with pytest.raises(Conflict, match="already declined by @u02bob"):
        await w.decider.approve(by(CAROL), request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_an_approval_that_comes_too_late_is_expired_before_it_counts(w: World):
    request = await w.ask((await w.build()).release.id)
    w.clock.jump(86401)
    with pytest.raises(Conflict, match="has expired"):
        await w.decider.approve(by(BOB), request.promotion.id)
    assert (await w.store.read.promotion(request.promotion.id)).phase is Phase.EXPIRED


@pytest.mark.parametrize("deed", ["decline", "cancel", "ask again"])
@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_has_expired_is_expired_before_any_click(w: World, deed: str):
    """The bot was down when the time was over, and a person comes before the clearing-up."""
    release = (await w.build()).release.id
    request = await w.ask(release)
    w.clock.jump(86401)
    if deed == "decline":
        with pytest.raises(Conflict, match="has expired: nobody can approve it any more"):
            await w.decider.decline(by(BOB), request.promotion.id)
    elif deed == "cancel":
        with pytest.raises(Conflict, match="^app is not updating$"):
            await w.decider.cancel_app(by(BOB), "myapp")
    else:
        again = await w.ask(release)
        assert not again.already_waiting
        assert again.promotion.id != request.promotion.id
    assert (await w.store.read.promotion(request.promotion.id)).phase is Phase.EXPIRED


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_nobody_can_see_does_not_wait_for_an_approval(w: World):
    release = (await w.build()).release.id
    first = await w.ask(release)
    await w.store.outbox.card_failed(first.promotion.id, "not_in_channel")
    # The bot was invited meanwhile; the same release again is a new request, since the card of the first is lost.
    second = await w.ask(release)
    assert not second.already_waiting
    refused = await w.store.read.promotion(first.promotion.id)
    assert (refused.phase, str(refused.reason)) == (
        Phase.REFUSED,
        "I am not in this channel: /invite @convox",
    )


async def test_a_reason_without_a_hold_is_not_told_as_one(w: World):
    request = await w.ask((await w.build()).release.id, anyway="just in case")
    assert request.promotion.anyway is None
    await w.end(request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_nobody_in_time_expires_by_itself(w: World, monkeypatch: pytest.MonkeyPatch):
    request = await w.ask((await w.build()).release.id)
    await w.decider.expire(w.clock.now())
    assert (await w.store.read.promotion(request.promotion.id)).phase is Phase.AWAITING_APPROVAL
    monkeypatch.setattr(w.store, "transaction", None)
    await w.decider.expire(w.clock.now())  # to look through what waits locks nothing
    monkeypatch.undo()
    w.clock.jump(86401)
    await w.decider.expire(w.clock.now())
    expired = await w.store.read.promotion(request.promotion.id)
    assert str(ending(expired)) == "ERROR: approval expired"


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_what_was_approved_runs_or_nothing_does(w: World):
    """The active release changes between the first and the last approval, so the last one starts nothing."""
    first = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), first.promotion.id)
    async with w.store.transaction() as tx:
        app = await tx.app("myapp")
        await tx.save_app(replace(app, namespace_uid="somewhere-else"))
    with pytest.raises(Conflict, match="was refused: what was approved has changed since"):
        await w.decider.approve(by(CAROL), first.promotion.id)
    ended = await w.end(first.promotion.id)
    assert ended.phase is Phase.REFUSED
    assert "what was approved has changed since: the namespace was none and is somewhere-else" in str(
        ended.reason
    )
    assert not [r for r in w.cluster.requests if r.startswith("apply")]


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_an_approver_who_lost_the_right_no_longer_counts_at_the_last_approval(w: World):
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    w.directory.guests = frozenset({BOB.id})
    with pytest.raises(Conflict, match="was refused: an approval no longer counts"):
        await w.decider.approve(by(CAROL), request.promotion.id)
    ended = await w.end(request.promotion.id)
    assert ended.phase is Phase.REFUSED
    assert str(ended.reason) == "an approval no longer counts: @u02bob (guests may not do this)"


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_an_approver_whom_the_rule_names_no_longer_does_not_count_any_more(w: World):
    request = await w.ask((await w.build()).release.id)
    await w.decider.approve(by(BOB), request.promotion.id)
    named = TWO_APPROVALS.replace("count: 2", "count: 2, from: [U01ALICE, U03CAROL]")
    w.policy = parse_policy(named, open_to_all=True)
    with pytest.raises(Conflict, match=r"no longer counts: @u02bob \(.*wants one of @U03CAROL for"):
        await w.decider.approve(by(CAROL), request.promotion.id)


def seated(*seats: str) -> Policy:
    listed = ", ".join(f"{{from: [{who}]}}" for who in seats)
    return parse_policy(TWO_APPROVALS.replace("{count: 2}", f"{{seats: [{listed}]}}"), open_to_all=True)


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_two_who_sit_on_one_seat_by_now_are_one_approval(w: World):
    w.policy = seated("U02BOB, U03CAROL", "U02BOB, U03CAROL")
    asked = (await w.ask((await w.build()).release.id, at="13:00")).promotion
    for each in (BOB, CAROL):
        approved = await w.decider.approve(by(each), asked.id)
    assert approved.promotion.phase is Phase.SCHEDULED
    w.policy = seated("U05DAVE", "U02BOB, U03CAROL")
    told = await lapsed_approvals(w.store.read, w.decider._access, approved.promotion)
    assert str(told).startswith("an approval no longer counts: @u03carol (")
    assert "every seat that they could fill is taken; it still needs @U05DAVE" in str(told)
    # Somebody who can move to another seat keeps nobody out.
    w.policy = seated("U02BOB, U03CAROL", "U02BOB")
    assert not await lapsed_approvals(w.store.read, w.decider._access, approved.promotion)


@pytest.mark.parametrize("change", ["right", "namespace"])
@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_was_approved_is_looked_at_again_when_it_starts(w: World, change: str):
    request = await w.ask((await w.build()).release.id)
    # As after a crash: approved, and not driven yet.
    w.decider._runner = NOBODY
    approved = (await w.decider.approve(by(BOB), request.promotion.id)).promotion
    assert approved.phase is Phase.PENDING
    if change == "right":
        w.directory.guests = frozenset({BOB.id})
    else:
        async with w.store.transaction() as tx:
            await tx.save_app(replace(await tx.app("myapp"), namespace_uid="somewhere-else"))
    w.supervisor.drive(approved)
    ended = await w.end(request.promotion.id)
    assert (ended.phase, ended.touched_at) == (Phase.REFUSED, None)
    told = {
        "right": "an approval no longer counts: @u02bob",
        "namespace": "what was approved has changed",
    }
    assert str(ended.reason).startswith(told[change])
    assert not [r for r in w.cluster.requests if r.startswith("apply")]


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_images_by_tag_are_refused_where_approvals_are_asked(w: World):
    text = "services:\n  web:\n    image: registry.example/web:v1\n    port: 3000\n"
    made = await w.build(text=text)
    with pytest.raises(Forbidden, match="not pinned by digest: web$"):
        await w.ask(made.release.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_the_same_release_again_points_to_the_card_that_waits(w: World):
    release = (await w.build()).release.id
    first, second = await w.ask(release), await w.ask(release, actor=BOB)
    assert second.already_waiting
    assert second.promotion.id == first.promotion.id


@pytest.mark.world(policy=TWO_APPROVALS)
async def test_a_force_that_comes_later_holds_while_nobody_has_approved(w: World):
    release = (await w.build()).release.id
    first = (await w.ask(release)).promotion
    forced = (await w.ask(release, force=True)).promotion
    assert (forced.id, forced.force, forced.revision > first.revision) == (first.id, True, True)
    other = (await w.build()).release.id
    waiting = (await w.ask(other)).promotion
    await w.decider.approve(by(BOB), waiting.id)
    assert not (await w.ask(other, force=True)).promotion.force, "it was approved without"


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_newer_request_supersedes_one_that_waits(w: World):
    first = await w.ask((await w.build()).release.id)
    second = await w.ask((await w.build()).release.id)
    older = await w.store.read.promotion(first.promotion.id)
    assert older.phase is Phase.SUPERSEDED
    assert older.superseded_by == second.promotion.release


async def test_a_rollback_to_a_verified_release_needs_no_approval(w: World):
    good = await w.good()
    await w.good()
    w.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    request = await w.ask(good, actor=BOB, kind="rollback")
    assert request.promotion.approvals_needed == 0
    assert request.rolled_back_to == good
    assert (await w.end(request.promotion.id)).phase is Phase.RUNNING
    copy = await w.store.read.release("myapp", request.promotion.release)
    assert copy.description == f"rollback to {good}"


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_rollback_to_a_release_that_never_ran_needs_promotes_approvals(w: World):
    request = await w.ask((await w.build()).release.id, kind="rollback")
    assert request.promotion.phase is Phase.AWAITING_APPROVAL


async def test_what_a_person_turned_away_from_is_never_an_automatic_target(w: World):
    first, second = await w.good(), await w.good()
    copy = (await w.ask(first, kind="rollback")).promotion
    await w.end(copy.id)
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    ended = await w.promote(bad)
    assert ended.back_to == copy.release
    assert (await w.store.read.release_status(second)).withdrawn


async def test_a_refused_rollback_leaves_no_release_behind(w: World):
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("FOO", "bar")])
    with pytest.raises(Invalid, match="empty manifest"):
        await w.ask(made.release.id, kind="rollback")
    assert [r.id for r in await w.store.read.releases("myapp", 9)] == [made.release.id]


async def test_cancel_with_nothing_running_says_so(w: World):
    with pytest.raises(Conflict, match="^app is not updating$"):
        await w.decider.cancel_app(by(ALICE), "myapp")


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_cancel_of_a_waiting_promotion_changes_nothing(w: World):
    await w.ask((await w.build()).release.id)
    cancelled = await w.decider.cancel_app(by(BOB), "myapp")
    assert str(ending(cancelled)) == "ERROR: cancelled by @u02bob, nothing was changed"


async def test_a_second_cancel_is_told_that_it_is_going_back(w: World):
    await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    request = await w.ask(slow)
    await until(w, request.promotion.id, Phase.UPDATING)
    await w.decider.cancel_app(by(BOB), "myapp")
    with pytest.raises(Conflict, match="is already going back"):
        await w.decider.cancel_app(by(ALICE), "myapp")
    await w.end(request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_a_guest_may_do_nothing(w: World):
    w.directory.guests = frozenset({BOB.id})
    request = await w.ask((await w.build()).release.id)
    with pytest.raises(Forbidden, match="guests may not do this"):
        await w.decider.approve(by(BOB), request.promotion.id)


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_unknown_membership_means_no(w: World):
    request = await w.ask((await w.build()).release.id)
    w.directory.down = True
    with pytest.raises(Forbidden, match="I cannot check whether you may approve promotions of myapp"):
        await w.decider.approve(by(BOB), request.promotion.id)


async def test_a_full_disk_starts_nothing(tmp_path: Path):
    async with world(tmp_path) as w:
        await w.build()
    async with world(tmp_path, why_not_startable="less than 10 % of the disk is free") as w:
        with pytest.raises(UserError, match="less than 10 %"):
            await w.ask()


async def test_a_changed_count_is_applied_and_put_back(w: World):
    await w.good()
    w.cluster.requests.clear()
    bad = (await w.build(text=manifest(count=5))).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    assert [r for r in w.cluster.requests if r.startswith("scale")] == ["scale web 5", "scale web 2"]


async def test_a_count_set_by_hand_survives_everything(w: World):
    good = await w.good()
    w.cluster.replicas["web"] = 7
    w.cluster.requests.clear()
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    await w.end((await w.ask(good, kind="rollback")).promotion.id)
    assert w.cluster.replicas["web"] == 7
    assert not [r for r in w.cluster.requests if r.startswith("scale")]
