"""What runs, as JSON: the field names of Convox's API."""

from dataclasses import replace
from datetime import timedelta

from bot.views.process_documents import (
    log_documents,
    process_documents,
    resource_documents,
    service_documents,
    timer_documents,
)
from core.manifest.service import Autoscaler, ExtraPort, Port, Scale, Service
from core.manifest.timers import Timer
from core.records.app_parts import TimerStatus
from core.records.process import Process, ProcessStatus
from core.records.process_log import ProcessLine
from core.usecases.process_viewer import ResourceState, ServiceProcesses, TimerState
from tests.bot.views.samples import NOW

AT = "2026-11-23T14:05:00Z"


def test_a_process_has_convox_fields():
    process = Process(id="web-1", service="web", status=ProcessStatus.RUNNING, release="R1", started_at=NOW)
    seen, odd = process_documents("myapp", [process, replace(process, started_at=None)])
    assert seen == {
        "id": "web-1", "app": "myapp", "name": "web", "command": "", "release": "R1", "started": AT, "status": "running",
    }  # fmt: skip
    assert odd["started"] is None


def test_a_service_has_convox_fields_and_what_runs_of_it():
    scale = Scale(count=2, autoscaler=Autoscaler(most=5, cpu=70))
    service = Service(name="web", port=Port(3000), ports=(ExtraPort(9000),), scale=scale)
    (seen,) = service_documents(
        [ServiceProcesses(service=service, desired=None, running=1, domain="web.example.com")]
    )
    assert seen == {
        "name": "web", "domain": "web.example.com", "count": None, "running": 1, "cpu": 250, "memory": 512, "gpu": 0,
        "min": 2, "max": 5, "ports": [{"container": 3000}, {"container": 9000}],
    }  # fmt: skip


def test_a_timer_says_what_the_cluster_has_of_it():
    timer = Timer(name="nightly", service="web", schedule="0 3 * * *")
    ran = TimerState(timer=timer, command="bin/x", status=TimerStatus(last_at=NOW, running=1))
    seen, none = timer_documents([ran, replace(ran, status=None)])
    assert (seen["name"], seen["schedule"], seen["last"], seen["running"], seen["suspended"]) == (
        "nightly", "0 3 * * *", AT, 1, False,
    )  # fmt: skip
    assert (none["last"], none["running"], none["suspended"]) == (None, None, None)


def test_resources_and_lines_are_as_they_are_listed():
    assert resource_documents([ResourceState(name="db", type="postgres", status="pending")]) == [
        {"name": "db", "type": "postgres", "status": "pending"}
    ]
    line = ProcessLine(at=NOW + timedelta(milliseconds=5), service="web", process="web-1", text="hello")
    assert log_documents([line]) == [{"time": AT, "service": "web", "process": "web-1", "text": "hello"}]
