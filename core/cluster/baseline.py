"""What a namespace looks like before a promotion touches it: the intent that a resume and a way back rest on."""

import asyncio
from collections.abc import Sequence

from core.cluster.api.client import KubeClient
from core.cluster.api.refusals import missing_namespace
from core.cluster.documents import (
    Document,
    controller_of,
    generation_of,
    is_condition_true,
    is_terminating,
    spec_of,
    status_of,
    uid_of,
)
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import PER_NODE, WORKLOADS, count_of
from core.cluster.kinds.pod import POD
from core.cluster.kinds.replica_set import REPLICA_SET
from core.cluster.labels import CONTAINER
from core.cluster.templates import restarted_at
from core.errors import Denied, Rejected
from core.records.bundle import Ref
from core.records.intent import BaselineObject, Intent


async def namespace_uid(client: KubeClient, ns: AppNamespace) -> str:
    """Return the uid of the app's namespace.

    Raises:
        Rejected: there is none, or it is being deleted.
    """
    namespace = await client.get(ns.itself)
    if namespace is None:
        raise Denied(missing_namespace(ns.itself))
    if is_terminating(namespace):
        raise Rejected(f"namespace {ns.namespace} is being deleted: nothing can be made in it")
    return uid_of(namespace)


async def read_baseline(client: KubeClient, ns: AppNamespace, refs: Sequence[Ref]) -> Intent:
    """Read the namespace, the named objects, and the app's replica sets and pods."""
    uid = await namespace_uid(client, ns)
    live = await asyncio.gather(*(client.get(ns.at(ref.kind, ref.name)) for ref in refs))
    sets, _ = await client.list(ns.at(REPLICA_SET.name), label_selector=ns.selector)
    pods, _ = await client.list(ns.at(POD.name), label_selector=ns.selector)
    return Intent(
        namespace_uid=uid,
        objects=tuple(map(describe, refs, live)),
        replica_sets={uid_of(s): (generation_of(s), int(spec_of(s).get("replicas") or 0)) for s in sets},
        pods={uid_of(p): _restarts(p) for p in pods},
        terminating=frozenset(uid_of(p) for p in pods if is_terminating(p)),
        lacking=_lacking(pods),
    )


def describe(ref: Ref, live: Document | None) -> BaselineObject:
    """Return what an intent keeps of one object; the count only where there is one to keep.

    One that is on its way out did not exist: it would be gone before it could be a way back.
    """
    if live is None or is_terminating(live):
        return BaselineObject(ref=ref, existed=False)
    return BaselineObject(
        ref=ref,
        existed=True,
        uid=uid_of(live),
        generation=generation_of(live),
        replicas=count_of(ref, live),
        restarted=restarted_at(live) if ref.kind in WORKLOADS else "",
    )


def _lacking(pods: Sequence[Document]) -> dict[Ref, tuple[str, ...]]:
    """Return the nodes on which a workload of one pod a node has one that is not ready."""
    found: dict[Ref, list[str]] = {}
    for pod in pods:
        owner, node = controller_of(pod, PER_NODE), spec_of(pod).get("nodeName")
        if owner and node and not is_terminating(pod) and not is_condition_true(pod, "Ready"):
            found.setdefault(Ref(str(owner["kind"]), str(owner["name"])), []).append(str(node))
    return {ref: tuple(sorted(nodes)) for ref, nodes in found.items()}


def _restarts(pod: Document) -> int:
    containers = status_of(pod).get("containerStatuses") or []
    return sum(int(c.get("restartCount") or 0) for c in containers if c["name"] == CONTAINER)
