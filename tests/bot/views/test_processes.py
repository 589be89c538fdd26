"""What runs, in Convox's tables: the same characters as it prints."""

from dataclasses import replace
from datetime import timedelta

from bot.views.processes import process_list, resource_list, scale_list, service_list, timer_list
from core.manifest.service import Autoscaler, ExtraPort, Port, Scale, Service
from core.manifest.timers import Timer
from core.records.app_parts import TimerStatus
from core.records.process import Process, ProcessStatus
from core.usecases.process_viewer import ResourceState, ServiceProcesses, TimerState
from tests.bot.views.samples import NOW

WEB = Service(
    name="web", port=Port(3000), ports=(ExtraPort(9000), ExtraPort(53, "udp")), scale=Scale(count=2)
)
WORKER = Service(name="worker", scale=Scale(cpu=500, memory=1024))


def process(id_: str, service: str, *, command: str = "") -> Process:
    return Process(
        id=id_,
        service=service,
        status=ProcessStatus.RUNNING,
        release="RYNPLZGMMKQ",
        started_at=NOW - timedelta(seconds=15),
        command=command,
    )


def test_processes_are_the_table_that_convox_prints():
    listed = [
        process("web-6487cd5b65-6gxmp", "web"),
        process("worker-7785746ddc-ff8vx", "worker", command="bin/worker"),
    ]
    assert process_list(listed, NOW).splitlines() == [
        "ID                       SERVICE  STATUS   RELEASE      STARTED         COMMAND",
        "web-6487cd5b65-6gxmp     web      running  RYNPLZGMMKQ  15 seconds ago  ",
        "worker-7785746ddc-ff8vx  worker   running  RYNPLZGMMKQ  15 seconds ago  bin/worker",
    ]
    assert process_list([], NOW) == "ID  SERVICE  STATUS  RELEASE  STARTED  COMMAND"


def test_a_process_of_which_nobody_knows_since_when_has_no_time():
    odd = Process(id="odd", service="", status=ProcessStatus.UNKNOWN, release="")
    assert process_list([odd], NOW).splitlines()[1] == "odd           unknown                    "


def test_services_are_listed_with_what_they_are_to_have():
    seen = [
        ServiceProcesses(service=WEB, desired=3, running=2),
        ServiceProcesses(service=WORKER, desired=None, running=0),
    ]
    assert service_list(seen).splitlines() == [
        "SERVICE  DOMAIN  PORTS         SCALE",
        "web              3000 9000 53  3",
        "worker                         ",
    ]
    assert service_list([]) == "SERVICE  DOMAIN  PORTS"


def test_the_scale_of_each_service_is_the_table_that_convox_prints():
    seen = [
        ServiceProcesses(service=WEB, desired=3, running=2),
        ServiceProcesses(service=WORKER, desired=None, running=0),
    ]
    assert scale_list(seen).splitlines() == [
        "SERVICE  DESIRED  RUNNING  CPU  MEMORY  GPU  MIN  MAX  STATUS",
        "web      3        2        250  512     -    2    2    ",
        "worker            0        500  1024    -    1    1    not in the cluster",
    ]
    grown = replace(WEB, scale=Scale(count=2, gpus=1, autoscaler=Autoscaler(most=5, cpu=70)))
    row = scale_list([ServiceProcesses(service=grown, desired=4, running=4)]).splitlines()[1]
    assert row.split() == ["web", "4", "4", "250", "512", "1", "2", "5"]
    assert scale_list([]) == "SERVICE  DESIRED  RUNNING  CPU  MEMORY  GPU  MIN  MAX  STATUS"


def test_timers_are_listed_with_what_they_do():
    timer = Timer(name="nightly", service="worker", schedule="0 3 * * *")
    ran = TimerStatus(last_at=NOW - timedelta(minutes=12))
    seen = [
        TimerState(timer=timer, command="bin/report --all", status=status)
        for status in (
            ran,
            replace(ran, running=1),
            replace(ran, running=2),
            TimerStatus(suspended=True),
            None,
        )
    ]
    header, *rows = timer_list(seen, NOW).splitlines()
    assert header.split() == ["TIMER", "SERVICE", "SCHEDULE", "LAST", "STATUS", "COMMAND"]
    said = [" ".join(row.split()[7:]).removeprefix("12 minutes ago ") for row in rows]
    assert said == [
        "waiting bin/report --all",
        "running bin/report --all",
        "running ×2 bin/report --all",
        "suspended bin/report --all",
        "not in the cluster bin/report --all",
    ]


def test_resources_are_listed_by_type_and_status():
    assert resource_list(
        [ResourceState(name="database", type="postgres", status="pending")]
    ).splitlines() == [
        "NAME      TYPE      STATUS",
        "database  postgres  pending",
    ]
