import asyncio
from dataclasses import asdict, fields, replace
from datetime import timedelta

import pytest

from core.errors import Conflict, NotFound, Taken
from core.ports.outbox import Card
from core.promotion import IN_FLIGHT, SETTLED, TOUCHED_ENDINGS, Phase
from core.records.approval import Approval
from core.records.binding import Binding
from core.records.bundle import Bundle, BundleService, Ref
from core.records.countdown import Countdown
from core.records.observation import Observation
from core.records.progress import Completion, Limits, PodProgress, Progress, Settling
from core.records.step import PruneJob, Step
from core.records.waits_for import WaitsFor
from core.records.workload_count import WorkloadCount
from core.rollout.verdict import judge
from core.sentence import Channel, Sentence
from storage.promotions.rows import progress_of
from tests.fakes import service
from tests.soak import times
from tests.storage.making import (
    ALICE,
    APP,
    CI,
    NOW,
    carded,
    make_app,
    make_intent,
    make_line,
    make_promotion,
    make_release,
    moved,
    seed,
)

OLD_WEB = BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=20.0)
R, P, Q = "RAAAAAAAAAA", "PAAAAAAAAAA", "PBBBBBBBBBB"
PROGRESS = Progress(
    watched=12.5,
    moved=3.0,
    patience=600.0,
    pods={"pod": PodProgress(service="web", milestone=4, restarts=1, started=-4.0, ready=2.5, baseline=1)},
    gone={"web": 1},
    complete={"web": Completion(at=5.0, pods=2)},
    suspects={"crash web": 9.0},
    services={"web": (1, 2)},
    counts={"web": 2},
    waiting="web is complete, watching for 20 s",
    settling=Settling(service="web", seconds=20.0, left=3.5, until=NOW),
)


def full_promotion():
    return make_promotion(
        R,
        P,
        phase=Phase.UPDATING,
        kind="rollback",
        source="http",
        channel="C01",
        force=True,
        cautions=("db is down meanwhile",),
        anyway="we must",
        restarts=("web",),
        limits=Limits(deadline=1.5, crashes=9),
        approvals_needed=2,
        binding=Binding(bundle="h" * 64, active=R, prune=(Ref("Service", "web"),), namespace="ns-1"),
        expires_at=NOW + timedelta(hours=24),
        started_at=NOW,
        touched_at=NOW,
        stage_at=NOW,
        settled_at=NOW,
        token=3,
        back_to="RZZZZZZZZZZ",
        baseline_of="PZZZZZZZZZZ",
        cause=Sentence.of("the container exited 1"),
        reason=Sentence.of("an approval no longer counts: ", ALICE, " in ", Channel("C01")),
        along=(Sentence.of("also: build B by ", ALICE, ", never promoted"),),
        declined_by=ALICE,
        cancelled_by=CI,
        stopped_by=ALICE,
        break_glass="the shop is down",
        through=(Sentence.of("myapp is frozen by ", ALICE),),
        variables_of=R,
        authors=(ALICE,),
        added_at=7,
        waits_for=WaitsFor(what="time", at=NOW, reminded=True),
        countdown=Countdown(until=90.5, at=NOW),
        taken_over_by=ALICE,
        superseded_by="RYYYYYYYYYY",
        removed=True,
        nothing_ran=True,
        blameless=True,
        cause_kind="image",
        overwrite=True,
        progress=PROGRESS,
        revision=5,
    )


async def save(store, promotion, was):
    async with store.transaction() as tx:
        await tx.save_promotion(promotion, was=was)


async def test_a_promotion_comes_back_with_every_field(store):
    full = full_promotion()
    default = make_promotion(R, P)
    same = {f.name for f in fields(full) if getattr(full, f.name) == getattr(default, f.name)}
    assert same == {"id", "app", "release", "requested_by", "requested_at"}, (
        "the example leaves nothing at its default"
    )
    await seed(store)
    async with store.transaction() as tx:
        await tx.add_promotion(full)
        assert await tx.promotion(P) == full
    assert await store.read.promotion(P) == full


