"""Every ending of contract 7, driven through the real store against a scripted cluster."""

import pytest

from core.errors import Conflict, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.promotion import Phase
from tests.core.world import ALICE, BOB, World, by, manifest, until
from tests.fakes import MISSING_IMAGE, broken, progressing, service


def said(promotion) -> str:
    return str(ending(promotion))


async def test_a_good_release_becomes_active_and_verified(w: World):
    made = await w.build()
    promotion = await w.promote(made.release.id)
    app = await w.store.read.app("myapp")
    assert said(promotion) == "OK"
    assert app.active_release == made.release.id
    assert (await w.store.read.release_status(made.release.id)).verified_at
    assert await w.lines(promotion.id) == [
        f"{line}"
        for line in [
            "2026-01-01T12:00:00Z system/k8s/atom/app Status: Running => Pending",
            "2026-01-01T12:00:00Z system/k8s/atom/app Status: Pending => Updating",
            (await w.lines(promotion.id))[-1],
        ]
    ]
    assert (await w.lines(promotion.id))[-1].endswith("Status: Updating => Running")


async def test_a_bad_release_goes_back_to_the_verified_one_and_is_held(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    promotion = await w.promote(bad)
    assert said(promotion) == f"ERROR: rolled back to {good}: {MISSING_IMAGE.sentence}"
    assert (await w.store.read.app("myapp")).active_release == good
    status = await w.store.read.release_status(bad)
    assert "does not exist" in str(status.held)
    phases = [line.rpartition("Status: ")[2] for line in await w.lines(promotion.id) if "Status" in line]
    assert phases == [
        "Running => Pending",
        "Pending => Updating",
        "Updating => Error",
        "Error => Rollback",
        "Rollback => Reverted",
    ]
    assert any("last log lines of web-2" in line for line in await w.lines(promotion.id))


async def test_a_first_release_that_fails_is_removed(w: World):
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    promotion = await w.promote(bad)
    assert said(promotion).startswith("ERROR: removed, there was no release to go back to: image")
    assert promotion.phase is Phase.REVERTED
    assert w.cluster.live == {}
    assert (await w.store.read.app("myapp")).active_release is None


async def test_a_release_that_never_becomes_ready_is_overdue(w: World):
    good = await w.good()
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing(started=1)
    promotion = await w.promote(slow)
    assert said(promotion).startswith(f"ERROR: rolled back to {good}: no progress for 600 s: web: 0 of 2")


async def test_what_the_cluster_refuses_before_the_first_patch_changes_nothing(w: World):
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request.startswith("preflight"):
            raise Rejected("field .spec.strategy is managed by kubectl")

    w.cluster.refuse = refuse
    promotion = await w.promote(release)
    assert said(promotion) == (
        "ERROR: refused, nothing was changed: field .spec.strategy is managed by kubectl"
    )
    assert promotion.touched_at is None
    assert not [r for r in w.cluster.requests if r.startswith(("apply", "claim"))]


async def test_a_refusal_in_the_middle_of_the_apply_goes_back(w: World):
    good = await w.good()
    bad = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == f"apply Deployment/web {bad}":
            raise Rejected("quota says no")

    w.cluster.refuse = refuse
    promotion = await w.promote(bad)
    assert said(promotion) == f"ERROR: rolled back to {good}: quota says no"


async def test_a_cluster_that_never_answers_is_given_five_minutes(w: World):
    release = (await w.build()).release.id

    def refuse(request: str) -> None:
        raise Unreachable("connection refused")

    w.cluster.refuse = refuse
    promotion = await w.promote(release)
    assert said(promotion) == (
        "ERROR: refused, nothing was changed: the cluster did not answer for 300 s: connection refused"
    )


async def test_a_rollback_that_fails_needs_a_person(w: World):
    good = await w.good()
    await w.promote((await w.build()).release.id)
    for release in await w.store.read.releases("myapp", 9):
        w.cluster.behaves[release.id] = lambda _: broken()

    asked = await w.ask(good, kind="rollback")
    w.cluster.behaves[asked.promotion.release] = lambda _: broken()
    promotion = await w.end(asked.promotion.id)
    assert said(promotion) == f"ERROR: rollback failed, a person is needed: {MISSING_IMAGE.sentence}"


async def test_a_cancelled_rollout_goes_back(w: World):
    good = await w.good()
    slow = (await w.build()).release.id
    asked = await w.ask(slow)
    while (await w.store.read.promotion(asked.promotion.id)).phase is not Phase.UPDATING:
        await w.clock.sleep(0)
    await w.decider.cancel_app(by(BOB), "myapp")
    promotion = await w.end(asked.promotion.id)
    assert said(promotion) == f"ERROR: cancelled by @u02bob, rolled back to {good}"
    assert (await w.store.read.release_status(slow)).held


async def test_a_release_of_which_nothing_runs_is_active_but_not_verified(w: World):
    release = (await w.build(text=manifest(count=0))).release.id
    w.cluster.behaves[release] = lambda _: service(desired=0, started=0, ready=0, restarts={})
    promotion = await w.promote(release)
    app = await w.store.read.app("myapp")
    assert said(promotion) == "OK (not verified: nothing ran)"
    assert app.active_release == release
    assert not (await w.store.read.release_status(release)).verified_at


@pytest.mark.parametrize("kind", ["force", "rollback"])
async def test_a_take_over_supersedes_and_keeps_the_way_back(w: World, kind: str):
    good = await w.good()
    slow = (await w.build()).release.id
    first = await w.ask(slow)
    while (await w.store.read.promotion(first.promotion.id)).phase is not Phase.UPDATING:
        await w.clock.sleep(0)
    if kind == "force":
        second = await w.ask((await w.build()).release.id, actor=BOB, force=True)
    else:
        second = await w.ask(good, actor=BOB, kind="rollback")
    ended = await w.end(second.promotion.id)
    assert ended.phase is Phase.RUNNING
    assert ended.back_to == good
    assert ended.token > first.promotion.token
    superseded = await w.store.read.promotion(first.promotion.id)
    assert said(superseded) == f"ERROR: superseded by {second.promotion.release}"
    assert superseded.requested_by == ALICE


@pytest.mark.parametrize("verb", ["cancel", "fail"])
async def test_a_change_of_variables_that_is_cancelled_does_not_put_its_build_on_hold(w: World, verb: str):
    await w.good()
    built = (await w.build(text=manifest(digit="7"))).release
    changed = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    w.cluster.behaves[changed.id] = lambda _: broken() if verb == "fail" else progressing()
    asked = await w.ask(changed.id)
    if verb == "cancel":
        await until(w, asked.promotion.id, Phase.UPDATING)
        await w.decider.cancel_app(by(BOB), "myapp")
    ended = await w.end(asked.promotion.id)
    assert ended.phase is Phase.REVERTED
    assert (await w.store.read.release_status(changed.id)).held
    if verb == "fail":
        with pytest.raises(Conflict, match="its build"):
            await w.ask(built.id)
        return
    with pytest.raises(Conflict, match="cancelled by"):
        await w.ask(changed.id)
    assert (await w.promote()).release == built.id
