"""What is known of an app's namespace: without it every question would be a request to the API server."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from core.cluster.documents import (
    Document,
    controller_of,
    is_terminating,
    labels_of,
    name_of,
    release_of,
    uid_of,
)
from core.cluster.kinds import FOLLOWED, MANAGED, POD_OWNERS
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.kind import WorkloadKind
from core.cluster.kinds.pod import POD

# Of kinds that are not followed only who they are is kept, so that no Secret's data is ever held.
IDENTITY = ("name", "namespace", "uid", "labels", "generation", "creationTimestamp", "deletionTimestamp")

T = TypeVar("T")
# The reason with which a container waits whose postStart hook failed.
HOOK_FAILED = "PostStartHookError"

Table = dict[str, dict[str, Document]]


DeltaType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Delta:
    """One change that a watch has delivered; `object` is the whole new (or last) state."""

    kind: str
    type: DeltaType
    object: Document


@dataclass(slots=True)
class Snapshot:
    """The objects of one namespace, by kind and uid.

    Only `take` changes one, and only where it is nobody else's yet: a copy for every change of a burst would cost
    as much as all objects together each time.

    Attributes:
        objects: kind → uid → document.
        about: uid of an object → uid of an event about it → the event; a look asks for every pod's.
        gone: uids of lasting objects that were seen and then deleted; what was never seen may just be late.
        hooks: (uid of a pod, name of a container) → what was last said of its postStart hook.
        memo: uid → what was made of an object and the events about it, by what was asked; either's change ends it.
        selected: labels of a selector → the pods that have them; any pod's change ends all.
    """

    objects: Table = field(default_factory=dict)
    about: Table = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    hooks: dict[tuple[str, str], str] = field(default_factory=dict)
    memo: dict[str, dict[Hashable, Any]] = field(default_factory=dict)
    selected: dict[frozenset[tuple[str, str]], list[Document]] = field(default_factory=dict)

    def after(self, *deltas: Delta) -> "Snapshot":
        """Return another snapshot, with these changes taken in."""
        fresh = self.copy()
        for delta in deltas:
            fresh.take(delta)
        return fresh

    def copy(self) -> "Snapshot":
        """Return one that may be changed; the documents are shared, since nobody changes those."""
        return Snapshot(
            objects=_copied(self.objects),
            about=_copied(self.about),
            gone=set(self.gone),
            hooks=dict(self.hooks),
            memo=dict(self.memo),
            selected=dict(self.selected),
        )

    def take(self, delta: Delta) -> None:
        """Take one change in."""
        document = delta.object if delta.kind in FOLLOWED else _identity(delta.object)
        if delta.type == "DELETED" or self.get(delta.kind, uid_of(document)) is not document:
            self.memo.pop(uid_of(document), None)
        if delta.kind == POD.name:
            self.selected.clear()
        _put(self.objects, delta.kind, delta.type, document)
        if delta.kind == EVENT.name:
            about = str((document.get("involvedObject") or {}).get("uid", ""))
            _put(self.about, about, delta.type, document)
            self.memo.pop(about, None)
        elif delta.kind == POD.name:
            self._remember_hooks(delta)
        # The others come and go by themselves; nobody asks whether one of them was deleted.
        elif delta.type == "DELETED" and delta.kind in MANAGED:
            self.gone.add(uid_of(document))

    def _remember_hooks(self, delta: Delta) -> None:
        """Keep what is said of a postStart hook: a second later the status says only that it is tried again."""
        uid = uid_of(delta.object)
        if delta.type == "DELETED":
            self.hooks = {key: said for key, said in self.hooks.items() if key[0] != uid}
            return
        for status in (delta.object.get("status") or {}).get("containerStatuses") or ():
            waiting = (status.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == HOOK_FAILED and waiting.get("message"):
                self.hooks[uid, status["name"]] = str(waiting["message"])

    def remembered(self, uid: str, question: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes of an object and of the events about it, made once for as long as neither changes."""
        made = self.memo.setdefault(uid, {})
        if question not in made:
            made[question] = make()
        answer: T = made[question]
        return answer

    def all(self, kind: str) -> list[Document]:
        return list(self.objects.get(kind, {}).values())

    def get(self, kind: str, uid: str) -> Document | None:
        return self.objects.get(kind, {}).get(uid)

    def named(self, kind: str, name: str) -> Document | None:
        """Return the object of that name; the newest, should an old one of the same name still be listed."""
        same = [o for o in self.all(kind) if name_of(o) == name]
        return max(same, key=lambda o: str(o["metadata"].get("creationTimestamp", "")), default=None)

    def pods(self, workload: Document) -> list[Document]:
        """Return the pods that were made for a workload, of every release, going ones too."""
        selector = (workload.get("spec") or {}).get("selector", {}).get("matchLabels") or {}
        wanted = frozenset(selector.items())
        if wanted not in self.selected:
            self.selected[wanted] = [
                pod
                for pod in self.all(POD.name)
                if controller_of(pod, POD_OWNERS) and wanted <= labels_of(pod).items()
            ]
        return list(self.selected[wanted])

    def new_pods(self, kind: WorkloadKind, workload: Document, release: str) -> list[Document]:
        """Return the pods of a release that nobody is taking away, oldest first; all of a kind that knows no release.

        Pods being deleted are never judged: one that never started ends as `Failed` with exit code 137.
        """
        pods = [
            p
            for p in self.pods(workload)
            if (not kind.released or release_of(p) == release) and not is_terminating(p)
        ]
        return sorted(pods, key=lambda p: (str(p["metadata"].get("creationTimestamp", "")), name_of(p)))

    def revisions(self, kind: WorkloadKind, workload: Document) -> list[Document]:
        """Return what keeps the pod templates of a workload of this kind."""
        owners = ((controller_of(m, {kind.name}), m) for m in self.all(kind.revision.name))
        return [m for owner, m in owners if owner and owner.get("uid") == uid_of(workload)]


def is_alive(pod: Document) -> bool:
    """Tell whether a pod can still serve: an evicted one stays in the list as `Failed`, replaced long since."""
    return (pod.get("status") or {}).get("phase") not in {"Failed", "Succeeded"}


def _copied(table: Table) -> Table:
    return {key: dict(row) for key, row in table.items()}


def _put(table: Table, key: str, change: str, document: Document) -> None:
    """Put a document into the row of `key`, as its last, or take it out; an empty row goes."""
    row = table.setdefault(key, {})
    row.pop(uid_of(document), None)
    if change != "DELETED":
        row[uid_of(document)] = document
    elif not row:
        del table[key]


def _identity(document: Document) -> Document:
    return {"metadata": {k: v for k, v in document["metadata"].items() if k in IDENTITY}}