async def test_saving_a_promotion_saves_every_field_that_may_change(store):
    await seed(store, promotion=P)
    changed = replace(full_promotion(), kind="promote", source="slack", restarts=())
    await save(store, changed, Phase.PENDING)
    assert await store.read.promotion(P) == changed


async def test_an_unknown_promotion_is_not_found_by_id(store):
    with pytest.raises(NotFound, match=f"no such promotion: {P}"):
        await store.read.promotion(P)


async def test_whoever_saves_second_is_told_that_the_phase_is_gone(store):
    await seed(store, promotion=P)
    pending = await store.read.promotion(P)
    await save(store, moved(pending, Phase.UPDATING), Phase.PENDING)
    with pytest.raises(Conflict, match=f"{P} is no longer Pending"):
        await save(store, moved(pending, Phase.CANCELLED), Phase.PENDING)
    assert (await store.read.promotion(P)).phase is Phase.UPDATING


async def test_a_promotion_saved_from_an_old_reading_still_raises_the_revision(store):
    await seed(store, promotion=P)
    old = await store.read.promotion(P)
    async with store.transaction() as tx:
        await tx.save_progress(P, PROGRESS, was=Phase.PENDING, revision=7)
    await save(store, moved(old, Phase.UPDATING), Phase.PENDING)
    assert (await store.read.promotion(P)).revision == 8


async def test_progress_is_kept_in_its_phase_and_dropped_after_it(store):
    await seed(store, promotion=P)
    async with store.transaction() as tx:
        await tx.save_progress(P, PROGRESS, was=Phase.PENDING, revision=3)
    saved = await store.read.promotion(P)
    assert (saved.progress, saved.revision, saved.phase) == (PROGRESS, 3, Phase.PENDING)
    async with store.transaction() as tx:
        await tx.save_progress(P, Progress(), was=Phase.UPDATING, revision=4)
    assert await store.read.promotion(P) == saved


async def test_the_block_that_proves_a_failure_is_found_among_the_lines(store):
    await seed(store, promotion=P)
    assert await store.read.evidence(P) is None
    proof = make_line(2, "last log lines of web-1:\n  KeyError", key="evidence:u1", kind="evidence")
    async with store.transaction() as tx:
        await tx.add_lines(P, [make_line(1, key="evident"), proof, make_line(3, key="evidently")])
    assert await store.read.evidence(P) == proof


async def test_an_app_has_one_promotion_in_flight_and_the_second_is_told(store):
    await seed(store, promotion=P)
    with pytest.raises(Conflict, match="myapp is currently updating") as caught:
        async with store.transaction() as tx:
            await tx.add_promotion(make_promotion(R, Q))
    assert not isinstance(caught.value, Taken), "another id would not help"
    assert (await store.read.in_flight(APP)).id == P


@pytest.mark.parametrize("phase", Phase)
async def test_only_phases_that_may_touch_the_cluster_keep_others_out(store, phase):
    await seed(store, promotion=P, phase=phase)
    flying = await store.read.in_flight(APP)
    assert (flying is not None) == (phase in IN_FLIGHT)
    async with store.transaction() as tx:
        if phase in IN_FLIGHT:
            with pytest.raises(Conflict):
                await tx.add_promotion(make_promotion(R, Q))
        else:
            await tx.add_promotion(make_promotion(R, Q))


async def test_an_approved_promotion_does_not_start_beside_another(store):
    await seed(store, promotion=P)
    waiting = make_promotion(R, Q, phase=Phase.AWAITING_APPROVAL)
    async with store.transaction() as tx:
        await tx.add_promotion(waiting)
    with pytest.raises(Conflict, match="currently updating"):
        await save(store, moved(waiting, Phase.PENDING), Phase.AWAITING_APPROVAL)


