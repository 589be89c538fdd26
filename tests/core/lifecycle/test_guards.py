"""What a promotion rests on: guards in Convox's words, the binding of an approval, patience, and the way back."""

from dataclasses import replace
from typing import Any

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
from core.records.release import ReleaseEntry, ReleaseStatus
from core.sentence import EMPTY_SENTENCE, Channel, Sentence, TimeOfDay
from tests.core.world import ALICE, World, manifest
from tests.fakes import START, FakeCluster, JumpingClock


def release(number: int, build: str | None = "B1", **facts: Any) -> ReleaseEntry:
    return ReleaseEntry(
        id=f"R{number}",
        app="myapp",
        sequence=number,
        build=build,
        description="",
        created_at=START,
        **facts,
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


HELD = Sentence.of("it crashed")


def test_who_is_busy_is_named_with_since_when_where_and_what_to_do():
    refused = busy_error(promotion(channel="C1", started_at=START))
    assert refused.sentence == Sentence.of(
        *("app is currently updating: ", ALICE, " promotes R2 since ", TimeOfDay(START, seconds=True)),
        *(" in ", Channel("C1")),
    )
    assert str(refused.hint) == "wait, stop it with `apps cancel myapp`, or take over with `--force`"


def test_who_is_busy_without_a_channel_is_named_without_one():
    by_token = promotion(requested_by=Actor("token", "ci", "ci"))
    assert str(busy_error(by_token)) == "app is currently updating: token:ci promotes R2 since 12:00:00 UTC"


def test_a_release_without_a_build_is_refused_before_its_age_is_looked_at():
    with pytest.raises(Invalid, match="^can not promote a release with an empty manifest$"):
        guard(release(1, None), active=release(2), held=EMPTY_SENTENCE, anyway=None)


def test_an_older_release_is_refused_before_its_hold_is_looked_at():
    with pytest.raises(Invalid, match="^can not promote an older release, try rollback$"):
        guard(release(2), active=release(3), held=HELD, anyway="because")


def test_a_held_release_needs_a_reason():
    with pytest.raises(Conflict, match="^R2 is on hold: it crashed$") as refused:
        guard(release(2), active=None, held=HELD, anyway=None)
    assert str(refused.value.hint).startswith("`releases promote R2 -a myapp --ask`")
    guard(release(2), active=None, held=HELD, anyway="the registry is back")


def test_the_active_release_and_a_newer_one_pass():
    guard(release(2), active=release(2), held=EMPTY_SENTENCE, anyway=None)
    guard(release(3), active=release(2), held=EMPTY_SENTENCE, anyway=None)


def context(*, active: ReleaseEntry | None = None, in_flight: Promotion | None = None) -> PromotionContext:
    app = App(name="myapp", created_at=START, created_by=ALICE, active_release=active.id if active else None)
    return PromotionContext(app=app, active=active, in_flight=in_flight, awaiting=())


@pytest.mark.parametrize(
    ("found", "held", "why"),
    [
        (context(in_flight=promotion(id="P9")), EMPTY_SENTENCE, "app is currently updating"),
        (context(), HELD, "R2 is on hold: it crashed; `releases promote R2"),
        (context(active=release(3)), EMPTY_SENTENCE, "can not promote an older release, try rollback; `rel"),
        (context(active=release(1)), EMPTY_SENTENCE, ""),
        (context(), EMPTY_SENTENCE, ""),
    ],
)
def test_the_last_approval_asks_every_guard_again(found: PromotionContext, held: Sentence, why: str):
    waited = promotion(phase=Phase.AWAITING_APPROVAL)
    refused = str(refused_since(found, waited, release(2), held))
    assert refused.startswith(why)
    assert bool(refused) == bool(why)


def test_a_rollback_that_waited_stops_what_runs_and_asks_for_no_reason():
    waited = promotion(kind="rollback", phase=Phase.AWAITING_APPROVAL)
    assert not refused_since(context(in_flight=promotion(id="P9")), waited, release(2, verified=True), HELD)


def test_a_rollback_that_waited_goes_to_nothing_that_failed_meanwhile():
    waited = promotion(kind="rollback", phase=Phase.AWAITING_APPROVAL)
    assert str(refused_since(context(), waited, release(2), HELD)).startswith(
        "R2 is on hold: it crashed; roll back"
    )


def test_a_rollback_to_a_release_without_a_build_is_refused():
    with pytest.raises(Invalid, match="empty manifest"):
        guard_rollback(release(1, None), held=EMPTY_SENTENCE)


def test_a_rollback_to_what_failed_and_never_ran_is_refused():
    with pytest.raises(Conflict, match="^R2 is on hold: it crashed$") as refused:
        guard_rollback(release(2), held=HELD)
    assert "releases -a myapp" in str(refused.value.hint)


def test_a_rollback_to_what_once_ran_is_never_refused():
    guard_rollback(release(2, verified=True), held=HELD)


def test_a_rollback_is_free_only_to_what_was_verified():
    rules = Rules(promote=ApprovalRule(count=2), rollback=ApprovalRule(count=0))

    def count(kind: PromotionKind, target: ReleaseEntry | None) -> int:
        return approval_rule(rules, kind=kind, source=target).count

    assert count("rollback", release(1, verified=True)) == 0
    assert count("rollback", release(1)) == 2
    assert count("rollback", None) == 2
    assert count("promote", release(1, verified=True)) == 2


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


async def verified(w: World, count: int) -> list[str]:
    """Return so many releases that were good, oldest first."""
    ids = [(await w.build()).release.id for _ in range(count)]
    async with w.store.transaction() as tx:
        for each in ids:
            await tx.save_release_status(ReleaseStatus(release=each, verified_at=START))
    return ids


async def target(
    w: World, leaving: str, stopped: Promotion | None = None, left: frozenset[str] = frozenset()
) -> str | None:
    return await rollback_target(w.store.read, "myapp", leaving, stopped=stopped, left=left)


async def test_the_way_back_is_chosen_from_what_was_verified(w: World):
    (good,) = await verified(w, 1)
    assert await target(w, "R2") == good


async def test_a_take_over_inherits_the_way_back_and_never_the_release_it_stops(w: World):
    older, newer = await verified(w, 2)
    stopped = promotion(release=newer, back_to=older)
    assert await target(w, "R3", stopped) == older
    assert await target(w, older, stopped) is None


async def test_a_take_over_by_the_way_back_itself_goes_to_the_next_older_one(w: World):
    oldest, older, newer = await verified(w, 3)
    assert await target(w, older, promotion(release=newer, back_to=older)) == oldest


async def test_a_take_over_that_turns_away_from_the_way_back_goes_to_the_next_older_one(w: World):
    oldest, older, newer = await verified(w, 3)
    stopped = promotion(release=newer, back_to=older)
    assert await target(w, "R9", stopped, left=frozenset({older})) == oldest


async def test_a_take_over_of_something_without_a_way_back_has_none_either(w: World):
    await verified(w, 1)
    assert await target(w, "R3", promotion(release="R2", back_to=None)) is None


async def test_the_ground_of_an_app_is_everything_a_decision_needs(w: World):
    assert (await read_context(w.store.read, "myapp")).active is None
    good = await w.good()
    flying = await w.ask((await w.build()).release.id)
    found = await read_context(w.store.read, "myapp")
    assert found.active is not None
    assert (found.active.id, found.active.verified) == (good, True)
    assert found.in_flight is not None
    assert found.in_flight.id == flying.promotion.id
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
    assert await prunable(w.store.read, w.cluster, "myapp", bundle) == (
        Ref("Deployment", "worker"),
        Ref("PodDisruptionBudget", "worker"),
    )


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
    assert await other(app=replace(app, active_release=None)) != bound
    assert await other(app=replace(app, namespace_uid="another")) != bound
    assert await other(bundle=replace(bundle, digest="0" * 64)) != bound
    assert await other(bundle=replace(bundle, objects=())) != bound, "more would be pruned"
