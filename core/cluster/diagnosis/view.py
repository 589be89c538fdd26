"""One pod as a diagnosis sees it: each container with its specification, its state and the events about it."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from core.cluster.documents import Document, name_of, parse_timestamp, spec_of, status_of, uid_of
from core.cluster.kinds.pod import POD
from core.cluster.labels import CONTAINER
from core.cluster.snapshot import Snapshot
from core.records.observation import Diagnosis, DiagnosisKind

T = TypeVar("T")
# After ten that differ by text only, the recorder folds events and marks the survivor (client-go events_cache).
COMBINED_PREFIX = "(combined from similar events): "
FIELD_PATH = re.compile(r"\{([^{}]+)\}$")
# Foreign texts may be of any length and shape; a sentence is one line and fits a message.
LONGEST_SENTENCE = 400  # characters
NO_RESTARTS: Mapping[str, int] = MappingProxyType({})
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event, whichever of the two recorders wrote it.

    Attributes:
        count: how often it happened; it stands still at 25, so no new event does not mean mended.
        last: when it happened last.
        container: the container that it is about, or "".
    """

    uid: str
    reason: str
    message: str
    count: int
    last: datetime | None
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerView:
    """One container of a pod.

    Attributes:
        status: empty until the kubelet has reported.
        is_init: it must end before the others start.
        injected: the workload does not name it: a webhook has put it into the pod.
        alone: no other container of the workload runs beside it: it is the service itself, whatever its name.
        hook: what was last said of its postStart hook; the status says it for a second only.
        before: restarts from before the promotion; neither they nor the ends that they followed are told of.
    """

    name: str
    spec: Document
    status: Document
    events: tuple[EventView, ...] = ()
    is_init: bool = False
    injected: bool = False
    alone: bool = True
    hook: str = ""
    before: int = 0

    def subject(self, service: str) -> str:
        """Return how a sentence calls it: the container that convox.yml asks for is the service itself."""
        if self.injected:
            kind = "init container" if self.is_init else "container"
            return f"{kind} {self.name} of {service} (not in convox.yml)"
        if self.name == CONTAINER or (self.alone and not self.is_init):
            return service
        return f"{'init container' if self.is_init else 'side-car'} {self.name} of {service}"

    @property
    def image(self) -> str:
        return str(self.spec.get("image", ""))

    @property
    def restarts(self) -> int:
        return max(0, int(self.status.get("restartCount") or 0) - self.before)

    @property
    def ready(self) -> bool:
        return bool(self.status.get("ready"))

    @property
    def running(self) -> Document:
        return self._state("running")

    @property
    def waiting(self) -> Document:
        return self._state("waiting")

    @property
    def terminated(self) -> Document:
        return self._state("terminated")

    @property
    def last(self) -> Document:
        """How the run before ended; empty where there was none since the promotion began."""
        if self.before and not self.restarts and self.running:
            return {}
        return (self.status.get("lastState") or {}).get("terminated") or {}

    @property
    def ended(self) -> Document:
        """How the newest run that has ended did so; empty where none has."""
        return self.terminated or self.last

    @property
    def down(self) -> bool:
        """Not running right now, after it ran (or was tried) and ended."""
        return bool(self.ended) and not self.running

    def _state(self, name: str) -> Document:
        state: Mapping[str, Any] = self.status.get("state") or {}
        # A running container without a start time is still running: an empty document must not read as absent.
        return state[name] or {"startedAt": EPOCH} if name in state else {}

    def events_named(self, *reasons: str) -> tuple[EventView, ...]:
        """Return the events of these reasons, the latest last."""
        return tuple(e for e in self.events if e.reason in reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodView:
    """One pod with its containers, initial ones first, and the events about it as a whole."""

    document: Document
    containers: tuple[ContainerView, ...]
    events: tuple[EventView, ...] = field(default=())

    @property
    def name(self) -> str:
        return name_of(self.document)

    @property
    def spec(self) -> Document:
        return spec_of(self.document)

    @property
    def status(self) -> Document:
        return status_of(self.document)

    def events_named(self, *reasons: str) -> tuple[EventView, ...]:
        return tuple(e for e in self.events if e.reason in reasons)

    def diagnosis(
        self,
        kind: DiagnosisKind,
        fact: str,
        *,
        container: ContainerView | None = None,
        more: str = "",
        hint: str = "",
        permanent: bool = False,
        early: bool = False,
        times: int = 1,
    ) -> Diagnosis:
        """Make a diagnosis of this pod.

        Args:
            kind: which kind of diagnosis.
            fact: what is wrong.
            container: the one that it is about, if it is about one.
            more: what changes from look to look, such as the restarts; no line says it.
            hint: what to look at in convox.yml, for the end of the sentence; not said of an injected container.
            permanent: no waiting mends it; never so for an injected container, whose fault is not the release's.
            early: a good start that is slow looks the same for now.
            times: how often events tell it; the container's own ends may be more.
        """
        ran = container is not None and bool(container.ended or container.running)
        foreign = container is not None and container.injected
        ours = None if foreign else container
        ends = container.restarts + container.down if container else 0
        advice = f": {hint}" if hint and not foreign else ""
        fact = one_line(fact)
        return Diagnosis(
            kind=kind,
            sentence=fact + more + advice,
            fact=fact + advice,
            times=max(times, ends),
            pod=self.name,
            pod_uid=uid_of(self.document),
            container=container.name if container and ran else "",
            permanent=permanent and not foreign,
            early=early,
            restarts=ours.restarts if ours else 0,
            down=ours is not None and ours.down,
            previous=container is not None and bool(container.running and container.last),
        )


def pod_view(
    snapshot: Snapshot,
    pod: Document,
    *,
    named: frozenset[str] | None = None,
    before: Mapping[str, int] = NO_RESTARTS,
) -> PodView:
    """Put a pod, its containers and its events together, once for as long as none of them changes.

    Args:
        snapshot: where its events are.
        pod: the document.
        named: the containers that the workload asks for; None where nobody asks whose they are.
        before: pod uid → restarts of its `main` container before the promotion.
    """
    restarts = before.get(uid_of(pod), 0)
    return once(snapshot, pod, ("view", named, restarts), lambda: _made(snapshot, pod, named, restarts))


def once(snapshot: Snapshot, pod: Document, question: Hashable, make: Callable[[], T]) -> T:
    """Return what is made of a pod and of the events about it and of nothing else, made once for as long as they stay."""
    uid = uid_of(pod)
    return snapshot.remembered(uid, question, make) if snapshot.get(POD.name, uid) is pod else make()


def _made(snapshot: Snapshot, pod: Document, named: frozenset[str] | None, restarts: int) -> PodView:
    events = events_of(snapshot, uid_of(pod))
    spec, status = spec_of(pod), status_of(pod)
    before = {CONTAINER: restarts}
    found = [
        replace(
            c,
            injected=named is not None and c.name not in named,
            before=before.get(c.name, 0),
            hook=snapshot.hooks.get((uid_of(pod), c.name), ""),
        )
        for c in (
            *_containers(
                spec.get("initContainers"), status.get("initContainerStatuses"), events, is_init=True
            ),
            *_containers(spec.get("containers"), status.get("containerStatuses"), events, is_init=False),
        )
    ]
    alone = sum(not c.is_init and not c.injected for c in found) == 1
    return PodView(document=pod, containers=tuple(replace(c, alone=alone) for c in found), events=events)


def events_of(snapshot: Snapshot, uid: str) -> tuple[EventView, ...]:
    """Return the events about one object, the latest last."""
    return tuple(
        sorted(
            map(event_view, snapshot.about.get(uid, {}).values()), key=lambda e: (e.last is not None, e.last)
        )
    )


def event_view(event: Document) -> EventView:
    series = event.get("series") or {}
    stamp = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("firstTimestamp")
        or event["metadata"].get("creationTimestamp")
    )
    path = FIELD_PATH.search((event.get("involvedObject") or {}).get("fieldPath") or "")
    return EventView(
        uid=uid_of(event),
        reason=str(event.get("reason") or ""),
        message=str(event.get("message") or event.get("note") or "").removeprefix(COMBINED_PREFIX).strip(),
        count=int(series.get("count") or event.get("count") or 1),
        last=parse_timestamp(stamp),
        container=path[1] if path else "",
    )