async def test_a_promotion_id_that_is_taken_asks_for_another(store):
    await seed(store, promotion=P, phase=Phase.RUNNING)
    async with store.transaction() as tx:
        with pytest.raises(Taken):
            await tx.add_promotion(make_promotion(R, P))
        await tx.add_promotion(make_promotion(R, Q))


@pytest.mark.soak
async def test_of_many_tries_at_once_exactly_one_is_in_flight(store):
    await seed(store)

    async def attempt():
        try:
            async with store.transaction() as tx:
                await tx.add_promotion(make_promotion(R))
        except Conflict:
            return False
        return True

    for _ in range(2):
        won = await asyncio.gather(*(attempt() for _ in range(times(100, soak=1000))))
        assert sum(won) == 1
        flying = await store.read.in_flight(APP)
        await save(store, moved(flying, Phase.RUNNING), flying.phase)
    assert len(await store.read.promotions(APP, 100)) == 2


async def test_lists_tell_what_waits_what_is_unsettled_and_what_is_newest(store):
    await seed(store)
    phases = {
        f"P{letter * 10}": phase
        for letter, phase in zip(
            "ZYXWV",
            (
                Phase.AWAITING_APPROVAL,
                Phase.RUNNING,
                Phase.ROLLBACK,
                Phase.AWAITING_APPROVAL,
                Phase.EXPIRED,
            ),
            strict=True,
        )
    }
    async with store.transaction() as tx:
        for promotion, phase in phases.items():
            await tx.add_promotion(make_promotion(R, promotion, phase=phase))
    order = list(phases)
    assert [p.id for p in await store.read.promotions(APP, 3)] == order[:1:-1]
    assert [p.id for p in await store.read.promotions(APP, 99)] == order[::-1]
    assert [p.id for p in await store.read.awaiting(APP)] == [order[0], order[3]]
    assert [p.id for p in await store.read.all_awaiting()] == [order[0], order[3]]
    assert [p.id for p in await store.read.unsettled()] == [order[0], order[2], order[3]]
    assert {p.phase for p in await store.read.unsettled()}.isdisjoint(SETTLED)


@pytest.mark.parametrize("phase", sorted(SETTLED))
async def test_the_last_touched_phase_is_of_an_ending_that_left_something(store, phase):
    await seed(store, promotion=P, phase=phase, touched_at=NOW, settled_at=NOW)
    expected = phase if phase in TOUCHED_ENDINGS else None
    assert await store.read.last_touched_phase(APP, Q) == expected
    assert await store.read.last_touched_phase(APP, P) is None, "a promotion is not before itself"


async def test_the_last_touched_phase_is_the_latest_settled_and_never_an_untouched_one(store):
    await seed(store)
    endings = (
        (Phase.REVERTED, NOW, NOW + timedelta(seconds=9)),
        (Phase.RUNNING, NOW, NOW + timedelta(seconds=5)),
        (Phase.SUPERSEDED, None, NOW + timedelta(seconds=99)),
    )
    async with store.transaction() as tx:
        for phase, touched, settled in endings:
            await tx.add_promotion(make_promotion(R, phase=phase, touched_at=touched, settled_at=settled))
    assert await store.read.last_touched_phase(APP, Q) is Phase.REVERTED


async def test_an_intent_is_stored_once_and_never_changed(store):
    await seed(store, promotion=P)
    assert await store.read.intent(P) is None
    async with store.transaction() as tx:
        await tx.save_intent(P, make_intent())
    with pytest.raises(Conflict, match="has its intent already"):
        async with store.transaction() as tx:
            await tx.save_intent(P, make_intent())
    assert await store.read.intent(P) == make_intent()
    with pytest.raises(Exception, match="an intent never changes"):
        async with store._database.transaction() as connection:
            await connection.execute("UPDATE intents SET sealed = x'00'")


