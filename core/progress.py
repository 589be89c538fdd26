"""What a cluster says about a rollout, and what the rollout remembers of it: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One progress sentence of a thread.

    Attributes:
        at: when it happened, by the cluster's word where it gives one.
        object: what stands after `system/k8s/`, such as `web-745f845dc` or `atom/app`.
        text: the sentence.
        key: identity of the happening; a second line with the same key in one promotion is dropped.
        kind: `line`, or `evidence` for a block of log lines that belongs to a failure.
    """

    at: datetime
    object: str
    text: str
    key: str
    kind: str = "line"

    def __str__(self) -> str:
        if self.kind == "evidence":
            return self.text
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} system/k8s/{self.object} {self.text}"


class Readiness(StrEnum):
    """What an object says of itself."""

    READY = "ready"
    PROGRESSING = "progressing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something wrong with the new pods of one service.

    Attributes:
        kind: a word for grouping (`image`, `pull`, `crash`, `memory`, `probe`, `start`, `config`, `quota`,
            `unschedulable`, `volume`, `sandbox`, `paused` …).
        sentence: what a person should be told, one sentence without a full stop.
        pod: name of the worst pod, or "" where no pod exists.
        pod_uid: its uid, or "".
        container: the container to read the log of, or "".
        permanent: it cannot mend itself (a missing image), as opposed to a registry that is down.
        everywhere: every new pod that got so far shows it.
        restarts: how often the container was restarted since the promotion began; 0 for what somebody else put into
            the pod.
        down: the container is not running right now after it ended.
        previous: the log worth reading is that of the previous container.
        fact: the sentence without what changes from look to look (restarts); a line says it once.
        times: how often it was seen, by the cluster's count.
    """

    kind: str
    sentence: str
    pod: str = ""
    pod_uid: str = ""
    container: str = ""
    permanent: bool = False
    everywhere: bool = False
    restarts: int = 0
    down: bool = False
    previous: bool = False
    fact: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """Readiness of one service's objects towards the release that is aimed at.

    Attributes:
        sentence: `1 of 2 new pods are ready`, ready to be shown.
        wanted: pods the Deployment asks for now (its live count).
        started: new pods that exist; `ready`: new pods that are ready and not going.
        ready_stamp: when the last of the ready new pods became ready, by the cluster's clock; None without one.
        restarts: pod uid → restarts of its containers named in the bundle, new pods only.
        trouble: worst first.
    """

    name: str
    readiness: Readiness
    sentence: str
    wanted: int = 0
    started: int = 0
    ready: int = 0
    ready_stamp: datetime | None = None
    restarts: Mapping[str, int] = field(default_factory=dict)
    trouble: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at an app's namespace.

    Attributes:
        synced: every watch is connected and has delivered its list; clocks stand still while it is False.
        lines: what has happened since the observation before.
        services: one state a service of the target; for a removal one a removed object still there.
        blind: while not synced, why, as far as it is known.
    """

    synced: bool
    lines: tuple[Line, ...] = ()
    services: tuple[ServiceState, ...] = ()
    blind: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one object of an app's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


# Whose namespace it is; another name would orphan the anchors of live clusters (engine rule 14).
ANCHOR = Ref("ConfigMap", "convox-bot-anchor")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineObject:
    """One object as it was before the promotion touched anything."""

    ref: Ref
    existed: bool
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    progress_stamp: str = ""
    replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the promotion found, stored once before its first PATCH and never captured again (engine rule 11).

    Attributes:
        replica_sets: uid → (generation, replicas), so that lines tell what changed since.
        pods: uid → restarts of its `main` container, of every pod that existed: what crashed before is not held
            against this promotion.
        going: those of them that were being deleted already, so that no line tells it again.
    """

    namespace_uid: str
    objects: tuple[BaselineObject, ...]
    replica_sets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    pods: Mapping[str, int] = field(default_factory=dict)
    going: frozenset[str] = frozenset()

    def of(self, ref: Ref) -> BaselineObject | None:
        return next((o for o in self.objects if o.ref == ref), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The cluster's answer to one apply."""

    ref: Ref
    uid: str
    generation: int
    changed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleService:
    """What the verdict must know of one service of a bundle.

    Attributes:
        count: pods that the manifest asks for.
        settle: seconds that it must stay healthy after its last pod became ready (engine rule 33).
    """

    name: str
    count: int
    settle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The fully rendered objects of one release, in apply order; rendered once, then only stored and applied.

    Attributes:
        objects: Kubernetes objects as JSON documents, without status, without `spec.replicas`.
        digest: SHA-256 of the canonical JSON; never shown as it is, since values could be guessed from it.
        render_version: version of the code that rendered it; a stored bundle is never rendered anew.
    """

    release: str
    app: str
    objects: tuple[Mapping[str, Any], ...]
    services: tuple[BundleService, ...]
    digest: str
    render_version: int = 1

    @property
    def refs(self) -> tuple[Ref, ...]:
        return tuple(Ref(o["kind"], o["metadata"]["name"]) for o in self.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a watch is aimed at.

    Attributes:
        release: pods of this release are the new ones.
        bundle: the objects that must become ready; None for a removal.
        applied: what the applies answered; a state older than these generations is not believed.
        absent: objects that must be gone (removal of a first release, rule 4).
    """

    release: str
    bundle: Bundle | None
    applied: tuple[Applied, ...] = ()
    absent: tuple[Ref, ...] = ()
