"""The lines of a thread: what objects and events tell, in the documentation's words whatever the cluster's version says.

Every pod has a story, the ordered list of what can be told of it from one snapshot. What a change adds to the stories
is what is new. So the order within a pod holds however its status and its events overtake each other, and after a
restart the same stories give the same keys, which the store already has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from core.cluster.diagnosis.view import EPOCH, ContainerView, PodView, pod_view
from core.cluster.documents import (
    Document,
    condition,
    controller_of,
    created_at,
    is_terminating,
    name_of,
    parse_timestamp,
    replicas_of,
    spec_of,
    uid_of,
)
from core.cluster.kinds import FOLLOWED, POD_OWNERS, WORKLOADS
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.pod import POD
from core.cluster.kinds.replica_set import REPLICA_SET
from core.cluster.snapshot import Delta, Snapshot
from core.records.intent import Intent
from core.records.line import Line
from core.records.observation import Diagnosis, DiagnosisKind

# Objects before their parts and events before the status that follows from them, so that a batch reads in order.
ORDER = {kind: place for place, kind in enumerate(FOLLOWED)}
# The only events that a story is made of.
PULL_REASONS = ("Pulling", "Pulled")
PULLING = re.compile(r'^(Pulling image "[^"]+")')
# Newer kubelets add how long it took, or that the pod may use the image; the documentation's line ends before that.
PULLED = re.compile(
    r'^(Successfully pulled image "[^"]+"|Container image "[^"]+" already present on machine)'
)
# Ends of containers that were never started.
NEVER_STARTED = frozenset({"StartError", "ContainerCannotRun", "ContainerStatusUnknown"})
# A diagnosis that goes on is said again at most this often (contract 7).
REPEAT_AFTER = timedelta(minutes=1)
# What these say counts what others do as well: each look may have another number.
COUNTING = frozenset({DiagnosisKind.QUOTA, DiagnosisKind.UNSCHEDULABLE})


def lines(
    before: Snapshot, deltas: Sequence[Delta], intent: Intent, now: datetime
) -> tuple[Snapshot, tuple[Line, ...]]:
    """Take a batch of changes in; return the snapshot after it and what it adds to the thread, in order.

    Args:
        before: an empty snapshot at first: then what differs from the intent is told.
        deltas: in the order in which each watch gave them; watches of different kinds may have overtaken each other.
        intent: what existed before the promotion; nothing of it is told but its end.
        now: stands where the cluster gives no time.
    """
    if not deltas:
        return before, ()
    new_lines: list[Line] = []
    growing = before.copy()
    for delta in sorted(deltas, key=lambda d: ORDER.get(d.kind, 0)):
        new_lines += _taken(growing, delta, intent, now)
    return growing, tuple(new_lines)


def _taken(growing: Snapshot, delta: Delta, intent: Intent, now: datetime) -> list[Line]:
    """Take one change in and return its lines."""
    seen = growing.get(delta.kind, uid_of(delta.object))
    new_lines = _scaled(seen, delta, intent, now) if delta.kind == REPLICA_SET.name else []
    stories = [uid for uid in _subjects(growing, delta) if uid not in intent.pods]
    known = {uid: {line.key for line in _story(growing, uid, now)} for uid in stories}
    # A pod that is gone still has the rest of its story to tell: one look may see it come and go.
    growing.take(replace(delta, type="MODIFIED") if delta.kind == POD.name else delta)
    new_lines += [line for uid in stories for line in _news(growing, uid, known[uid], now)]
    if delta.kind == POD.name:
        growing.take(delta)
        new_lines += _deleted(delta, intent, now, seen=seen)
    return new_lines


def _subjects(known: Snapshot, delta: Delta) -> list[str]:
    """Return the uids of the pods of which a change may tell something new."""
    if delta.kind == POD.name:
        return [uid_of(delta.object)]
    if delta.kind == EVENT.name and delta.object.get("reason") in PULL_REASONS:
        return [str((delta.object.get("involvedObject") or {}).get("uid", ""))]
    if delta.kind in POD_OWNERS and delta.type == "ADDED":
        owners = ((controller_of(p, POD_OWNERS), p) for p in known.all(POD.name))
        return [uid_of(p) for owner, p in owners if owner and owner.get("uid") == uid_of(delta.object)]
    return []


def _news(after: Snapshot, uid: str, known: set[str], now: datetime) -> list[Line]:
    """Return what a pod's story has gained; nothing of a container's image once that container was started."""
    started = {key.rpartition(":")[0] for key in known if key.startswith("started:")}
    return [
        line
        for line in _story(after, uid, now)
        if line.key not in known and not (line.key.startswith("pull") and _run(line.key, uid) in started)
    ]


def _run(key: str, uid: str) -> str:
    """Return the key under which a pull's container is started, without the run's number."""
    return f"started:{uid}:{key.split(':')[1]}"


def _story(snapshot: Snapshot, uid: str, now: datetime) -> tuple[Line, ...]:
    """Return all that can be told of a pod so far; nothing before its owner is known, whose line comes first."""
    pod = snapshot.get(POD.name, uid)
    owner = controller_of(pod, POD_OWNERS) if pod else None
    if pod is None or owner is None or snapshot.get(owner["kind"], str(owner.get("uid"))) is None:
        return ()
    made = created_at(pod) or now
    story = [_line(made, str(owner["name"]), f"Created pod: {name_of(pod)}", f"created:{uid}")]
    node = spec_of(pod).get("nodeName")
    if node:
        at = parse_timestamp(condition(pod, "PodScheduled").get("lastTransitionTime")) or made
        where = f"{pod['metadata'].get('namespace', '')}/{name_of(pod)}"
        story.append(_line(at, name_of(pod), f"Successfully assigned {where} to {node}", f"assigned:{uid}"))
        view = pod_view(snapshot, pod)
        story += [line for c in view.containers for line in _container(view, c, now)]
    return tuple(story)


def _container(pod: PodView, container: ContainerView, now: datetime) -> Iterator[Line]:
    """Tell of one container: its image, as events say it, and its newest start, as its status says it."""
    for event in container.events_named(*PULL_REASONS):
        found = (PULLING if event.reason == "Pulling" else PULLED).search(event.message)
        if found:
            key = f"{event.reason.lower()}:{container.name}:{event.uid}"
            yield _line(event.last or now, pod.name, found[1], key)
    # A pod that is going counts its last end as one more run (seen); only what runs is told of it.
    state = container.running or (not is_terminating(pod.document) and container.ended)
    if not state or state.get("reason") in NEVER_STARTED:
        return
    started = state.get("startedAt")
    at = (parse_timestamp(started) if started != EPOCH else None) or now
    run = f"{uid_of(pod.document)}:{container.name}:{container.restarts}"
    yield _line(at, pod.name, f"Created container {container.name}", f"container:{run}")
    yield _line(at, pod.name, f"Started container {container.name}", f"started:{run}")


def _scaled(known: Document | None, delta: Delta, intent: Intent, now: datetime) -> list[Line]:
    """Tell that a replica set was scaled: against its last state, else the intent, else nothing."""
    replica_set, uid = delta.object, uid_of(delta.object)
    owner = controller_of(replica_set, WORKLOADS.keys())
    if owner is None or delta.type == "DELETED" or is_terminating(replica_set):
        return []
    was = replicas_of(known) if known else intent.replica_sets.get(uid, (0, 0))[1]
    count = replicas_of(replica_set)
    if count == was:
        return []
    way = "up" if count > was else "down"
    at = (created_at(replica_set) or now) if not known and uid not in intent.replica_sets else now
    text = f"Scaled {way} replica set {name_of(replica_set)} to {count}"
    # Not by generation: a bot that comes after compares with the intent and would tell a count anew that was
    # reached in two steps. Each way and count is told once a promotion.
    return [_line(at, str(owner["name"]), text, f"scaled:{uid}:{way}:{count}")]


def _deleted(delta: Delta, intent: Intent, now: datetime, *, seen: Document | None) -> list[Line]:
    """Tell that a pod is taken away, as soon as it is asked to go."""
    pod, uid = delta.object, uid_of(delta.object)
    owner = controller_of(pod, POD_OWNERS)
    if owner is None or uid in intent.terminating or (seen is not None and is_terminating(seen)):
        return []
    if delta.type != "DELETED" and not is_terminating(pod):
        return []
    return [_line(_asked(pod) or now, str(owner["name"]), f"Deleted pod: {name_of(pod)}", f"deleted:{uid}")]


def _asked(pod: Document) -> datetime | None:
    """Return when the deletion was asked for: the stamp lies in the future by the grace period."""
    due = parse_timestamp(pod["metadata"].get("deletionTimestamp"))
    grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
    return due - timedelta(seconds=grace) if due else None


def _line(at: datetime, about: str, text: str, key: str) -> Line:
    return Line(at=at.astimezone(UTC).replace(microsecond=0), object=about, text=text, key=key)


@dataclass(frozen=True, slots=True)
class RepeatLimiter:
    """When a diagnosis was last told, and how often it had been seen by then."""

    at: datetime
    times: int


def diagnosis_lines(
    said: Mapping[str, RepeatLimiter], diagnoses: Mapping[str, Sequence[Diagnosis]], now: datetime
) -> tuple[dict[str, RepeatLimiter], tuple[Line, ...]]:
    """Tell each diagnosis once, then `×N` at most once a minute while it goes on; none that may be a slow start.

    One whose numbers change by themselves is told anew at most once a minute for a service and kind.

    Args:
        said: what this function returned the last time, empty at first; after a restart the keys of first lines are
            known to the store, which drops them.
        diagnoses: service → what is wrong with it now.
        now: when it is told.
    """
    known, new_lines = dict(said), []
    for service, present in diagnoses.items():
        for diagnosis in present:
            if diagnosis.early:
                continue
            fact = diagnosis.fact or diagnosis.sentence
            kind = f"{service}:{diagnosis.kind}"
            key = f"trouble:{service}:{diagnosis.kind}:{sha256(fact.encode()).hexdigest()[:16]}"
            last = known.get(key)
            spoken = known.get(kind) if diagnosis.kind in COUNTING else last
            about = diagnosis.pod or service
            if spoken is not None and now - spoken.at < REPEAT_AFTER:
                continue
            if last is None:
                new_lines.append(_line(now, about, fact, key))
            elif diagnosis.times > last.times:
                new_lines.append(_line(now, about, f"{fact} ×{diagnosis.times}", f"{key}:{diagnosis.times}"))
            else:
                continue
            known[key] = RepeatLimiter(now, diagnosis.times)
            if diagnosis.kind in COUNTING:
                known[kind] = known[key]
    return known, tuple(new_lines)
