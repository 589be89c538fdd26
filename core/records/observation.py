"""What a cluster says about a rollout, and what the rollout remembers of it: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from core.records.line import Line


class Readiness(StrEnum):
    """What an object says of itself."""

    READY = "ready"
    PROGRESSING = "progressing"
    FAILED = "failed"


class DiagnosisKind(StrEnum):
    """What is wrong, by its kind, in the order in which a person should hear of it.

    A cause stands before what follows from it: a container that crashes fails its probe too; and what the app's people
    can mend stands before what only the cluster's people can.
    """

    IMAGE = "image"
    START = "start"
    CONFIG = "config"
    MEMORY = "memory"
    LIVENESS = "liveness"
    STARTUP = "startup"
    CRASH = "crash"
    SERVICE_ACCOUNT = "serviceaccount"
    ADMISSION = "admission"
    LIMITS = "limits"
    QUOTA = "quota"
    CREATE = "create"
    WEBHOOK = "webhook"
    NODE = "node"
    PULL = "pull"
    VOLUME = "volume"
    UNSCHEDULABLE = "unschedulable"
    SANDBOX = "sandbox"
    EVICTED = "evicted"
    SIDECAR = "sidecar"
    PROBE = "probe"
    PAUSED = "paused"
    OVERWRITTEN = "overwritten"
    TERMINATING = "terminating"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Something wrong with the new pods of one service.

    Attributes:
        sentence: what a person should be told, one sentence without a full stop.
        pod: name of the worst pod, or "" where no pod exists.
        pod_uid: its uid, or "".
        container: the container to read the log of, or "".
        permanent: it cannot mend itself (a missing image), as opposed to a registry that is down.
        early: a good start that is slow looks the same for now: it is no news yet, only the last word of a rollout that ends.
        everywhere: every new pod that got so far shows it.
        restarts: how often the container was restarted since the promotion began; 0 for what somebody else put into
            the pod.
        down: the container is not running right now after it ended.
        previous: the log worth reading is that of the previous container.
        fact: the sentence without what changes from look to look (restarts); a line says it once.
        times: how often it was seen, by the cluster's count.
    """

    kind: DiagnosisKind
    sentence: str
    pod: str = ""
    pod_uid: str = ""
    container: str = ""
    permanent: bool = False
    early: bool = False
    everywhere: bool = False
    restarts: int = 0
    down: bool = False
    previous: bool = False
    fact: str = ""
    times: int = 1


class PodMilestone(IntEnum):
    """How far a pod has come; each step that a pod takes for the first time is progress (engine rule 52)."""

    CREATED = 0
    SCHEDULED = 1
    PULLING = 2
    STARTED = 3
    READY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PodObservation:
    """One new pod, without a single time: stamps are of other machines' clocks (engine rule 51).

    Attributes:
        milestone: the furthest that it has come, as far as its present state tells.
        running: every container that the workload names runs.
        restarts: of the containers that the workload names.
    """

    uid: str
    milestone: PodMilestone = PodMilestone.READY
    running: bool = True
    ready: bool = True
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """Readiness of one service's objects towards the release that is aimed at.

    Attributes:
        sentence: `1 of 2 new pods are ready`, ready to be shown.
        desired: pods that its workload asks for now.
        released: it runs pods of a release, as services do; those of a resource belong to none.
        seen: whether its workload could be looked at; where not, nobody knows what it asks for.
        pods: the new pods that can still serve, oldest first.
        other_ready: ready pods of it beside those: before a rollout is through, what ran before.
        diagnoses: worst first.
    """

    name: str
    readiness: Readiness
    sentence: str
    desired: int = 0
    seen: bool = True
    released: bool = True
    pods: tuple[PodObservation, ...] = ()
    other_ready: int = 0
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def ready(self) -> int:
        """How many new pods are ready and not going."""
        return sum(pod.ready for pod in self.pods)

    @property
    def restarts(self) -> Mapping[str, int]:
        """Pod uid → restarts of the containers that the workload names."""
        return {pod.uid: pod.restarts for pod in self.pods}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at an app's namespace.

    Attributes:
        synced: every watch is connected, has delivered its list and is heard of; clocks stand still while it is False.
        lines: what has happened since the observation before.
        services: one state a service of the target; for a removal one a removed object still there.
        blind: while not synced, why, as far as it is known.
        silent: while not synced, how many seconds ago it was heard of for the last time, where that was so long ago
            that nothing since then counts as watched (engine rule 48); 0 where it broke in the midst of talking.
        lost: of a look that was asked for before a verdict, which objects of the bundle are not there any more as they
            were applied.
    """

    synced: bool
    lines: tuple[Line, ...] = ()
    services: tuple[ServiceState, ...] = ()
    blind: str = ""
    silent: float = 0.0
    lost: str = ""
