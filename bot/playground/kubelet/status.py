"""The status of a pod, as a kubelet writes it, from what its containers do."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]


def stamp(moment: datetime) -> str:
    """Write a moment as Kubernetes does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(*parts: object) -> str:
    """Return 64 hexadecimal digits that stand for these parts, for container and image ids."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class ContainerState:
    """What one container of a pod is doing now."""

    name: str
    image: str
    state: Document = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Document = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    restarts: int = 0
    container_id: str = ""
    image_id: str = ""

    @property
    def exit_code(self) -> int | None:
        """What it has ended with; None while it has not."""
        return self.state["terminated"]["exitCode"] if "terminated" in self.state else None

    def document(self) -> Document:
        """Return the entry of `containerStatuses`, or of `initContainerStatuses`."""
        entry = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": self.image_id,
            "started": self.started,
        }
        if self.container_id:
            entry["containerID"] = self.container_id
        return entry


def read_container(pod: Document, spec: Document, *, init: bool = False) -> ContainerState:
    """Return what the pod's status says about a container; a fresh one if it says nothing."""
    fresh = ContainerState(name=spec["name"], image=spec["image"])
    if pod["spec"].get("initContainers"):
        fresh.state = {"waiting": {"reason": "PodInitializing"}}
    for entry in pod.get("status", {}).get("initContainerStatuses" if init else "containerStatuses", []):
        if entry["name"] == spec["name"]:
            fresh.state = entry.get("state") or fresh.state
            fresh.last = entry.get("lastState") or {}
            fresh.ready = bool(entry.get("ready"))
            fresh.started = bool(entry.get("started"))
            fresh.restarts = int(entry.get("restartCount", 0))
            fresh.container_id = entry.get("containerID", "")
            fresh.image_id = entry.get("imageID", "")
    return fresh


@dataclass(slots=True, kw_only=True)
class PodState:
    """What a pod is doing now, and the conditions it had before, whose times stay until they change."""

    generation: int
    host: str
    address: str
    start_time: str
    containers: list[ContainerState]
    init_containers: list[ContainerState] = field(default_factory=list)
    conditions: dict[str, Document] = field(default_factory=dict)
    sandbox: bool = False
    phase: str = "Pending"
    completed: bool = False

    @property
    def initialized(self) -> bool:
        """Whether every init container has done what it is for."""
        return all(container.exit_code == 0 for container in self.init_containers)

    def document(self, moment: datetime) -> Document:
        """Return the whole status at that moment, and remember its conditions."""
        status: Document = {
            "phase": self.phase,
            "conditions": self._conditions(moment),
            "observedGeneration": self.generation,
            "hostIP": self.host,
            "hostIPs": [{"ip": self.host}],
            "startTime": self.start_time,
            "containerStatuses": [container.document() for container in self.containers],
        }
        if self.init_containers:
            status["initContainerStatuses"] = [container.document() for container in self.init_containers]
        if self.sandbox or self.completed:
            status["podIP"] = self.address
            status["podIPs"] = [{"ip": self.address}]
        return status

    def _conditions(self, moment: datetime) -> list[Document]:
        unready = [c.name for c in self.containers if not c.ready]
        why: Document = {}
        if unready:
            why = {
                "reason": "ContainersNotReady",
                "message": f"containers with unready status: [{' '.join(unready)}]",
            }
        if self.completed and self.phase == "Succeeded":
            why = {"reason": "PodCompleted"}
        no_sandbox = {
            "reason": "PodSandboxNotReady",
            "message": "pod sandbox is not ready" if self.completed else "no pod sandbox exists",
        }
        ready = not unready
        initialized: Document = (
            {"reason": "PodCompleted"} if self.completed and self.phase == "Succeeded" else {}
        )
        if incomplete := [c.name for c in self.init_containers if c.exit_code != 0]:
            message = f"containers with incomplete status: [{' '.join(incomplete)}]"
            initialized = {"reason": "ContainersNotInitialized", "message": message}
        wanted: tuple[tuple[str, bool, Document], ...] = (
            ("PodReadyToStartContainers", self.sandbox, {} if self.sandbox else no_sandbox),
            ("Initialized", self.initialized, initialized),
            ("Ready", ready, why),
            ("ContainersReady", ready, why),
            ("PodScheduled", True, {}),
        )
        return [self._condition(kind, value, extra, moment) for kind, value, extra in wanted]

    def _condition(self, kind: str, value: bool, extra: Document, moment: datetime) -> Document:
        before = self.conditions.get(kind)
        status = "True" if value else "False"
        same = before is not None and before["status"] == status
        since = before["lastTransitionTime"] if before is not None and same else stamp(moment)
        after = {
            "type": kind,
            "observedGeneration": self.generation,
            "status": status,
            "lastTransitionTime": since,
            **extra,
        }
        self.conditions[kind] = after
        return after


def read_pod(pod: Document, *, host: str, address: str, began: datetime) -> PodState:
    """Return what the pod's status says, so that a kubelet that starts again goes on from there."""
    status = pod.get("status", {})
    conditions = {entry["type"]: dict(entry) for entry in status.get("conditions", [])}
    return PodState(
        generation=int(pod["metadata"].get("generation", 1)),
        host=status.get("hostIP") or host,
        address=status.get("podIP") or address,
        start_time=status.get("startTime") or stamp(began),
        containers=[read_container(pod, spec) for spec in pod["spec"]["containers"]],
        init_containers=[
            read_container(pod, spec, init=True) for spec in pod["spec"].get("initContainers") or []
        ],
        conditions=conditions,
        sandbox=conditions.get("PodReadyToStartContainers", {}).get("status") == "True",
        phase=status.get("phase", "Pending"),
    )
