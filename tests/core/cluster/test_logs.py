"""The last lines of processes: put in order, never with a value, and with a word for whatever is missing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.evidence import MAX_LINE_CHARS
from core.cluster.logs import LIMIT_BYTES, MOST_PROCESSES, aligned, lines_of, read_logs
from core.errors import Rejected, Unreachable
from core.records.environment import MASK
from core.records.process_log import LogRequest, ProcessLog
from core.redaction import Redactor
from tests.core.cluster.faultserver import Answer, faulty, refused
from tests.core.cluster.live import HOME, MANIFEST, live
from tests.core.cluster.things import pod
from tests.fakes import NO_SECRETS

SECRET = "correct-horse-battery-staple"
REDACT = Redactor([SECRET, "first line of a key\nsecond line of a key"])
EVERYTHING = LogRequest()


def at(second: int, text: str) -> str:
    return f"2026-11-24T10:00:{second:02d}.123456789Z {text}\n"


def listed(*names: str) -> Answer:
    items = [
        pod(
            name,
            metadata={
                "name": name,
                "creationTimestamp": f"2026-11-24T10:00:{n:02d}Z",
                "labels": {"service": "web"},
            },
        )
        for n, name in enumerate(names)
    ]
    return Answer(body={"kind": "PodList", "items": items, "metadata": {"resourceVersion": "1"}})


async def asked(
    *logs: Answer,
    request: LogRequest = EVERYTHING,
    redact: Redactor = NO_SECRETS,
    names: tuple[str, ...] = ("web-1",),
) -> tuple[ProcessLog, list[Any]]:
    async with faulty() as (server, client):
        server.lists, server.others = [listed(*names)], list(logs)
        return await read_logs(client, HOME, request, redact), server.calls


async def test_it_asks_for_the_last_lines_with_their_times_and_no_more_than_it_can_hold():
    log, calls = await asked(Answer(body=at(1, "hello").encode()), request=LogRequest(lines=20, since=600))
    assert [(str(line.at), line.service, line.process, line.text) for line in log.lines] == [
        ("2026-11-24 10:00:01.123456+00:00", "web", "web-1", "hello")
    ]
    query = calls[1][1]
    assert (query["container"], query["timestamps"], query["sinceSeconds"]) == ("main", "true", "600")
    assert (query["tailLines"], query["limitBytes"]) == ("120", str(LIMIT_BYTES))


async def test_lines_of_several_processes_stand_in_the_order_of_their_times():
    first, second = at(1, "a") + at(3, "c"), at(2, "b") + at(4, "d")
    log, _ = await asked(
        Answer(body=first.encode()),
        Answer(body=second.encode()),
        names=("web-1", "web-2"),
        request=LogRequest(lines=3),
    )
    assert [line.text for line in log.lines] == ["b", "c", "d"]


async def test_a_text_is_looked_for_in_many_lines_and_only_where_values_are_masked():
    body = "".join(at(n, text) for n, text in enumerate(["token " + SECRET, "plain", f"{MASK} seen"]))
    found, calls = await asked(Answer(body=body.encode()), request=LogRequest(containing=MASK), redact=REDACT)
    assert [line.text for line in found.lines] == [f"token {MASK}", f"{MASK} seen"]
    assert calls[1][1]["tailLines"] == "10000"
    probed, _ = await asked(
        Answer(body=body.encode()), request=LogRequest(containing=SECRET[:12]), redact=REDACT
    )
    assert probed.lines == (), "whoever guesses must not be told"


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (refused(400, "BadRequest", 'container "main" in pod "web-1" is waiting to start: ContainerCreating'),
         'web-2 has no log: container "main" in pod "web-1" is waiting to start: ContainerCreating'),
        (refused(404, "NotFound", 'pods "web-1" not found'), ""),
        (Answer(body=b"unable to retrieve container logs for containerd://4f2a"), ""),
        (Answer(status=204), ""),
    ],
)  # fmt: skip
async def test_a_process_without_a_log_keeps_no_other_from_being_shown(answer: Answer, note: str):
    log, _ = await asked(answer, Answer(body=at(1, "hello").encode()), names=("web-1", "web-2"))
    assert [line.text for line in log.lines] == ["hello"]
    assert log.notes == ((note,) if note else ())


async def test_one_that_cannot_be_asked_is_named_and_if_it_is_all_of_them_there_is_no_answer():
    log, _ = await asked(Answer(status=500), Answer(body=at(1, "hello").encode()), names=("web-1", "web-2"))
    assert [line.text for line in log.lines] == ["hello"]
    (note,) = log.notes
    assert "could not be asked: " in note
    with pytest.raises(Unreachable, match="^web-1 could not be asked: "):
        await asked(Answer(status=500))


async def test_a_missing_right_is_the_answer():
    with pytest.raises(Rejected, match="may not get"):
        await asked(
            refused(403, "Forbidden", 'cannot get resource "pods/log" in API group "" in the namespace "x"')
        )


async def test_a_log_that_was_cut_says_that_its_newest_lines_are_missing():
    body = at(1, "x" * LIMIT_BYTES).encode()[:LIMIT_BYTES]
    log, _ = await asked(Answer(body=body))
    assert log.notes == ("web-1 has written more than 1 MiB since then: its newest lines are missing",)
    assert len(log.lines[0].text) == MAX_LINE_CHARS + 1


async def test_of_many_processes_the_newest_are_asked_and_that_is_said():
    names = tuple(f"web-{n:02d}" for n in range(MOST_PROCESSES + 1))
    log, calls = await asked(*[Answer(body=b"")] * MOST_PROCESSES, names=names)
    assert log.notes == ("the newest 20 of 21 processes were asked: name a service",)
    assert len(calls) == MOST_PROCESSES + 1


async def test_a_value_over_several_lines_is_found_although_each_line_has_its_time():
    body = (
        at(1, "begin")
        + at(2, "first line of")
        + at(3, "a key second line of")
        + at(4, "a key")
        + at(5, "end")
    )
    lines = await lines_of(body, pod("web-1"), Redactor(["first line of a key second line of a key"]))
    assert [(line.at and line.at.second, line.text) for line in lines] == [
        (1, "begin"),
        (2, MASK),
        (5, "end"),
    ]


async def test_a_line_without_a_time_is_shown_without_one():
    (line,) = await lines_of("no time here\n", pod("web-1"), NO_SECRETS)
    assert (line.at, line.text) == (None, "time here")


async def test_a_pod_without_a_container_of_ours_is_asked_for_its_first():
    log, calls = await asked(Answer(body=b""))
    assert calls[1][1]["container"] == "main"
    async with faulty() as (server, client):
        odd = pod("odd", spec={"containers": [{"name": "x"}]})
        server.lists, server.others = (
            [Answer(body={"kind": "PodList", "items": [odd], "metadata": {}})],
            [Answer(body=b"")],
        )
        log = await read_logs(client, HOME, EVERYTHING, NO_SECRETS)
        assert server.calls[1][1]["container"] == "x"
    assert log.lines == ()


@given(
    st.lists(st.sampled_from(["a", "b", MASK]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", MASK]), max_size=6),
)
def test_every_line_gets_a_time_whatever_was_masked(texts: list[str], masked: list[str]):
    times = [str(n) for n, _ in enumerate(texts)]
    found = aligned(times, texts, masked)
    assert len(found) == len(masked)
    assert set(found) <= set(times)


async def test_the_lines_of_a_simulated_cluster_have_their_times_and_their_youth():
    async with live() as on:
        await on.apply(on.bundle(manifest=MANIFEST))
        log = ProcessLog()
        while not log.lines:
            await on.clock.sleep(0.2)
            log = await on.cluster.logs("myapp", EVERYTHING, NO_SECRETS)
        assert all(line.at and line.service == "web" for line in log.lines)
        assert "starting, pid 1" in log.lines[0].text
        assert (await on.cluster.logs("myapp", LogRequest(service="worker"), NO_SECRETS)).lines == ()
        await on.clock.sleep(30)
        assert (await on.cluster.logs("myapp", LogRequest(since=5), NO_SECRETS)).lines == ()
