"""What a promotion rests on: guards in Convox's words, the binding of an approval, patience, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from core.actor import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.lifecycle.bundles import bundle_of, current_binding, prunable
from core.lifecycle.guards import (
    PromotionContext,
    approval_rule,
    busy_error,
    check_pinned,
    guard,
    guard_rollback,
    limits_of,
    read_context,
    refused_since,
    rollback_target,
)
from core.policy.authorization import ApprovalRule, Rules
from core.promotion import Phase, Promotion, PromotionKind
from core.records.app import App
from core.records.binding import Binding
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.environment import Environment
from core.records.release import Release, ReleaseStatus
from core.sentence import Channel, Sentence, TimeOfDay
from tests.core.world import ALICE, World, manifest
from tests.fakes import START, FakeCluster, JumpingClock


def release(number: int, build: str | None = "B1") -> Release:
    return Release(
        id=f"R{number}",
        app="myapp",
        sequence=number,
        build=build,
        environment=Environment(),
        description="",
        created_at=START,
        created_by=ALICE,
    )


def context(
    releases: Sequence[Release],
    *,
    active: str | None = None,
    statuses: Mapping[str, ReleaseStatus] | None = None,
    in_flight: Promotion | None = None,
) -> PromotionContext:
    app = App(name="myapp", created_at=START, created_by=ALICE, active=active)
    return PromotionContext(
        app=app, releases=releases, statuses=statuses or {}, in_flight=in_flight, awaiting=()
    )


def promotion(**changes: object) -> Promotion:
    made = Promotion(
        id="P1",
        app="myapp",
        release="R2",
        phase=Phase.UPDATING,
        requested_by=ALICE,
        requested_at=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


HELD = {"R2": ReleaseStatus(release="R2", held=Sentence.of("it crashed"))}


def test_who_is_busy_is_named_with_since_when_where_and_what_to_do():
    refused = busy_error(promotion(channel="C1", started_at=START))
    assert refused.sentence == Sentence.of(
        *("app is currently updating: ", ALICE, " promotes R2 since ", TimeOfDay(START, seconds=True)),
        *(" in ", Channel("C1")),
    )
    assert refused.hint == "wait, stop it with `apps cancel myapp`, or take over with `--force`"


def test_who_is_busy_without_a_channel_is_named_without_one():
    by_token = promotion(requested_by=Actor("token", "ci", "ci"))
    assert str(busy_error(by_token)) == "app is currently updating: token:ci promotes R2 since 12:00:00 UTC"


def test_a_release_without_a_build_is_refused_before_its_age_is_looked_at():
    with pytest.raises(Invalid, match="^can not promote a release with an empty manifest$"):
        guard(context([release(2), release(1, None)], active="R2"), release(1, None), anyway=None)


def test_an_older_release_is_refused_before_its_hold_is_looked_at():
    found = context([release(3), release(2)], active="R3", statuses=HELD)
    with pytest.raises(Invalid, match="^can not promote an older release, try rollback$"):
        guard(found, release(2), anyway="because")


def test_a_held_release_needs_a_reason():
    found = context([release(2)], statuses=HELD)
    with pytest.raises(Conflict, match="^R2 is on hold: it crashed$") as refused:
        guard(found, release(2), anyway=None)
    assert refused.value.hint.startswith('`releases promote R2 -a myapp --anyway "reason"`')
    guard(found, release(2), anyway="the registry is back")


def test_the_active_release_and_a_newer_one_pass():
    found = context([release(3), release(2)], active="R2")
    guard(found, release(2), anyway=None)
    guard(found, release(3), anyway=None)


def test_an_active_release_that_is_not_listed_refuses_nothing():
    guard(context([release(1)], active="R9"), release(1), anyway=None)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (context([release(2)], in_flight=promotion(id="P9")), "app is currently updating"),
        (context([release(2)], statuses=HELD), "R2 is on hold: it crashed; `releases promote R2"),
        (
            context([release(3), release(2)], active="R3"),
            "can not promote an older release, try rollback; `rel",
        ),
        (context([release(2)], active="R1"), ""),
        (context([]), ""),
    ],
)
def test_the_last_approval_asks_every_guard_again(found: PromotionContext, why: str):
    refused = str(refused_since(found, promotion(phase=Phase.AWAITING_APPROVAL)))
    assert refused.startswith(why)
    assert bool(refused) == bool(why)


def test_a_rollback_that_waited_stops_what_runs_and_asks_for_no_reason():
    held = context([release(2)], statuses=HELD, in_flight=promotion(id="P9"))
    assert not refused_since(held, promotion(kind="rollback", phase=Phase.AWAITING_APPROVAL))


def test_a_rollback_to_a_release_without_a_build_is_refused():
    with pytest.raises(Invalid, match="empty manifest"):
        guard_rollback(context([release(1, None)]), release(1, None))


def test_a_rollback_to_what_failed_and_never_ran_is_refused():
    with pytest.raises(Conflict, match="^R2 is on hold: it crashed$") as refused:
        guard_rollback(context([release(2)], statuses=HELD), release(2))
    assert "releases -a myapp" in refused.value.hint


def test_a_rollback_to_what_once_ran_is_never_refused():
    statuses = {"R2": ReleaseStatus(release="R2", held=Sentence.of("it crashed later"), verified_at=START)}
    guard_rollback(context([release(2)], statuses=statuses), release(2))


def test_a_rollback_is_free_only_to_what_was_verified():
    rules = Rules(promote=ApprovalRule(count=2), rollback=ApprovalRule(count=0))
    verified = {"R1": ReleaseStatus(release="R1", verified_at=START)}

    def count(kind: PromotionKind, target: Release | None, statuses: Mapping[str, ReleaseStatus]) -> int:
        return approval_rule(rules, kind=kind, target=target, statuses=statuses).count

    assert count("rollback", release(1), verified) == 0
    assert count("rollback", release(1), {}) == 2
    assert count("rollback", release(1), {"R1": ReleaseStatus(release="R1")}) == 2
    assert count("rollback", None, verified) == 2
    assert count("promote", release(1), verified) == 2


def build(**images: str) -> Build:
    return Build(
        id="B1",
        app="myapp",
        manifest="",
        images=images,
        release="R1",
        started_at=START,
        ended_at=START,
        created_by=ALICE,
    )


LOOSE = build(web="r.example/web:v1", api="r.example/api:v1", db=f"r.example/db@sha256:{'0' * 64}")


def test_images_by_tag_are_refused_by_name_where_approvals_are_asked():
    with pytest.raises(Forbidden, match="not pinned by digest: api, web$"):
        check_pinned(LOOSE, Rules(), 1)


def test_images_by_tag_pass_where_nobody_approves_or_the_policy_says_so():
    check_pinned(LOOSE, Rules(), 0)
    check_pinned(LOOSE, Rules(unpinned=True), 1)
    check_pinned(build(db=LOOSE.images["db"]), Rules(), 1)


def test_patience_is_the_policys_and_a_first_release_may_crash_once_more():
    assert limits_of(Rules(), first=False).crashes == 2
    assert limits_of(Rules(), first=True).crashes == 3
    set_by_hand = Rules(crashes=5, deadline=1, longest=2, restarts=3)
    limits = limits_of(set_by_hand, first=True)
    assert (limits.crashes, limits.deadline, limits.longest, limits.restarts) == (5, 1, 2, 3)


def test_the_way_back_is_chosen_from_what_was_verified():
    verified = {"R1": ReleaseStatus(release="R1", verified_at=START)}
    assert rollback_target(context([release(2), release(1)], statuses=verified), "R2") == "R1"


def test_a_take_over_inherits_the_way_back_and_never_the_release_it_stops():
    verified = {n: ReleaseStatus(release=n, verified_at=START) for n in ("R1", "R2")}
    flying = context(
        [release(3), release(2), release(1)],
        statuses=verified,
        in_flight=promotion(release="R2", back_to="R1"),
    )
    assert rollback_target(flying, "R3") == "R1"
    assert rollback_target(flying, "R1") is None


def test_a_take_over_by_the_way_back_itself_goes_to_the_next_older_one():
    verified = {n: ReleaseStatus(release=n, verified_at=START) for n in ("R0", "R1", "R2")}
    flying = context(
        [release(2), release(1), release(0)],
        statuses=verified,
        in_flight=promotion(release="R2", back_to="R1"),
    )
    assert rollback_target(flying, "R1") == "R0"


def test_a_take_over_of_something_without_a_way_back_has_none_either():
    flying = context([release(3), release(2)], in_flight=promotion(release="R2", back_to=None))
    assert rollback_target(flying, "R3") is None


async def test_the_ground_of_an_app_is_everything_a_decision_needs(w: World):
    good = await w.good()
    flying = await w.ask((await w.build()).release.id)
    found = await read_context(w.store.read, "myapp")
    assert found.active is not None
    assert found.active.id == good
    assert found.find(None) is None
    assert found.in_flight is not None
    assert found.in_flight.id == flying.promotion.id
    assert [r.id for r in found.releases] == [flying.promotion.release, good]
    await w.end(flying.promotion.id)


async def test_a_stored_bundle_is_never_rendered_anew(w: World):
    made = (await w.build()).release
    app = await w.store.read.app("myapp")
    first = await bundle_of(w.store.read, w.cluster, made, app, Rules())
    async with w.store.transaction() as tx:
        await tx.save_bundle(first)
    changed = Rules(settle=999.0)
    rendered_elsewhere = FakeCluster(JumpingClock(), rack="elsewhere")
    assert await bundle_of(w.store.read, rendered_elsewhere, made, app, changed) == first


async def test_what_earlier_releases_had_and_this_one_lacks_is_pruned_but_for_secrets(w: World):
    two = manifest() + "  worker:\n    image: registry.example/w@sha256:" + "1" * 64 + "\n"
    await w.promote((await w.build(text=two)).release.id)
    made = (await w.build()).release
    app = await w.store.read.app("myapp")
    bundle = await bundle_of(w.store.read, w.cluster, made, app, Rules())
    assert await prunable(w.store.read, w.cluster, "myapp", bundle) == (Ref("Deployment", "worker"),)


async def test_an_approval_is_bound_to_four_things_and_each_of_them_matters(w: World):
    good = await w.good()
    made = (await w.build(text=manifest(digit="1"))).release
    app = await w.store.read.app("myapp")
    bundle = await bundle_of(w.store.read, w.cluster, made, app, Rules())
    bound = await current_binding(w.store.read, w.cluster, app, bundle)

    async def other(app: App = app, bundle: Bundle = bundle) -> Binding:
        return await current_binding(w.store.read, w.cluster, app, bundle)

    assert (bound.active, bound.namespace) == (good, "namespace-1")
    assert bundle.digest != bound.bundle, "a plain hash of values could be guessed"
    assert await other() == bound
    assert await other(app=replace(app, active=None)) != bound
    assert await other(app=replace(app, namespace_uid="another")) != bound
    assert await other(bundle=replace(bundle, digest="0" * 64)) != bound
    assert await other(bundle=replace(bundle, objects=())) != bound, "more would be pruned"
