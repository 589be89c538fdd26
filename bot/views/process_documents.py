"""What runs, as JSON for `do … -o json`: with the field names of Convox's API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.views.times import stamp
from core.records.process import Process
from core.records.process_log import ProcessLine
from core.usecases.process_viewer import ResourceState, ServiceProcesses, TimerState

Document = dict[str, Any]


def process_documents(app: str, processes: Sequence[Process]) -> list[Document]:
    return [
        {
            "id": each.id,
            "app": app,
            "name": each.service,
            "command": each.command,
            "release": each.release,
            "started": _time(each.started_at),
            "status": str(each.status),
        }
        for each in processes
    ]


def service_documents(services: Sequence[ServiceProcesses]) -> list[Document]:
    """Return Convox's services; `running` is of convox-bot, and `count` is null where the cluster has no such workload."""
    return [
        {
            "name": each.service.name,
            "domain": each.domain,
            "count": each.desired,
            "running": each.running,
            "cpu": each.service.scale.cpu,
            "memory": each.service.scale.memory,
            "gpu": each.service.scale.gpus,
            "min": each.service.scale.count,
            "max": each.most,
            "ports": [{"container": number} for number in each.ports],
        }
        for each in services
    ]


def timer_documents(timers: Sequence[TimerState]) -> list[Document]:
    """Return Convox's timers; `last`, `running` and `suspended` are of convox-bot, null where the cluster has none."""
    return [
        {
            "name": each.timer.name,
            "service": each.timer.service,
            "schedule": each.timer.schedule,
            "command": each.command,
            "concurrency": each.timer.concurrency,
            "parallelCount": each.timer.parallel,
            "last": _time(each.status.last_at) if each.status else None,
            "running": each.status.running if each.status else None,
            "suspended": each.status.suspended if each.status else None,
        }
        for each in timers
    ]


def resource_documents(resources: Sequence[ResourceState]) -> list[Document]:
    return [{"name": each.name, "type": each.type, "status": each.status} for each in resources]


def log_documents(lines: Sequence[ProcessLine]) -> list[Document]:
    return [
        {"time": _time(each.at), "service": each.service, "process": each.process, "text": each.text}
        for each in lines
    ]


def _time(at: datetime | None) -> str | None:
    return stamp(at) if at else None
