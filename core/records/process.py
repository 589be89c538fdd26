"""What runs of an app, as Convox tells it: processes, and how many of them each workload asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.records.bundle import Ref


class ProcessStatus(StrEnum):
    """Convox's words for how a process is."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    CRASHED = "crashed"
    COMPLETE = "complete"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One pod of an app.

    Attributes:
        id: the pod's name.
        service: whose it is; "" where its labels do not say so.
        release: that it was made for, by its label.
        type: `service`, `timer` or `process` (one that somebody runs by hand).
        started_at: when the pod was made, by the cluster's clock.
        command: arguments that convox.yml gives its container, "" where the image's own are run.
    """

    id: str
    service: str
    status: ProcessStatus
    release: str
    type: str = "service"
    started_at: datetime | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppProcesses:
    """What runs of an app.

    Attributes:
        processes: by service and id.
        counts: workload that there is → pods that it asks for.
        resources: names of the resources of which a pod is ready.
    """

    processes: tuple[Process, ...] = ()
    counts: Mapping[Ref, int] = field(default_factory=dict)
    resources: frozenset[str] = frozenset()
