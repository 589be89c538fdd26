"""A kubelet's answers about logs, in its words."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.playground.kubelet.logs import (
    BadLogRequest,
    ContainerLog,
    LogOptions,
    choose_run,
    read_log_options,
    render,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENDED = {"terminated": {"exitCode": 1, "containerID": "containerd://1"}}


def pod(state, last=None):
    status = {"name": "main", "state": state, "lastState": last or {}}
    return {"metadata": {"name": "web-1"}, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("ErrImagePull", "image can't be pulled"),
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("ContainerCreating", "ContainerCreating"),
        ("CreateContainerConfigError", "CreateContainerConfigError"),
    ],
)
def test_a_container_that_has_not_run_says_what_it_waits_for(reason, said):
    with pytest.raises(BadLogRequest) as refused:
        choose_run(pod({"waiting": {"reason": reason}}), "main", previous=False)
    assert str(refused.value) == f'container "main" in pod "web-1" is waiting to start: {said}'


def test_between_two_runs_current_and_previous_are_the_same_log():
    backing_off = pod({"waiting": {"reason": "CrashLoopBackOff"}}, ENDED)
    assert choose_run(backing_off, "main", previous=False) is False
    assert choose_run(backing_off, "main", previous=True) is False


def test_a_second_run_has_a_log_before_it_and_the_first_has_none():
    running = {"running": {"startedAt": "2026-11-24T12:00:00Z"}}
    assert choose_run(pod(running, ENDED), "main", previous=True) is True
    assert choose_run(pod(running, ENDED), "main", previous=False) is False
    with pytest.raises(BadLogRequest, match='previous terminated container "main" in pod "web-1" not found'):
        choose_run(pod(running), "main", previous=True)


def test_a_container_that_was_lost_or_is_unknown_has_no_log():
    lost = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}
    with pytest.raises(BadLogRequest, match='container "main" in pod "web-1" is terminated'):
        choose_run(pod(lost), "main", previous=False)
    with pytest.raises(BadLogRequest, match='container "other" in pod "web-1" is not available'):
        choose_run(pod(lost), "other", previous=False)


def test_a_restart_turns_the_page():
    container_log = ContainerLog()
    container_log.write("one\n", NOON)
    container_log.start_new_run()
    container_log.write("two\nthree\n", NOON)
    assert [line.text for line in container_log.previous] == ["one"]
    assert [line.text for line in container_log.current] == ["two", "three"]


def test_an_answer_is_cut_by_time_lines_and_bytes():
    container_log = ContainerLog()
    for second in range(4):
        container_log.write(f"line {second}\n", NOON + timedelta(seconds=second))
    assert render(container_log.current, LogOptions()) == b"line 0\nline 1\nline 2\nline 3\n"
    assert render(container_log.current, LogOptions(tail_lines=2)) == b"line 2\nline 3\n"
    assert render(container_log.current, LogOptions(tail_lines=0)) == b""
    assert render(container_log.current, LogOptions(since=NOON + timedelta(seconds=3))) == b"line 3\n"
    assert render(container_log.current, LogOptions(limit_bytes=9)) == b"line 0\nli"
    assert (
        render(container_log.current[:1], LogOptions(timestamps=True))
        == b"2026-11-24T12:00:00.000000000Z line 0\n"
    )


def test_the_query_is_read_by_the_names_of_the_api():
    asked = {
        "previous": "true",
        "follow": "true",
        "timestamps": "true",
        "tailLines": "5",
        "limitBytes": "9",
        "sinceTime": "2026-11-24T12:00:00Z",
    }
    assert read_log_options(asked, NOON) == LogOptions(
        previous=True, follow=True, timestamps=True, tail_lines=5, limit_bytes=9, since=NOON
    )
    assert read_log_options({"sinceSeconds": "60"}, NOON) == LogOptions(since=NOON - timedelta(seconds=60))
    assert read_log_options({}, NOON) == LogOptions()
    with pytest.raises(ValueError, match="invalid literal"):
        read_log_options({"tailLines": "all"}, NOON)
