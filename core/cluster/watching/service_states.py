"""The state of each service, made anew only where a change may have touched it: without it a look costs all there is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from core.cluster.documents import controller_of, labels_of, name_of, uid_of
from core.cluster.kinds import POD_OWNERS, WORKLOADS
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.pod import POD
from core.cluster.labels import SERVICE_LABEL
from core.cluster.snapshot import Delta, Snapshot
from core.cluster.watching.readiness import service_state
from core.records.bundle import Ref
from core.records.desired_state import DesiredState
from core.records.intent import Applied
from core.records.observation import ServiceState

# A change of which nobody can tell whom it concerns, such as one of a volume claim.
ANY = "*"
NOWHERE: Mapping[Ref, Collection[str]] = MappingProxyType({})
OWN = frozenset({POD.name, *POD_OWNERS, *WORKLOADS})


class ServiceStates:
    """Remembers the state of each service of a target.

    What is wrong with a service may lie in another one's pods, which hold its place or its quota: a state with a diagnosis
    lasts until the next change, whatever it is.

    Args:
        before: pod uid → restarts that it had before the promotion.
        lacking: workload → nodes on which it had no ready pod before.
    """

    def __init__(self, before: Mapping[str, int], lacking: Mapping[Ref, Collection[str]] = NOWHERE) -> None:
        self._before = before
        self._lacking = lacking
        self._states: dict[str, ServiceState] = {}
        self._owners: dict[str, str] = {}

    def forget(self) -> None:
        """Make every state anew: the target is another one, or what is known was not told by a change."""
        self._states.clear()

    def take(self, deltas: Sequence[Delta]) -> None:
        """Forget the states that these changes may have touched."""
        touched = {name for delta in deltas for name in self._concerned(delta)}
        for name, state in list(self._states.items()):
            if name in touched or ANY in touched or (deltas and state.diagnoses):
                del self._states[name]

    def of(self, snapshot: Snapshot, target: DesiredState) -> tuple[ServiceState, ...]:
        """Return the states of the target's services, as this snapshot shows them; no state of a removal is remembered."""
        assert target.bundle is not None, "only a bundle has services"
        applied = {each.ref: each for each in target.applied}
        for service in target.bundle.services:
            if service.name not in self._states:
                answer: Applied | None = applied.get(service.workload)
                self._states[service.name] = service_state(
                    snapshot,
                    service,
                    answer,
                    target.release,
                    before=self._before,
                    lacking=self._lacking.get(service.workload, ()),
                )
        return tuple(self._states[service.name] for service in target.bundle.services)

    def _concerned(self, delta: Delta) -> Iterable[str]:
        """Return the services whose state a change may have touched."""
        if delta.kind == EVENT.name:
            about = delta.object.get("involvedObject") or {}
            # Of an object that is not known yet nothing was asked; its own change comes.
            return {self._owners.get(str(about.get("uid", "")), "")} if about.get("kind") in OWN else {ANY}
        uid, service = uid_of(delta.object), _service_of(delta)
        before = self._owners.pop(uid, service)
        if delta.type != "DELETED":
            self._owners[uid] = service
        return {service, before}


def _service_of(delta: Delta) -> str:
    """Return whose an object is: a workload is named as its service is, whatever somebody has done to its labels."""
    if delta.kind in WORKLOADS:
        return name_of(delta.object)
    owner = controller_of(delta.object, WORKLOADS.keys())
    return str(owner["name"] if owner else labels_of(delta.object).get(SERVICE_LABEL, ANY))
