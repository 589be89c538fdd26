"""The pods of an app as Convox lists them, whatever workload runs them."""

import shlex

from core.cluster.api.client import KubeClient
from core.cluster.documents import (
    Document,
    condition,
    created_at,
    labels_of,
    name_of,
    release_of,
    spec_of,
    status_of,
)
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import WORKLOADS
from core.cluster.kinds.pod import POD
from core.cluster.labels import CONTAINER, SERVICE_LABEL
from core.records.bundle import Ref
from core.records.process import AppProcesses, Process, ProcessStatus

# A person waits for it.
LIST_SECONDS = 10.0
# Convox's: a database that the app brings along is a resource, no process.
TYPES = "type in (process,service,timer)"
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
    selector = f"{ns.selector},{TYPES}"
    pods, _ = await client.list(ns.at(POD.name), label_selector=selector, seconds=LIST_SECONDS)
    counts: dict[Ref, int] = {}
    for kind in WORKLOADS.values():
        found, _ = await client.list(ns.at(kind.name), label_selector=ns.selector, seconds=LIST_SECONDS)
        counts |= {Ref(kind.name, name_of(each)): kind.desired_replicas(each) for each in found}
    return AppProcesses(
        processes=tuple(sorted(map(process_of, pods), key=lambda p: (p.service, p.id))), counts=counts
    )


def process_of(pod: Document) -> Process:
    """Return one pod as a process."""
    containers = spec_of(pod).get("containers") or [{}]
    main = next((c for c in containers if c.get("name") == CONTAINER), containers[0])
    return Process(
        id=name_of(pod),
        service=str(labels_of(pod).get(SERVICE_LABEL, "")),
        status=status_word(pod),
        release=release_of(pod),
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
