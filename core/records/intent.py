"""What a promotion found and what its applies answered: the memory that a resume and a way back rest on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineObject:
    """One object as it was before the promotion touched anything.

    Attributes:
        replicas: of a workload, the pods that it asked for; of one that is not there, those that it had when it was last
            recorded, None where it was taken away or never there.
        restarted: of a workload, when its pods were last told to be replaced, as its template notes; "" where they never were.
        count: pods that the manifest of the release asked for which ran it last, None where none has (engine rule 57).
    """

    ref: Ref
    existed: bool
    uid: str = ""
    generation: int = 0
    replicas: int | None = None
    count: int | None = None
    restarted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the promotion found, stored once before its first PATCH and never captured again (engine rule 11).

    Attributes:
        replica_sets: uid → (generation, replicas), so that lines tell what changed since.
        pods: uid → restarts of its `main` container, of every pod that existed: what crashed before is not held
            against this promotion.
        terminating: those of them that were being deleted already, so that no line tells it again.
        lacking: workload → nodes on which it had a pod that was not ready; such a node fails nothing (engine rule 29).
    """

    namespace_uid: str
    objects: tuple[BaselineObject, ...]
    replica_sets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    pods: Mapping[str, int] = field(default_factory=dict)
    terminating: frozenset[str] = frozenset()
    lacking: Mapping[Ref, tuple[str, ...]] = field(default_factory=dict)

    def of(self, ref: Ref) -> BaselineObject | None:
        return next((o for o in self.objects if o.ref == ref), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The cluster's answer to one apply.

    Attributes:
        replicas: pods that a workload asks for after it; None for what has no count.
        overwrote: who else's fields were taken or taken away, by whom, for people; "" where nobody's were.
        template: digest of the pod template in the answer, "" for what has none: any other that is seen later is somebody
            else's (engine rule 44).
    """

    ref: Ref
    uid: str
    generation: int
    changed: bool = True
    replicas: int | None = None
    template: str = ""
    overwrote: str = ""
