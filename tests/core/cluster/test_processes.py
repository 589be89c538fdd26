"""Pods as Convox's processes: its words for their state, whatever workload runs them and whoever has put something in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.cluster.processes import process_of, read_processes, status_word, timer_status
from core.errors import Unreachable
from core.manifest.convox_yml import parse_manifest
from core.records.app_parts import TimerStatus
from core.records.bundle import Ref
from core.records.environment import Environment
from core.records.process import ProcessStatus
from tests.core.cluster.faultserver import Answer, faulty
from tests.core.cluster.live import HOME, MANIFEST, live
from tests.core.cluster.things import pod

TWO = (
    MANIFEST
    + """
  worker:
    image: registry.example/worker:latest
    command: bin/work "two words" --queue ${QUEUE}
"""
)


def lacking(reason: str) -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": "False", "reason": reason}]}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({"phase": "Pending"}, "pending"),
        ({"phase": "Running"}, "running"),
        ({"phase": "Running", **lacking("ContainersNotReady")}, "starting"),
        ({"phase": "Running", **lacking("PodInitializing")}, "starting"),
        ({"phase": "Running", **lacking("ReadinessGatesNotReady")}, "unhealthy"),
        ({"phase": "Succeeded", **lacking("PodCompleted")}, "complete"),
        ({"phase": "Failed"}, "failed"),
        ({"phase": "Unknown"}, "unknown"),
        ({}, "unknown"),
        (
            {
                "phase": "Running",
                "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            },
            "crashed",
        ),
        (
            {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
            "pending",
        ),
    ],
)
def test_a_pod_is_in_convox_words(status: dict[str, Any], word: str):
    assert status_word({"metadata": {"name": "web-1"}, "status": status}) == word


def test_what_an_injected_container_runs_is_not_the_command():
    sidecar = {"name": "proxy", "args": ["proxy", "run"]}
    main = {"name": "main", "args": ["bin/web", "two words"]}
    seen = process_of(pod("web-1", spec={"containers": [sidecar, main]}))
    assert (seen.service, seen.release, seen.command) == ("web", "R2", "bin/web 'two words'")


def test_a_pod_without_any_of_our_marks_is_still_told():
    seen = process_of({"metadata": {"name": "odd"}, "spec": {"containers": [{"name": "x"}]}})
    assert (seen.service, seen.release, seen.started_at, seen.command) == ("", "", None, "")


async def test_what_runs_is_listed_by_service_with_what_each_is_to_have():
    async with live() as on:
        bundle = on.bundle(manifest=TWO, environment={"QUEUE": "mail"})
        await on.apply(bundle)
        await on.cluster.scale("myapp", Ref("Deployment", "web"), 2, token=1)
        seen = await on.cluster.processes("myapp")
        while len(seen.processes) < 3:
            await on.clock.sleep(0.2)
            seen = await on.cluster.processes("myapp")
    assert seen.counts == {Ref("Deployment", "web"): 2, Ref("Deployment", "worker"): 1}
    assert [p.service for p in seen.processes] == ["web", "web", "worker"]
    assert {p.release for p in seen.processes} == {bundle.release}
    assert seen.processes[-1].command == "bin/work 'two words' --queue mail"
    assert all(p.status in ProcessStatus and p.started_at for p in seen.processes)


async def test_a_cluster_that_is_away_is_said_and_not_taken_for_an_empty_one():
    async with faulty() as (server, client):
        server.lists = [Answer(status=503)]
        with pytest.raises(Unreachable):
            await read_processes(client, HOME)


@pytest.mark.parametrize(
    ("live", "status"),
    [
        ({}, TimerStatus()),
        (
            {
                "spec": {"suspend": True},
                "status": {"lastScheduleTime": "2026-11-24T03:00:00Z", "active": [{}, {}]},
            },
            TimerStatus(last_at=datetime(2026, 11, 24, 3, tzinfo=UTC), running=2, suspended=True),
        ),
    ],
)
def test_a_timer_tells_when_it_ran_last_and_what_goes_on(live: dict[str, Any], status: TimerStatus):
    assert timer_status({"metadata": {"name": "timer-x"}, **live}) == status


async def test_timers_and_resources_are_read_from_the_cluster():
    parts = (
        MANIFEST
        + """
timers:
  nightly: {schedule: "0 3 * * *", command: bin/report, service: web}
  hourly: {schedule: "0 * * * *", command: bin/tick, service: web}
resources:
  cache: {type: redis}
"""
    )
    timers = parse_manifest(parts, Environment()).timers
    async with live() as on:
        bundle = on.bundle(manifest=parts)
        assert await on.cluster.timers("myapp", timers) == {}
        await on.apply(bundle)
        assert set(await on.cluster.timers("myapp", timers)) == {"nightly", "hourly"}
        await on.cluster.scale("myapp", Ref("StatefulSet", "resource-cache"), 1, token=1)
        while not (seen := await on.cluster.processes("myapp")).resources:
            await on.clock.sleep(0.2)
    assert seen.resources == {"cache"}
    assert {p.service for p in seen.processes} <= {"web"}
