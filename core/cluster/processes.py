"""The pods of an app as Convox lists them, whatever workload runs them."""

import asyncio
import shlex
from collections.abc import Sequence

from core.cluster.api.client import KubeClient
from core.cluster.documents import (
    Document,
    condition,
    created_at,
    is_condition_true,
    labels_of,
    name_of,
    parse_timestamp,
    release_of,
    spec_of,
    status_of,
)
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import WORKLOADS
from core.cluster.kinds.cron_job import CRON_JOB
from core.cluster.kinds.pod import POD
from core.cluster.labels import CONTAINER, RESOURCE_LABEL, SERVICE_LABEL, timer_name
from core.manifest.timers import Timer
from core.records.app_parts import TimerStatus
from core.records.bundle import Ref
from core.records.process import AppProcesses, Process, ProcessStatus

# A person waits for it.
LIST_SECONDS = 10.0
# Convox's: a database that the app brings along is a resource, no process.
RESOURCE = "resource"
TYPES = "type in (process,service,timer)"
WITH_RESOURCES = f"type in (process,{RESOURCE},service,timer)"
# A page of `timers` asks for each by itself, since the bot may list none.
TIMERS_AT_ONCE = 8
PHASES = {
    "Pending": ProcessStatus.PENDING,
    "Running": ProcessStatus.RUNNING,
    "Succeeded": ProcessStatus.COMPLETE,
    "Failed": ProcessStatus.FAILED,
}
# Why the Ready condition of a pod is False while its containers are still coming up.
COMING_UP = frozenset({"ContainersNotReady", "PodInitializing", "ContainerCreating"})
CRASH_LOOP = "CrashLoopBackOff"


async def read_processes(client: KubeClient, ns: AppNamespace) -> AppProcesses:
    """Return what runs of an app; raises as every request does."""
    selector = f"{ns.selector},{WITH_RESOURCES}"
    pods, _ = await client.list(ns.at(POD.name), label_selector=selector, seconds=LIST_SECONDS)
    counts: dict[Ref, int] = {}
    for kind in WORKLOADS.values():
        found, _ = await client.list(ns.at(kind.name), label_selector=ns.selector, seconds=LIST_SECONDS)
        counts |= {Ref(kind.name, name_of(each)): kind.desired_replicas(each) for each in found}
    seen = [process_of(pod) for pod in pods if _type(pod) != RESOURCE]
    ready = (pod for pod in pods if _type(pod) == RESOURCE and is_condition_true(pod, "Ready"))
    return AppProcesses(
        processes=tuple(sorted(seen, key=lambda p: (p.service, p.id))),
        counts=counts,
        resources=frozenset(str(labels_of(pod).get(RESOURCE_LABEL, "")) for pod in ready),
    )


async def read_timers(
    client: KubeClient, ns: AppNamespace, timers: Sequence[Timer]
) -> dict[str, TimerStatus]:
    """Return what those of these timers do that there are, by name; raises as every request does."""
    turn = asyncio.Semaphore(TIMERS_AT_ONCE)

    async def one(timer: Timer) -> Document | None:
        async with turn:
            return await client.get(ns.at(CRON_JOB.name, timer_name(timer)))

    found = await asyncio.gather(*map(one, timers))
    return {
        timer.name: timer_status(live) for timer, live in zip(timers, found, strict=True) if live is not None
    }


def timer_status(live: Document) -> TimerStatus:
    """Return what a CronJob says of itself."""
    status = status_of(live)
    return TimerStatus(
        last_at=parse_timestamp(status.get("lastScheduleTime")),
        running=len(status.get("active") or ()),
        suspended=bool(spec_of(live).get("suspend")),
    )


def _type(pod: Document) -> str:
    return str(labels_of(pod).get("type", ""))


def process_of(pod: Document) -> Process:
    """Return one pod as a process."""
    containers = spec_of(pod).get("containers") or [{}]
    main = next((c for c in containers if c.get("name") == CONTAINER), containers[0])
    return Process(
        id=name_of(pod),
        service=str(labels_of(pod).get(SERVICE_LABEL, "")),
        status=status_word(pod),
        release=release_of(pod),
        type=_type(pod) or "process",
        started_at=created_at(pod),
        command=shlex.join(main.get("args") or ()),
    )


def status_word(pod: Document) -> ProcessStatus:
    """Return Convox's word for a pod: its phase, what its containers lack, and above all a crash loop."""
    status = status_of(pod)
    waiting = ((c.get("state") or {}).get("waiting") or {} for c in status.get("containerStatuses") or ())
    if any(each.get("reason") == CRASH_LOOP for each in waiting):
        return ProcessStatus.CRASHED
    word = PHASES.get(str(status.get("phase")), ProcessStatus.UNKNOWN)
    ready = condition(pod, "Ready")
    if word is not ProcessStatus.RUNNING or ready.get("status") != "False":
        return word
    return ProcessStatus.STARTING if ready.get("reason") in COMING_UP else ProcessStatus.UNHEALTHY
