"""Somebody else has a hand in a rollout: it ends at once, and a release that did nothing wrong is not put on hold."""

from dataclasses import replace

import pytest

from core.errors import FieldConflict, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.promotion import Phase
from core.records.bundle import Ref
from core.records.observation import Diagnosis, DiagnosisKind, Observation, Readiness
from tests.core.world import BOB, World, until
from tests.fakes import FakeWatch, broken, progressing, service

CHANGED = "kubectl-set changed .spec.template of web while it was rolled out"
PAUSED = "kubectl-rollout has paused the rollout of web"


def taken(kind: DiagnosisKind = DiagnosisKind.OVERWRITTEN, sentence: str = CHANGED):
    found = Diagnosis(kind=kind, sentence=sentence, fact=sentence)
    return service(readiness=Readiness.FAILED, sentence=sentence, started=0, diagnoses=(found,))


async def held(w: World, release: str) -> bool:
    return (await w.store.read.release_status(release)).held is not None


@pytest.mark.parametrize(
    ("kind", "sentence"), [(DiagnosisKind.OVERWRITTEN, CHANGED), (DiagnosisKind.PAUSED, PAUSED)]
)
async def test_what_somebody_else_rolls_out_is_never_ours_and_is_left_alone(w: World, kind, sentence):
    good = await w.good()
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda passed: progressing() if passed < 3 else taken(kind, sentence)
    ended = await w.promote(other)

    assert (ended.phase, ended.superseded_by) == (Phase.SUPERSEDED, None)
    assert str(ending(ended)) == f"ERROR: superseded, nothing more was changed: {sentence}"
    assert not any("forced" in request for request in w.cluster.requests), "nobody goes back"
    assert not await held(w, other)
    app = await w.store.read.app("myapp")
    assert app.active_release == good


async def test_it_is_never_verified_though_everything_is_complete(w: World):
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda passed: service() if passed < 8 else taken()
    assert (await w.promote(other)).phase is Phase.SUPERSEDED
    assert (await w.store.read.release_status(other)).verified_at is None


async def test_on_the_way_back_it_ends_as_well_and_the_release_that_failed_stays_on_hold(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    w.cluster.behaves[good] = lambda _: taken()
    ended = await w.promote(bad)

    assert ended.phase is Phase.SUPERSEDED
    assert str(ended.cause).endswith(f"does not exist; {CHANGED}")
    assert await held(w, bad)
    assert not await held(w, good)


LOST = service(
    readiness=Readiness.FAILED, sentence="its Deployment was deleted by somebody", started=0, seen=False
)


async def test_a_release_whose_objects_somebody_deleted_is_not_on_hold_and_neither_is_its_build(w: World):
    good = await w.good()
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda passed: progressing() if passed < 3 else LOST
    ended = await w.promote(other)

    assert (ended.phase, ended.back_to, ended.blameless) == (Phase.REVERTED, good, True)
    assert not await held(w, other)
    del w.cluster.behaves[other]
    assert (await w.promote(other)).phase is Phase.RUNNING, "without any --anyway"


async def test_without_a_way_back_it_is_not_on_hold_either(w: World):
    w.cluster.live[Ref("Deployment", "web")] = "something of before"
    w.cluster.uids[Ref("Deployment", "web")] = "uid-before"
    w.cluster.replicas["web"] = 1
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda _: LOST
    assert (await w.promote(other)).phase is Phase.FAILURE
    assert not await held(w, other)


async def test_a_take_over_of_one_that_goes_back_for_no_fault_of_its_own_holds_nothing(w: World):
    good = await w.good()
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda _: LOST
    w.cluster.behaves[good] = lambda _: progressing()
    asked = await w.ask(other)
    await until(w, asked.promotion.id, Phase.ROLLBACK)
    again = await w.ask((await w.build()).release.id, actor=BOB, force=True)
    assert (await w.end(again.promotion.id)).phase is Phase.RUNNING
    assert not await held(w, other)


async def test_the_next_rollout_after_it_goes_on_from_what_there_is(w: World):
    good = await w.good()
    other = (await w.build()).release.id
    w.cluster.behaves[other] = lambda _: taken()
    await w.promote(other)
    del w.cluster.behaves[other]
    again = await w.promote(other)
    assert (again.phase, again.back_to) == (Phase.RUNNING, good)


async def test_what_others_have_set_is_overwritten_where_it_was_asked_for_and_the_thread_says_whose(w: World):
    release = (await w.build()).release.id
    real = w.cluster.apply

    async def apply(app, bundle, ref, **more):
        applied = await real(app, bundle, ref, **more)
        return replace(applied, overwrote=".spec.x (set by kubectl-set)" if ref.kind == "Deployment" else "")

    w.cluster.apply = apply
    ended = await w.promote(release, overwrite=True)

    assert ended.phase is Phase.RUNNING
    assert f"preflight {release} forced" in w.cluster.requests
    assert f"apply Deployment/web {release} forced" in w.cluster.requests
    told = [line for line in await w.lines(ended.id) if "Overwrote" in line]
    assert [line.partition(" ")[2] for line in told] == [
        "system/k8s/web Overwrote .spec.x (set by kubectl-set)"
    ]


async def test_an_object_that_is_lost_at_the_last_look_is_no_success(w: World, monkeypatch):
    good = await w.good()
    release = (await w.build()).release.id
    seen = FakeWatch._seen

    async def fresh(watch: FakeWatch) -> Observation:
        lost = "Service/web was deleted by somebody" if watch._target.release == release else ""
        return replace(seen(watch), lost=lost)

    monkeypatch.setattr(FakeWatch, "fresh", fresh)
    ended = await w.promote(release)
    assert (ended.phase, ended.back_to) == (Phase.REVERTED, good)
    assert str(ended.cause) == "Service/web was deleted by somebody"
    assert not await held(w, release)


@pytest.mark.parametrize(
    ("refusal", "blameless"),
    [
        (FieldConflict("another tool owns .spec.template"), True),
        (Unreachable("no route to host"), True),
        (Rejected("exceeds what the policy allows"), False),
    ],
)
async def test_only_what_may_lie_in_the_release_puts_one_that_could_not_be_applied_on_hold(
    w: World, refusal: Exception, blameless: bool
):
    good = await w.good()
    other = (await w.build()).release.id

    def refuse(request: str) -> None:
        if request == f"apply Deployment/web {other}":
            raise refusal

    w.cluster.refuse = refuse
    ended = await w.promote(other)
    assert (ended.phase, ended.back_to, ended.blameless) == (Phase.REVERTED, good, blameless)
    assert await held(w, other) is not blameless
