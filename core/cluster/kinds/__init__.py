"""Every kind of object that the bot knows, one file each; whoever needs to know something of a kind asks this table.

A kind file imports how documents are read and pods are rendered, never a module that asks the table.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from core.cluster.documents import Document
from core.cluster.kinds.access_review import ACCESS_REVIEW
from core.cluster.kinds.config_map import CONFIG_MAP
from core.cluster.kinds.controller_revision import CONTROLLER_REVISION
from core.cluster.kinds.cron_job import CRON_JOB
from core.cluster.kinds.daemon_set import DAEMON_SET
from core.cluster.kinds.deployment import DEPLOYMENT
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.horizontal_pod_autoscaler import HORIZONTAL_POD_AUTOSCALER
from core.cluster.kinds.http_route import HTTP_ROUTE
from core.cluster.kinds.ingress import INGRESS
from core.cluster.kinds.job import JOB
from core.cluster.kinds.kind import Follow, Kind, ManagedKind, WorkloadKind
from core.cluster.kinds.namespace import NAMESPACE
from core.cluster.kinds.pod import POD
from core.cluster.kinds.pod_disruption_budget import POD_DISRUPTION_BUDGET
from core.cluster.kinds.recorded_event import RECORDED_EVENT
from core.cluster.kinds.replica_set import REPLICA_SET
from core.cluster.kinds.role_binding import ROLE_BINDING
from core.cluster.kinds.rules_review import RULES_REVIEW
from core.cluster.kinds.secret import SECRET
from core.cluster.kinds.service import SERVICE
from core.cluster.kinds.service_account import SERVICE_ACCOUNT
from core.cluster.kinds.stateful_set import STATEFUL_SET
from core.cluster.kinds.subject_review import SUBJECT_REVIEW
from core.cluster.kinds.volume_claim import VOLUME_CLAIM
from core.manifest.service import Service
from core.records.bundle import Ref

K = TypeVar("K", bound=Kind)

# In the order in which they are applied (engine rule 25); of the workloads the first that runs a service takes it.
_BEFORE: tuple[ManagedKind, ...] = (SECRET, VOLUME_CLAIM, SERVICE_ACCOUNT, SERVICE, POD_DISRUPTION_BUDGET)
# What services need comes first.
_WORKLOADS: tuple[WorkloadKind, ...] = (STATEFUL_SET, DAEMON_SET, DEPLOYMENT)
# Once those are verified: autoscalers, routes, and last what starts pods by itself.
_AFTER: tuple[ManagedKind, ...] = (HORIZONTAL_POD_AUTOSCALER, INGRESS, HTTP_ROUTE, CRON_JOB)
# In no bundle. Those that are followed stand in the order in which their changes are told: objects before their
# parts, and events before the status that follows from them.
_OTHERS: tuple[Kind, ...] = (
    *(REPLICA_SET, CONTROLLER_REVISION, EVENT, POD),
    *(CONFIG_MAP, NAMESPACE, ROLE_BINDING, ACCESS_REVIEW, RULES_REVIEW, SUBJECT_REVIEW, JOB, RECORDED_EVENT),
)


def _by_name(kinds: Iterable[K]) -> Mapping[str, K]:
    return MappingProxyType({kind.name: kind for kind in kinds})


WORKLOADS: Mapping[str, WorkloadKind] = _by_name(_WORKLOADS)
MANAGED: Mapping[str, ManagedKind] = _by_name((*_BEFORE, *_WORKLOADS, *_AFTER))
KINDS: Mapping[str, Kind] = _by_name((*MANAGED.values(), *_OTHERS))
PRUNED: frozenset[str] = frozenset(kind.name for kind in MANAGED.values() if kind.traits.pruned)
FOLLOWED: Mapping[str, Follow] = MappingProxyType({k.name: k.follow for k in KINDS.values() if k.follow})
# Kinds whose pods belong to nodes.
PER_NODE: frozenset[str] = frozenset(kind.name for kind in WORKLOADS.values() if kind.per_node)
# Kinds that own pods of ours.
POD_OWNERS: frozenset[str] = frozenset(kind.pod_owner.name for kind in WORKLOADS.values())


def followed(refs: Iterable[Ref]) -> Mapping[str, Follow]:
    """Return what is followed of an app of which these objects matter: of the workload kinds only those that are among them.

    Most apps have one kind; a watch costs the API server and a start.
    """
    here = {ref.kind for ref in refs} & WORKLOADS.keys() or {DEPLOYMENT.name}
    used = {name for kind in here for name in (kind, WORKLOADS[kind].revision.name)}
    spared = {name for kind in WORKLOADS.values() for name in (kind.name, kind.revision.name)} - used
    return MappingProxyType({name: how for name, how in FOLLOWED.items() if name not in spared})


def count_of(ref: Ref, live: Document) -> int | None:
    """Return how many pods a live object asks for, None where its kind has no count of its own."""
    kind = WORKLOADS.get(ref.kind)
    return kind.desired_replicas(live) if kind and kind.traits.counted else None


def workload_of(service: Service) -> WorkloadKind:
    """Return the kind that a service of a manifest runs as."""
    return next(kind for kind in WORKLOADS.values() if kind.runs(service))