async def test_an_intent_of_an_older_version_can_be_read(store):
    """Version 0.1.0 kept two fields more, which nothing has ever read."""
    await seed(store, promotion=P)
    document = asdict(make_intent())
    document["objects"] = [
        asdict(each) | {"resource_version": "4711", "progress_stamp": ""} for each in make_intent().objects
    ]
    document["going"] = sorted(document.pop("terminating"))
    async with store.transaction() as tx:
        await tx._session.connection.execute(
            "INSERT INTO intents (promotion, sealed) VALUES (?, ?)", (P, tx._vault.seal(document))
        )
    assert await store.read.intent(P) == make_intent()


async def test_a_step_moves_on_and_keeps_its_place(store):
    await seed(store, promotion=P)
    web = Step(
        promotion=P, stage="forward", ref=Ref("Deployment", "web"), action="apply", state="sent", token=1
    )
    secret = replace(web, ref=Ref("Secret", "env"))
    scale = replace(web, action="scale")
    done = replace(web, state="done", uid="u", generation=4, changed=False, token=2, template="t")
    for step in (web, secret, scale, done):
        async with store.transaction() as tx:
            await tx.save_step(step)
    assert await store.read.steps(P) == [done, secret, scale]


async def test_the_newest_count_of_a_workload_is_kept_and_forgotten_with_it(store):
    await seed(store)
    await seed(store, app="other", release="RBBBBBBBBBB")
    web = WorkloadCount(app=APP, ref=Ref("Deployment", "web"), count=2, replicas=7)
    worker = replace(web, ref=Ref("Deployment", "worker"), count=1, replicas=1)
    for counted in (web, worker, replace(web, app="other"), replace(web, count=5, replicas=5)):
        async with store.transaction() as tx:
            await tx.save_workload_count(counted)
    async with store.transaction() as tx:
        await tx.forget_replicas(APP, worker.ref)
    assert await store.read.workload_counts(APP) == {
        web.ref: replace(web, count=5, replicas=5),
        worker.ref: replace(worker, replicas=None),
    }


async def test_a_person_decides_once(store):
    await seed(store, promotion=P)
    yes = Approval(promotion=P, actor=ALICE, decision="approve", at=NOW)
    no = Approval(promotion=P, actor=CI, decision="decline", at=NOW, reason="not today")
    async with store.transaction() as tx:
        await tx.add_approval(yes)
        await tx.add_approval(no)
        with pytest.raises(Conflict, match="@alice has already decided"):
            await tx.add_approval(replace(yes, decision="decline"))
    assert await store.read.approvals(P) == [yes, no]


async def test_lines_are_numbered_without_gaps_and_a_known_key_is_dropped(store):
    await seed(store, promotion=P)
    async with store.transaction() as tx:
        assert await tx.add_lines(P, []) == 0
        assert await tx.add_lines(P, [make_line(1), make_line(2), make_line(9, key="key 1")]) == 2
        assert await tx.add_lines(P, [make_line(2), make_line(3, kind="evidence"), make_line(4)]) == 2
    lines = [make_line(1), make_line(2), make_line(3, kind="evidence"), make_line(4)]
    assert await store.read.lines(P) == list(enumerate(lines, start=1))
    assert await store.read.lines(P, after=1, limit=2) == [(2, lines[1]), (3, lines[2])]