def one_line(text: str, most: int = LONGEST_SENTENCE) -> str:
    """Return a text without line breaks, cut where it is too long to be read.

    The mark of a cut stands for a reader and for the redactor: a value may have lost its end there.
    """
    joined = " ".join(text.split())
    return joined if len(joined) <= most else joined[: most - 1] + "…"


def last(text: str, most: int) -> str:
    """Return the end of a text, where causes stand, with a mark where its beginning was cut off, so many characters in all."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def probe_kills(container: ContainerView) -> int:
    """Count how often the kubelet killed a container for its liveness or startup check.

    The event has type Normal and tells it before the restart shows; a clean exit code hides it later.
    """
    return sum(e.count for e in container.events_named("Killing") if "probe, will be restarted" in e.message)


def _containers(
    specs: Sequence[Document] | None,
    statuses: Sequence[Document] | None,
    events: tuple[EventView, ...],
    *,
    is_init: bool,
) -> list[ContainerView]:
    by_name = {s["name"]: s for s in statuses or ()}
    return [
        ContainerView(
            name=spec["name"],
            spec=spec,
            status=by_name.get(spec["name"], {}),
            events=tuple(e for e in events if e.container == spec["name"]),
            # A side-car that restarts for ever is no step on the way.
            is_init=is_init and spec.get("restartPolicy") != "Always",
        )
        for spec in specs or ()
    ]
