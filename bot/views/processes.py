"""What runs of an app, in Convox's tables."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import Table, table
from bot.views.times import humanise
from core.records.app_parts import TimerStatus
from core.records.process import Process
from core.usecases.process_viewer import ResourceState, ServiceProcesses, TimerState


def process_list(processes: Sequence[Process], now: datetime) -> Table:
    """Return the table of `ps`."""
    return table(
        ("ID", "SERVICE", "STATUS", "RELEASE", "STARTED", "COMMAND"),
        [
            (
                process.id,
                process.service,
                process.status,
                process.release,
                humanise(process.started_at, now) if process.started_at else "",
                process.command,
            )
            for process in processes
        ],
        essential=("SERVICE", "STATUS", "STARTED"),
    )


def service_list(services: Sequence[ServiceProcesses]) -> Table:
    """Return the table of `services`; SCALE is what the cluster is asked for now, as in Convox only where there is one."""
    if not services:
        return table(("SERVICE", "DOMAIN", "PORTS"), [])
    return table(
        ("SERVICE", "DOMAIN", "PORTS", "SCALE"),
        [(each.service.name, each.domain, " ".join(map(str, each.ports)), _count(each)) for each in services],
    )


def scale_list(services: Sequence[ServiceProcesses]) -> Table:
    """Return the table of `scale`: cpu in millicores, memory in MiB."""
    return table(
        ("SERVICE", "DESIRED", "RUNNING", "CPU", "MEMORY", "GPU", "MIN", "MAX", "STATUS"),
        [
            (
                each.service.name,
                _count(each),
                str(each.running),
                str(each.service.scale.cpu),
                str(each.service.scale.memory),
                str(each.service.scale.gpus or "-"),
                str(each.service.scale.count),
                str(each.most),
                "" if each.desired is not None else "not in the cluster",
            )
            for each in services
        ],
    )


def timer_list(timers: Sequence[TimerState], now: datetime) -> Table:
    """Return the table of `timers`; LAST is when it was last due."""
    return table(
        ("TIMER", "SERVICE", "SCHEDULE", "LAST", "STATUS", "COMMAND"),
        [
            (
                each.timer.name,
                each.timer.service,
                each.timer.schedule,
                humanise(each.status.last_at, now) if each.status and each.status.last_at else "",
                _doing(each.status),
                each.command,
            )
            for each in timers
        ],
        essential=("TIMER", "STATUS", "LAST"),
    )


def _doing(status: TimerStatus | None) -> str:
    if status is None:
        return "not in the cluster"
    if status.suspended:
        return "suspended"
    return f"running ×{status.running}" if status.running > 1 else "running" if status.running else "waiting"


def resource_list(resources: Sequence[ResourceState]) -> Table:
    """Return the table of `resources`."""
    return table(("NAME", "TYPE", "STATUS"), [(each.name, each.type, each.status) for each in resources])


def _count(each: ServiceProcesses) -> str:
    return "" if each.desired is None else str(each.desired)
