"""Events about the app's objects, under a name of their own: one that is written again after a crash is there already."""

from core.cluster.api.client import Json, KubeClient
from core.cluster.api.refusals import ApiRejected
from core.cluster.documents import Document, uid_of
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import KINDS
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.recorded_event import RECORDED_EVENT
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL
from core.records.bundle import Ref
from core.records.cluster_event import ClusterEvent

# https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/: of a note, in bytes.
MOST_NOTE_BYTES = 1024


async def record_event(client: KubeClient, ns: AppNamespace, event: ClusterEvent) -> None:
    """Write one Event; raises as every request does, but not where it is there already."""
    live = await client.get(ns.at(event.ref.kind, event.ref.name))
    try:
        await client.create(ns.at(RECORDED_EVENT.name), event_object(ns, event, live))
    except ApiRejected as error:
        if error.status.code != 409:
            raise


def event_object(ns: AppNamespace, event: ClusterEvent, live: Document | None) -> Json:
    """Return it as it is sent; `live` is what it is about, None where that is not there (yet)."""
    stamp = event.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "apiVersion": RECORDED_EVENT.resource.api_version,
        "kind": EVENT.name,
        "metadata": {
            "name": event.name,
            "namespace": ns.namespace,
            "labels": {MANAGED_LABEL: FIELD_MANAGER},
        },
        "eventTime": stamp,
        "reportingController": FIELD_MANAGER,
        "reportingInstance": FIELD_MANAGER,
        "action": event.action,
        "reason": event.reason,
        "regarding": _reference(ns, event.ref, uid_of(live) if live else ""),
        # Whose promotion it was stands there.
        "related": _reference(ns, ANCHOR, ""),
        "note": _cut(event.note),
        "type": "Warning" if event.warning else "Normal",
    }


def _reference(ns: AppNamespace, ref: Ref, uid: str) -> Json:
    found = {
        "apiVersion": KINDS[ref.kind].resource.api_version,
        "kind": ref.kind,
        "namespace": ns.namespace,
        "name": ref.name,
    }
    return {**found, "uid": uid} if uid else found


def _cut(note: str) -> str:
    """Return as much of a note as Kubernetes takes; a letter is never cut in two."""
    told = note.encode()
    if len(told) <= MOST_NOTE_BYTES:
        return note
    mark = "…"
    return told[: MOST_NOTE_BYTES - len(mark.encode())].decode(errors="ignore") + mark
