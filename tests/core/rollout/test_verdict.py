"""The rules of time: settle windows, early failure, deadlines, and clocks that stand still."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.promotion import PromotionEvent
from core.records.bundle import Bundle, BundleService, Ref
from core.records.observation import (
    Diagnosis,
    DiagnosisKind,
    Observation,
    PodMilestone,
    Readiness,
    ServiceState,
)
from core.records.progress import Limits, Progress, Settling
from core.rollout.verdict import Verdict, judge
from core.rollout.verifying import timed
from tests.fakes import MISSING_IMAGE, START, broken, progressing, service

WEB = BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=10.0, soak=20.0)
WORKER = BundleService(name="worker", workload=Ref("Deployment", "worker"), count=2, settle=10.0, soak=20.0)
NO_LIMITS = Limits(deadline=1e9, longest=1e9)


def bundle(*services: BundleService) -> Bundle:
    return Bundle(release="RAAAAAAAAAA", app="myapp", objects=(), services=services or (WEB,), digest="")


class Watching:
    """Looks, one after the other, a second apart unless the test says otherwise."""

    def __init__(self, target: Bundle | None = None, limits: Limits | None = None, *, removal: bool = False):
        self.target = None if removal else target or bundle()
        self.limits = limits or Limits()
        self.progress = Progress()
        self.unchanged = False
        self.earlier_pods: dict[str, int] = {}

    def look(self, *services: ServiceState, seconds: float = 1.0, synced: bool = True) -> Verdict:
        verdict = judge(
            self.progress,
            Observation(synced=synced, services=services),
            bundle=self.target,
            limits=self.limits,
            elapsed=seconds,
            earlier_pods=self.earlier_pods,
            unchanged=self.unchanged,
        )
        self.progress = verdict.progress
        return verdict

    def looks(self, seconds: int, *services: ServiceState) -> None:
        """Look once a second, and nothing must come of it."""
        for second in range(seconds):
            verdict = self.look(*services)
            assert verdict.event is None, f"{verdict.event} after {second + 1} s: {verdict.cause}"

    def until(self, *services: ServiceState, most: int = 5000) -> tuple[int, Verdict]:
        for seconds in range(1, most):
            verdict = self.look(*services)
            if verdict.event:
                return seconds, verdict
        raise AssertionError("no verdict")


def pods(*names: str, **changes: Any) -> ServiceState:
    """A complete service of just these pods."""
    return service(restarts=dict.fromkeys(names, 0), desired=len(names), **changes)


def test_complete_is_not_verified_before_the_window_is_over():
    watching = Watching()
    seconds, verdict = watching.until(service())
    assert verdict.event is PromotionEvent.VERIFIED
    assert seconds == 21, "the window began at the first look"


def test_pods_that_stood_their_window_before_need_no_new_one():
    watching = Watching()
    watching.earlier_pods = {"web-1": 0, "web-2": 3}
    assert watching.look(service(restarts={"web-1": 0, "web-2": 3})).event is PromotionEvent.VERIFIED


def test_one_that_was_restarted_since_has_to_stand_it_again():
    watching = Watching()
    watching.earlier_pods = {"web-1": 0, "web-2": 3}
    restarted = service(restarts={"web-1": 0, "web-2": 4})
    assert watching.until(restarted)[0] == 11, "the other one speaks for the template"


def test_nothing_changed_and_complete_needs_no_window():
    watching = Watching()
    watching.unchanged = True
    assert watching.look(service(), seconds=0).event is PromotionEvent.VERIFIED


def test_complete_later_needs_a_window_though_nothing_changed():
    watching = Watching()
    watching.unchanged = True
    watching.look(progressing(milestone=PodMilestone.CREATED), seconds=0)
    watching.look(progressing(milestone=PodMilestone.CREATED))
    assert watching.look(service()).event is None, "it may be a moment between two crashes"
    assert watching.until(service())[0] == 20


def test_the_window_runs_from_the_start_of_a_container_and_ten_seconds_from_its_readiness():
    quick, slow = Watching(), Watching()
    quick.looks(5, progressing())
    assert quick.until(service())[0] == 16, "20 s since the start, of which 5 have passed"
    slow.looks(60, progressing())
    assert slow.until(service())[0] == 11, "10 s since it became ready"


def test_a_pod_that_flaps_begins_its_ten_seconds_anew():
    watching = Watching()
    watching.looks(18, service())
    watching.looks(1, progressing(ready=1))
    assert watching.until(service())[0] == 11


def test_pods_that_stood_the_whole_window_speak_for_those_that_come_later():
    """A surge in steps: the last pod needs its ten seconds of readiness only."""
    watching = Watching()
    first = progressing(restarts={"web-1": 0, "web-2": 0}, ready=1, milestone=PodMilestone.CREATED)
    watching.looks(25, first)
    assert watching.until(service())[0] == 11


def test_without_one_that_stood_the_whole_window_none_of_them_is_enough():
    watching = Watching()
    for turn in range(6):
        watching.looks(15, pods(f"web-{turn}", f"other-{turn}"))


def test_a_stored_bundle_of_before_keeps_its_window_since_the_last_pod_became_ready():
    old = BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=40.0)
    watching = Watching(bundle(old))
    watching.looks(30, progressing(ready=1))
    assert watching.look(service()).progress.waiting == "web is complete, watching for 40 s"
    assert watching.until(service())[0] == 40


def autoscaled(turn: int, every: int = 15) -> ServiceState:
    """Return a service to which an autoscaler adds a pod every so many seconds; a new one is available after five."""
    count, age = 2 + turn // every, turn % every
    names = dict.fromkeys((f"web-{n}" for n in range(count)), 0)
    if turn >= every and age < 5:
        return progressing(restarts=names, ready=count - (age < 2), desired=count)
    return service(restarts=names, desired=count)


@pytest.mark.parametrize(("every", "most"), [(15, 30), (4, 61)])
def test_an_autoscaler_that_never_rests_neither_restarts_the_window_for_ever_nor_fails_it(every, most):
    watching = Watching()
    for turn in range(most + 1):
        verdict = watching.look(autoscaled(turn, every))
        if verdict.event:
            break
    assert verdict.event is PromotionEvent.VERIFIED, verdict


def test_pods_that_are_drained_one_by_one_fail_nothing_and_restart_nothing():
    """Ten pods, each away for a minute and a half: no more are ever ready than before."""
    watching = Watching(limits=Limits(deadline=100.0))
    names = [f"web-{n}" for n in range(10)]
    watching.looks(10, pods(*names))
    for turn in range(10):
        away = [*names[turn + 1 :], *(f"new-{n}" for n in range(turn + 1))]
        for _ in range(90):
            verdict = watching.look(
                progressing(
                    restarts=dict.fromkeys(away, 0), ready=9, desired=10, milestone=PodMilestone.SCHEDULED
                )
            )
            assert verdict.event is None, verdict
        verdict = watching.look(pods(*away))
        if verdict.event:
            break
    assert verdict.event is PromotionEvent.VERIFIED, verdict
    assert turn <= 1, "nine had stood their window long since"


def test_spot_nodes_that_take_half_the_pods_do_not_end_the_window_before_they_are_back():
    watching = Watching()
    names = [f"web-{n}" for n in range(4)]
    watching.looks(5, pods(*names))
    half = progressing(
        restarts=dict.fromkeys([*names[:2], "new-1", "new-2"], 0),
        ready=2,
        desired=4,
        milestone=PodMilestone.CREATED,
    )
    watching.looks(100, half)
    assert watching.look(pods(*names[:2], "new-1", "new-2")).event is None
    assert watching.until(pods(*names[:2], "new-1", "new-2"))[0] == 10


def test_a_service_that_was_never_complete_is_not_outlasted():
    watching = Watching(limits=NO_LIMITS)
    watching.looks(500, progressing(ready=1))


def test_silence_is_taken_back_and_nothing_gets_older_by_it():
    watching = Watching()
    watching.looks(4, service())
    watching.looks(15, service())
    assert watching.look(seconds=-15, synced=False).progress.watched == 4
    assert watching.until(service())[0] == 17, "three of twenty seconds were watched"


def test_a_pod_that_was_met_within_what_turned_out_to_be_silence_is_no_older_for_it():
    watching = Watching()
    watching.looks(10, progressing(milestone=PodMilestone.CREATED))
    watching.looks(10, service())
    watching.look(seconds=-15, synced=False)
    assert watching.until(service())[0] == 20


def test_blind_time_counts_for_nothing():
    watching = Watching(limits=Limits(deadline=30))
    watching.look(progressing())
    for _ in range(100):
        verdict = watching.look(progressing(), seconds=60, synced=False)
        assert verdict.event is None
        assert "the clocks stand still" in verdict.progress.waiting
    assert watching.look(progressing()).event is None


def test_without_progress_the_deadline_ends_it():
    watching = Watching(limits=Limits(deadline=30))
    seconds, verdict = watching.until(progressing(started=1))
    assert (seconds, verdict.event) == (31, PromotionEvent.OVERDUE)
    assert verdict.cause == "no progress for 30 s: web: 0 of 2 new pods are ready"


def test_every_first_step_of_a_pod_is_progress():
    watching = Watching(limits=Limits(deadline=30))
    for step in sorted(PodMilestone)[:-1]:
        watching.looks(25, progressing(started=1, milestone=step))
    watching.looks(25, progressing(ready=1, started=1))


def test_a_pod_that_takes_the_place_of_another_is_progress():
    watching = Watching(limits=Limits(deadline=30))
    for turn in range(10):
        watching.looks(25, progressing(restarts={f"web-{turn}": 0}))


def test_a_step_back_and_forth_again_is_no_progress():
    watching = Watching(limits=Limits(deadline=30))
    watching.look(progressing(ready=1, started=2))
    for turn in range(60):
        verdict = watching.look(progressing(ready=turn % 2, started=2))
        if verdict.event:
            break
    assert verdict.event is PromotionEvent.OVERDUE
    assert turn <= 31


def test_a_pull_of_twelve_minutes_is_progress():
    watching = Watching()
    watching.looks(720, progressing(milestone=PodMilestone.PULLING))
    watching.looks(500, progressing(milestone=PodMilestone.STARTED))


def test_a_pull_that_never_ends_is_ended_by_the_longest_time():
    seconds, verdict = Watching(limits=Limits(longest=1000)).until(
        progressing(milestone=PodMilestone.PULLING)
    )
    assert (seconds, verdict.event) == (1000, PromotionEvent.OVERDUE)


def test_a_start_has_the_patience_that_its_checks_allow():
    """`health.grace: 700` beside a deadline of 600 s."""
    watching = Watching(bundle(replace(WEB, patience=784.0)))
    seconds, verdict = watching.until(progressing())
    assert (seconds, verdict.event) == (785, PromotionEvent.OVERDUE)
    assert verdict.cause.startswith("no progress for 784 s")
    assert verdict.progress.patience == 784.0, "for the card"


def test_the_patience_of_a_service_that_is_complete_is_no_other_ones():
    watching = Watching(bundle(replace(WEB, patience=784.0), WORKER), Limits(deadline=60))
    assert watching.until(service(), progressing("worker"))[0] == 61


def test_a_settling_rollout_is_not_idle():
    watching = Watching(bundle(replace(WEB, settle=100.0)), Limits(deadline=30))
    seconds, verdict = watching.until(service())
    assert verdict.event is PromotionEvent.VERIFIED
    assert seconds == 101


def test_the_longest_time_ends_even_what_makes_progress():
    watching = Watching(limits=Limits(deadline=30, longest=100))
    for turn in range(1, 200):
        verdict = watching.look(progressing(started=turn))
        if verdict.event:
            break
    assert (turn, verdict.event) == (100, PromotionEvent.OVERDUE)
    assert verdict.cause.startswith("not finished after 100 s")


def test_a_permanent_trouble_must_be_seen_for_five_seconds():
    watching = Watching()
    seconds, verdict = watching.until(broken())
    assert (seconds, verdict.event, verdict.cause) == (6, PromotionEvent.BROKEN, MISSING_IMAGE.sentence)


def test_a_trouble_that_goes_away_is_forgotten():
    watching = Watching()
    for _ in range(10):
        for _ in range(4):
            assert watching.look(broken()).event is None
        watching.look(progressing())


def test_a_trouble_of_one_pod_of_two_is_waited_for():
    watching = Watching()
    partly = replace(MISSING_IMAGE, everywhere=False)
    for _ in range(60):
        assert watching.look(broken(diagnosis=partly)).event is None


@pytest.mark.parametrize(
    "kind",
    [DiagnosisKind.QUOTA, DiagnosisKind.LIMITS, DiagnosisKind.ADMISSION, DiagnosisKind.SERVICE_ACCOUNT],
)
def test_admission_errors_are_given_half_a_minute(kind: DiagnosisKind):
    watching = Watching()
    seconds, verdict = watching.until(broken(diagnosis=replace(MISSING_IMAGE, kind=kind)))
    assert (seconds, verdict.event) == (31, PromotionEvent.BROKEN)


def crash(restarts: int, *, down: bool = True, kind: DiagnosisKind = DiagnosisKind.CRASH) -> Diagnosis:
    return Diagnosis(kind=kind, sentence="web exits with code 1", pod="web-1", restarts=restarts, down=down)


def test_a_crash_counts_once_the_restarts_are_used_up_and_it_is_down_again():
    watching = Watching(limits=Limits(crashes=2))
    assert watching.look(progressing(diagnoses=(crash(1),))).event is None
    assert watching.look(progressing(diagnoses=(crash(2, down=False),))).event is None
    assert watching.look(progressing(diagnoses=(crash(2),))).event is PromotionEvent.BROKEN


def test_out_of_memory_twice_is_enough():
    watching = Watching(limits=Limits(crashes=2))
    assert watching.look(progressing(diagnoses=(crash(0, kind=DiagnosisKind.MEMORY),))).event is None
    assert (
        watching.look(progressing(diagnoses=(crash(1, kind=DiagnosisKind.MEMORY),))).event
        is PromotionEvent.BROKEN
    )


def test_a_restart_within_the_window_fails_it():
    watching = Watching()
    for _ in range(10):
        watching.look(service())
    verdict = watching.look(progressing(ready=1, restarts={"web-1": 1, "web-2": 0}))
    assert verdict.event is PromotionEvent.BROKEN


def test_a_restart_is_noticed_although_the_pod_is_ready_again_at_the_next_look():
    watching = Watching()
    for _ in range(10):
        watching.look(service())
    assert watching.look(service(restarts={"web-1": 1, "web-2": 0})).event is PromotionEvent.BROKEN


def test_the_policy_may_allow_restarts_within_the_window():
    watching = Watching(limits=Limits(restarts=1))
    for _ in range(10):
        watching.look(service())
    restarted = {"web-1": 1, "web-2": 0}
    assert watching.look(service(restarts=restarted)).event is None
    assert watching.look(service(restarts={"web-1": 1, "web-2": 1})).event is PromotionEvent.BROKEN


def test_a_crash_in_the_first_seconds_is_a_crash_at_start():
    """Without a readiness probe a container is ready in the instant it runs."""
    watching = Watching()
    watching.look(progressing(ready=2))
    assert watching.look(progressing(ready=1, restarts={"web-1": 1, "web-2": 0})).event is None


def test_restarts_before_the_window_do_not_count():
    watching = Watching()
    watching.look(progressing(restarts={"web-1": 2, "web-2": 0}))
    _, verdict = watching.until(service(restarts={"web-1": 2, "web-2": 0}))
    assert verdict.event is PromotionEvent.VERIFIED


def test_every_service_must_settle():
    watching = Watching(bundle(WEB, WORKER))
    watching.looks(60, service(), progressing("worker"))
    seconds, verdict = watching.until(service(), service("worker"))
    assert (seconds, verdict.event) == (11, PromotionEvent.VERIFIED)


def test_a_service_that_is_not_seen_at_all_is_not_verified():
    watching = Watching(bundle(WEB, WORKER))
    for _ in range(60):
        assert watching.look(service()).event is not PromotionEvent.VERIFIED


def test_no_pods_at_all_is_success_that_says_so():
    watching = Watching()
    verdict = watching.look(service(desired=0, started=0, ready=0, restarts={}))
    assert (verdict.event, verdict.nothing_ran) == (PromotionEvent.VERIFIED, True)


def test_what_can_never_become_right_fails_at_once():
    watching = Watching()
    lost = progressing()
    verdict = watching.look(replace(lost, readiness=Readiness.FAILED, sentence="it was replaced"))
    assert (verdict.event, verdict.cause) == (PromotionEvent.BROKEN, "web: it was replaced")


def test_a_removal_is_done_when_nothing_is_left():
    watching = Watching(removal=True)
    assert watching.look(progressing()).event is None
    assert watching.look().event is PromotionEvent.VERIFIED


def test_what_is_awaited_is_said():
    watching = Watching()
    assert watching.look(progressing(ready=1)).progress.waiting == "web: 1 of 2 new pods are ready"
    assert watching.look(service()).progress.waiting == "web is complete, watching for 20 s"
    assert watching.look(broken()).progress.waiting == MISSING_IMAGE.sentence
    slow = replace(MISSING_IMAGE, early=True, permanent=False)
    assert watching.look(progressing(diagnoses=(slow,))).progress.waiting == "web: 0 of 2 new pods are ready"


def test_a_settle_window_is_a_value_and_over_with_whatever_is_awaited_next():
    watching = Watching()
    assert watching.look(progressing()).progress.settling is None
    assert watching.look(service()).progress.settling == Settling(service="web", seconds=20.0)
    assert watching.look(synced=False).progress.settling is None
    assert watching.look(service()).progress.settling is not None
    quoting = replace(MISSING_IMAGE, sentence="image web:nope does not exist: watching for 30 s")
    assert watching.look(broken(diagnosis=quoting)).progress.settling is None


# Of each of three pods: gone, there, ready, or ready after a restart; and how long until the next look, below 0 for a
# blind one.
LOOKS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["", "there", "ready", "again"]), min_size=3, max_size=3), st.floats(-9, 9)
    ),
    max_size=60,
)


@given(LOOKS)
def test_success_is_only_ever_said_of_pods_that_were_seen_ready_for_long_enough(looks):
    """Whatever came before: as many pods as are wanted have been ready for ten seconds of what was watched."""
    watching = Watching(limits=Limits(deadline=1e9, longest=1e9, restarts=1000))
    restarts = [0, 0, 0]
    ready_for = [0.0, 0.0, 0.0]
    for whats, seconds in looks:
        if seconds < 0:
            assert watching.look(seconds=0.0, synced=False).event is None
            continue
        before, seen = list(ready_for), {}
        for n, what in enumerate(whats):
            restarts[n] += what == "again"
            again_or_new = what == "again" or ready_for[n] < 0
            ready_for[n] = 0.0 if again_or_new else before[n] + seconds if what == "ready" else -1.0
            if what:
                seen[f"web-{n}"] = restarts[n]
        count = sum(what in {"ready", "again"} for what in whats)
        order = sorted(seen, key=lambda uid: whats[int(uid[-1])] == "there")
        state = progressing if count < 2 else service
        verdict = watching.look(
            state(restarts={uid: seen[uid] for uid in order}, ready=count), seconds=seconds
        )
        if verdict.event is PromotionEvent.VERIFIED:
            assert count >= 2
            churned = watching.progress.watched - watching.progress.complete["web"].at >= 3 * WEB.soak
            assert churned or all(t >= WEB.settle - 0.001 for t in ready_for if t >= 0)
            return


DATABASE = BundleService(
    name="resource-db",
    workload=Ref("StatefulSet", "resource-db"),
    count=1,
    settle=10.0,
    soak=20.0,
    resource="db",
)


def crashing(restarts: int, *, down: bool = True) -> ServiceState:
    crash = Diagnosis(
        kind=DiagnosisKind.CRASH,
        sentence="web crashes",
        pod="web-1",
        pod_uid="web-1",
        restarts=restarts,
        down=down,
    )
    return progressing(restarts={"web-1": restarts}, diagnoses=(crash,))


def test_a_crash_is_not_held_against_a_release_while_what_it_needs_is_not_ready():
    on = Watching(bundle(WEB, DATABASE), NO_LIMITS)
    late = progressing("resource-db", released=False)
    for restarts in range(5):
        assert on.look(crashing(restarts), late).event is None
    ready = service("resource-db", restarts={"db-0": 0}, desired=1, released=False)
    # The restarts of before are forgotten, those that follow count.
    assert on.look(crashing(4), ready).event is None
    assert on.look(crashing(5), ready).event is None
    assert on.look(crashing(6), ready).event is PromotionEvent.BROKEN


def test_a_database_that_crashes_itself_has_no_excuse():
    on = Watching(bundle(WEB, DATABASE), NO_LIMITS)
    crash = Diagnosis(
        kind=DiagnosisKind.CRASH, sentence="db crashes", pod="db-0", pod_uid="db-0", restarts=2, down=True
    )
    late = progressing("resource-db", restarts={"db-0": 2}, diagnoses=(crash,), released=False)
    assert on.look(service(), late).event is PromotionEvent.BROKEN


def test_pods_of_a_resource_alone_are_no_proof_of_a_release():
    on = Watching(bundle(replace(WEB, count=0), DATABASE), NO_LIMITS)
    nothing = service(started=0, desired=0)
    ready = service("resource-db", restarts={"db-0": 0}, desired=1, released=False)
    verdict = on.look(nothing, ready)
    for _ in range(40):
        if verdict.event:
            break
        verdict = on.look(nothing, ready)
    assert (verdict.event, verdict.nothing_ran) == (PromotionEvent.VERIFIED, True)


def test_the_end_of_a_window_is_a_moment_that_moves_only_where_it_really_does():
    window = Settling(service="web", seconds=20.0, left=18.0)
    first = timed(window, None, START)
    later = timed(replace(window, left=13.5), first, START + timedelta(seconds=5))
    slower = timed(replace(window, left=18.0), first, START + timedelta(seconds=5))

    assert first.until == START + timedelta(seconds=18)
    assert later == first
    assert slower.until == START + timedelta(seconds=23)
    other = timed(replace(window, service="worker"), first, START + timedelta(seconds=1))
    assert other.until == START + timedelta(seconds=19)
    assert timed(None, first, START) is None
