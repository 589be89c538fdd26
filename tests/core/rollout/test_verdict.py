"""The rules of time: settle windows, early failure, deadlines, and clocks that stand still."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.promotion import Event
from core.records.bundle import Bundle, BundleService, Ref
from core.records.observation import Diagnosis, DiagnosisKind, Observation, Readiness
from core.records.progress import Limits, Progress, Settling
from core.rollout.verdict import Verdict, judge
from tests.fakes import MISSING_IMAGE, START, broken, progressing, service

WEB = BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=20.0)
WORKER = BundleService(name="worker", workload=Ref("Deployment", "worker"), count=2, settle=20.0)


def bundle(*services: BundleService) -> Bundle:
    return Bundle(release="RAAAAAAAAAA", app="myapp", objects=(), services=services or (WEB,), digest="")


class Watching:
    """Looks, one after the other, a second apart unless the test says otherwise."""

    def __init__(self, target: Bundle | None = None, limits: Limits | None = None, *, removal: bool = False):
        self.target = None if removal else target or bundle()
        self.limits = limits or Limits()
        self.progress = Progress()
        self.now = START
        self.unchanged = False
        self.touched = START - timedelta(seconds=2)
        self.known = {"web-1", "web-2"}

    def look(self, *services, seconds: float = 1.0, synced: bool = True) -> Verdict:
        self.now += timedelta(seconds=seconds)
        verdict = judge(
            self.progress,
            Observation(synced=synced, services=services),
            bundle=self.target,
            limits=self.limits,
            elapsed=seconds,
            now=self.now,
            since=START,
            touched=self.touched,
            known=self.known,
            unchanged=self.unchanged,
        )
        self.progress = verdict.progress
        return verdict

    def until(self, *services, most: int = 5000) -> tuple[int, Verdict]:
        for seconds in range(1, most):
            verdict = self.look(*services)
            if verdict.event:
                return seconds, verdict
        raise AssertionError("no verdict")


def ready(seconds: float = 1.0, **more):
    return service(ready_stamp=START + timedelta(seconds=seconds), **more)


def test_complete_is_not_verified_before_the_window_is_over():
    watching = Watching()
    seconds, verdict = watching.until(ready())
    assert verdict.event is Event.VERIFIED
    assert seconds == 21, "the window began at the first look"


def test_another_pod_that_becomes_ready_begins_the_window_anew():
    watching = Watching()
    for _ in range(15):
        assert watching.look(ready(1)).event is None
    seconds, verdict = watching.until(ready(16))
    assert verdict.event is Event.VERIFIED
    assert seconds >= 20


def test_pods_that_were_ready_before_need_no_new_window():
    watching = Watching()
    old = service(ready_stamp=START - timedelta(minutes=10))
    assert watching.look(old).event is Event.VERIFIED


def test_nothing_changed_and_complete_needs_no_window():
    watching = Watching()
    watching.unchanged = True
    assert watching.look(ready(), seconds=0).event is Event.VERIFIED


def test_complete_later_needs_a_window_though_nothing_changed():
    watching = Watching()
    watching.unchanged = True
    watching.look(progressing(), seconds=0)
    watching.look(progressing())
    assert watching.look(ready(2)).event is None, "it may be a moment between two crashes"
    assert watching.until(ready(2))[0] == 20


@pytest.mark.parametrize("behind", [0, 10, 25, 3600])
def test_a_clock_of_a_node_that_is_behind_takes_nothing_from_the_window_of_a_new_pod(behind):
    watching = Watching()
    watching.known = set()
    watching.look(progressing(), seconds=3)
    seconds, verdict = watching.until(ready(4 - behind))
    assert verdict.event is Event.VERIFIED
    # At most the time since the first effect, two seconds before this stage.
    assert 20 - 6 <= seconds <= 21


def test_a_pod_that_was_there_before_keeps_its_age():
    watching = Watching()
    assert watching.look(ready(-3600)).event is Event.VERIFIED


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
    assert (seconds, verdict.event) == (31, Event.OVERDUE)
    assert verdict.cause == "no progress for 30 s: web: 0 of 2 new pods are ready"


def test_a_pod_that_starts_or_becomes_ready_is_progress():
    watching = Watching(limits=Limits(deadline=30))
    for ready_pods in (0, 1):
        for _ in range(25):
            assert watching.look(progressing(ready=ready_pods, started=ready_pods + 1)).event is None


def test_flapping_is_no_progress():
    watching = Watching(limits=Limits(deadline=30))
    watching.look(progressing(ready=1, started=2))
    for turn in range(60):
        verdict = watching.look(progressing(ready=turn % 2, started=2))
        if verdict.event:
            break
    assert verdict.event is Event.OVERDUE
    assert turn <= 31


def test_a_settling_rollout_is_not_idle():
    watching = Watching(bundle(replace(WEB, settle=100.0)), Limits(deadline=30))
    seconds, verdict = watching.until(ready())
    assert verdict.event is Event.VERIFIED
    assert seconds == 101


def test_the_longest_time_ends_even_what_makes_progress():
    watching = Watching(limits=Limits(deadline=30, longest=100))
    for turn in range(1, 200):
        verdict = watching.look(progressing(started=turn))
        if verdict.event:
            break
    assert (turn, verdict.event) == (100, Event.OVERDUE)
    assert verdict.cause.startswith("not finished after 100 s")


def test_a_permanent_trouble_must_be_seen_for_five_seconds():
    watching = Watching()
    seconds, verdict = watching.until(broken())
    assert (seconds, verdict.event, verdict.cause) == (6, Event.BROKEN, MISSING_IMAGE.sentence)


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
    assert (seconds, verdict.event) == (31, Event.BROKEN)


def crash(restarts: int, *, down: bool = True, kind: DiagnosisKind = DiagnosisKind.CRASH) -> Diagnosis:
    return Diagnosis(kind=kind, sentence="web exits with code 1", pod="web-1", restarts=restarts, down=down)


def test_a_crash_counts_once_the_restarts_are_used_up_and_it_is_down_again():
    watching = Watching(limits=Limits(crashes=2))
    assert watching.look(progressing(diagnosis=(crash(1),))).event is None
    assert watching.look(progressing(diagnosis=(crash(2, down=False),))).event is None
    assert watching.look(progressing(diagnosis=(crash(2),))).event is Event.BROKEN


def test_out_of_memory_twice_is_enough():
    watching = Watching(limits=Limits(crashes=2))
    assert watching.look(progressing(diagnosis=(crash(0, kind=DiagnosisKind.MEMORY),))).event is None
    assert watching.look(progressing(diagnosis=(crash(1, kind=DiagnosisKind.MEMORY),))).event is Event.BROKEN


def test_a_restart_within_the_window_fails_it():
    watching = Watching()
    for _ in range(10):
        watching.look(ready())
    verdict = watching.look(progressing(ready=1, started=2, restarts={"web-1": 1, "web-2": 0}))
    assert verdict.event is Event.BROKEN


def test_a_restart_is_noticed_although_the_pod_is_ready_again_at_the_next_look():
    watching = Watching()
    for _ in range(10):
        watching.look(ready())
    assert watching.look(ready(11, restarts={"web-1": 1, "web-2": 0})).event is Event.BROKEN


def test_the_policy_may_allow_restarts_within_the_window():
    watching = Watching(limits=Limits(restarts=1))
    for _ in range(10):
        watching.look(ready())
    restarted = {"web-1": 1, "web-2": 0}
    assert watching.look(ready(11, restarts=restarted)).event is None
    assert watching.look(ready(11, restarts={"web-1": 1, "web-2": 1})).event is Event.BROKEN


def test_a_crash_in_the_first_seconds_is_a_crash_at_start():
    """Without a readiness probe a container is ready in the instant it runs."""
    watching = Watching()
    running = progressing(ready=2, started=2, ready_stamp=START)
    watching.look(running)
    assert watching.look(progressing(ready=1, restarts={"web-1": 1, "web-2": 0})).event is None


def test_restarts_before_the_window_do_not_count():
    watching = Watching()
    watching.look(progressing(restarts={"web-1": 2, "web-2": 0}))
    _, verdict = watching.until(ready(restarts={"web-1": 2, "web-2": 0}))
    assert verdict.event is Event.VERIFIED


def test_every_service_must_settle():
    watching = Watching(bundle(WEB, WORKER))
    for _ in range(60):
        assert watching.look(ready(), progressing("worker", started=2)).event is None
        watching.progress = replace(watching.progress, moved=watching.progress.watched)
    _, verdict = watching.until(ready(), replace(ready(60), name="worker"))
    assert verdict.event is Event.VERIFIED


def test_a_service_that_is_not_seen_at_all_is_not_verified():
    watching = Watching(bundle(WEB, WORKER))
    for _ in range(60):
        assert watching.look(ready()).event is not Event.VERIFIED


def test_no_pods_at_all_is_success_that_says_so():
    watching = Watching()
    verdict = watching.look(service(wanted=0, started=0, ready=0, restarts={}))
    assert (verdict.event, verdict.nothing_ran) == (Event.VERIFIED, True)


def test_what_can_never_become_right_fails_at_once():
    watching = Watching()
    lost = progressing()
    verdict = watching.look(replace(lost, readiness=Readiness.FAILED, sentence="it was replaced"))
    assert (verdict.event, verdict.cause) == (Event.BROKEN, "web: it was replaced")


def test_a_removal_is_done_when_nothing_is_left():
    watching = Watching(removal=True)
    assert watching.look(progressing()).event is None
    assert watching.look().event is Event.VERIFIED


def test_what_is_awaited_is_said():
    watching = Watching()
    assert watching.look(progressing(ready=1)).progress.waiting == "web: 1 of 2 new pods are ready"
    assert watching.look(ready(2)).progress.waiting == "web is complete, watching for 20 s"
    assert watching.look(broken()).progress.waiting == MISSING_IMAGE.sentence


def test_a_settle_window_is_a_value_and_over_with_whatever_is_awaited_next():
    watching = Watching()
    assert watching.look(progressing()).progress.settling is None
    assert watching.look(ready(2)).progress.settling == Settling(service="web", seconds=20.0)
    assert watching.look(synced=False).progress.settling is None
    assert watching.look(ready(2)).progress.settling is not None
    quoting = replace(MISSING_IMAGE, sentence="image web:nope does not exist: watching for 30 s")
    assert watching.look(broken(diagnosis=quoting)).progress.settling is None


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["progressing", "ready", "unsynced", "broken"]),
        st.integers(0, 40),
        st.floats(0.0, 30.0),
    ),
    max_size=60,
)


@given(LOOKS)
def test_success_is_only_ever_said_of_a_look_that_is_complete(looks):
    """Whatever came before: no look that is not complete in every service ends well."""
    watching = Watching(limits=Limits(deadline=1e9, longest=1e9))
    for what, stamp, seconds in looks:
        state = {"progressing": progressing(), "broken": broken()}.get(what, ready(stamp))
        verdict = watching.look(state, seconds=seconds, synced=what != "unsynced")
        if verdict.event is Event.VERIFIED:
            assert what == "ready"
            assert watching.progress.watched - watching.progress.marks["web"] >= WEB.settle
            return
