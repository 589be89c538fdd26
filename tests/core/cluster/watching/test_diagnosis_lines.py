"""How often a thread hears of a trouble."""

from datetime import UTC, datetime, timedelta

from core.cluster.watching.lines import diagnosis_lines
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