async def test_lines_have_no_gaps_under_concurrent_and_failing_writers(store):
    await seed(store, promotion=P)

    async def write(number):
        async with store.transaction() as tx:
            await tx.add_lines(P, [make_line(number), make_line(number % 20)])
            if number % 3 == 0:
                raise LookupError

    await asyncio.gather(*(write(n) for n in range(120)), return_exceptions=True)
    numbers = [seq for seq, _ in await store.read.lines(P)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 80


async def test_two_promotions_may_have_lines_of_one_key(store):
    await seed(store, promotion=P, phase=Phase.RUNNING)
    async with store.transaction() as tx:
        await tx.add_promotion(make_promotion(R, Q))
        assert await tx.add_lines(P, [make_line(1)]) == 1
        assert await tx.add_lines(Q, [make_line(1)]) == 1


async def test_a_card_and_a_terminal_message_are_asked_for_once(store):
    await carded(store, P, ts=None)
    assert await store.read.card(P) == Card(subject=P, channel="C01")
    assert await store.read.card(Q) is None
    async with store.transaction() as tx:
        with pytest.raises(Conflict, match="has its card already"):
            await tx.add_card(P, "C02")
        await tx.add_terminal(P)
        with pytest.raises(Conflict, match="has its terminal message already"):
            await tx.add_terminal(P)


async def test_prune_jobs_wait_in_order_until_they_are_done(store):
    await seed(store, promotion=Q, phase=Phase.RUNNING)
    jobs = [
        PruneJob(promotion=p, app=APP, refs=(Ref("Service", "old"), Ref("Deployment", "old"))) for p in (Q, P)
    ]
    async with store.transaction() as tx:
        await tx.add_promotion(make_promotion(R, P, phase=Phase.RUNNING))
        for job in reversed(jobs):
            await tx.add_prune_job(job)
        with pytest.raises(Conflict, match="has its prune job already"):
            await tx.add_prune_job(jobs[0])
    assert await store.read.prune_jobs(APP) == jobs
    async with store.transaction() as tx:
        await tx.finish_prune_job(Q)
    assert await store.read.prune_jobs(APP) == jobs[1:]


async def test_a_promotion_of_a_release_that_does_not_exist_is_not_stored(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
    with pytest.raises(Exception, match="FOREIGN KEY"):
        async with store.transaction() as tx:
            await tx.add_promotion(make_promotion("RNOTTHEREEE", P))
    async with store.transaction() as tx:
        await tx.add_release(make_release(R))
        await tx.add_promotion(make_promotion(R, P))
    assert (await store.read.promotion(P)).release == R


# As version 0.1.0 stored it, before each pod had a window of its own.
OF_BEFORE = {
    "watched": 12.5,
    "moved": 3.0,
    "marks": {"web": -4.0},
    "stamps": {"web": "2026-03-14T15:00:00Z"},
    "seen": {"web": [2, 1]},
    "baseline_restarts": {"pod": 1},
    "suspects": {"crash web": 9.0},
    "services": {"web": [1, 2]},
    "waiting": "web is complete, watching for 20 s",
    "clearing": "",
}


async def test_a_promotion_in_flight_of_an_older_version_goes_on_after_an_upgrade(store):
    await seed(store)
    async with store.transaction() as tx:
        await tx.add_promotion(make_promotion(R, P, phase=Phase.UPDATING))
        await tx._session.connection.execute(
            "UPDATE promotions SET progress = ? WHERE id = ?", (tx._vault.seal(OF_BEFORE), P)
        )
    progress = (await store.read.promotion(P)).progress
    assert (progress.watched, progress.moved, progress.suspects) == (12.5, 3.0, {"crash web": 9.0})
    assert progress.services == {"web": (1, 2)}
    assert progress.pods["pod"].baseline == 1, "a restart is counted from where it was"
    again = judge(
        progress,
        Observation(synced=True, services=(service(restarts={"pod": 1}, desired=1),)),
        bundle=Bundle(release=R, app="myapp", objects=(), services=(OLD_WEB,), digest=""),
        limits=Limits(),
        elapsed=1.0,
    )
    assert again.event is None, "its window begins anew"
    assert again.progress.pods["pod"].service == "web"


def test_a_progress_of_a_newer_version_can_be_read_too():
    assert progress_of({**OF_BEFORE, "waves": {}, "pods": {"a": {"service": "web", "mood": 1}}}).pods == {
        "a": PodProgress(service="web")
    }
