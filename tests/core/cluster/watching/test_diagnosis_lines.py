"""How often a thread hears of a trouble."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.cluster.watching.lines import RepeatLimiter, diagnosis_lines
from core.records.observation import Diagnosis, DiagnosisKind

START = datetime(2026, 11, 24, 10, 0, 0, 500_000, tzinfo=UTC)


def crash(times: int, fact: str = "web exits with code 1") -> Diagnosis:
    return Diagnosis(
        kind=DiagnosisKind.CRASH,
        sentence=f"{fact}, restarted {times} times",
        fact=fact,
        pod="web-abc-1",
        times=times,
    )


def test_a_trouble_is_told_once_then_counted_at_most_once_a_minute():
    said, new_lines = diagnosis_lines({}, {"web": [crash(1)]}, START)
    assert [str(line) for line in new_lines] == [
        "2026-11-24T10:00:00Z system/k8s/web-abc-1 web exits with code 1"
    ]
    said, new_lines = diagnosis_lines(said, {"web": [crash(5)]}, START + timedelta(seconds=59))
    assert new_lines == ()
    said, new_lines = diagnosis_lines(said, {"web": [crash(6)]}, START + timedelta(seconds=60))
    assert [line.text for line in new_lines] == ["web exits with code 1 ×6"]
    _, new_lines = diagnosis_lines(said, {"web": [crash(7)]}, START + timedelta(seconds=119))
    assert new_lines == ()


def test_what_does_not_happen_again_is_not_told_again():
    said, _ = diagnosis_lines({}, {"web": [crash(3)]}, START)
    assert diagnosis_lines(said, {"web": [crash(3)]}, START + timedelta(hours=1))[1] == ()


def test_another_fact_is_another_line_and_another_service_too():
    said, _ = diagnosis_lines({}, {"web": [crash(1)]}, START)
    _, new_lines = diagnosis_lines(
        said, {"web": [crash(1, "web exits with code 2")], "worker": [crash(1)]}, START
    )
    assert len(new_lines) == 2


def test_after_a_restart_of_the_bot_the_first_line_has_the_same_key():
    first = diagnosis_lines({}, {"web": [crash(1)]}, START)[1]
    again = diagnosis_lines({}, {"web": [crash(9)]}, START + timedelta(hours=1))[1]
    assert first[0].key == again[0].key


def test_a_trouble_without_a_pod_stands_at_its_service():
    paused = Diagnosis(kind=DiagnosisKind.PAUSED, sentence="the rollout of web is paused")
    assert diagnosis_lines({}, {"web": [paused]}, START)[1][0].object == "web"


def counting(used: int, kind: DiagnosisKind = DiagnosisKind.QUOTA, times: int = 1) -> Diagnosis:
    fact = f"the quota allows no new pod: used: pods={used}"
    return Diagnosis(kind=kind, sentence=fact, fact=fact, times=times)


@pytest.mark.parametrize("kind", [DiagnosisKind.QUOTA, DiagnosisKind.UNSCHEDULABLE])
def test_what_counts_others_is_told_anew_once_a_minute_for_a_service_and_kind(kind: DiagnosisKind):
    said: dict[str, RepeatLimiter] = {}
    told = []
    for second in range(180):
        # Another number at each look, and back again; more often seen each time.
        look = {"web": [counting(second % 3, kind, times=second)], "worker": [counting(second, kind)]}
        said, new_lines = diagnosis_lines(said, look, START + timedelta(seconds=second))
        told += [(second, line.object) for line in new_lines]
    assert told == [(at, service) for at in (0, 60, 120) for service in ("web", "worker")]


def test_another_kind_does_not_wait_for_it():
    said, _ = diagnosis_lines({}, {"web": [counting(1)]}, START)
    both = {"web": [counting(2), counting(1, DiagnosisKind.UNSCHEDULABLE), crash(1)]}
    assert len(diagnosis_lines(said, both, START + timedelta(seconds=1))[1]) == 2


def test_what_may_be_a_slow_start_is_no_line_until_it_is_more():
    slow = Diagnosis(
        kind=DiagnosisKind.PROBE, sentence="web runs, but nothing listens on port 3000", early=True
    )
    said, new_lines = diagnosis_lines({}, {"web": [slow]}, START)
    assert new_lines == ()
    late = replace(slow, early=False)
    assert len(diagnosis_lines(said, {"web": [late]}, START + timedelta(seconds=30))[1]) == 1
