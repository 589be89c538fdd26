"""Kubernetes documents as small as a test can have them."""

from typing import Any

from core.cluster.snapshot import Delta, Snapshot
from core.records.bundle import BundleService, Ref
from core.records.intent import Applied

WEB = BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=20)
MINE = Applied(ref=Ref("Deployment", "web"), uid="d1", generation=2)
NOW = "2026-11-24T10:00:00Z"


def deployment(**changes: Any) -> dict[str, Any]:
    """A finished Deployment of release R2, two pods; `spec`, `status` and `metadata` are merged in."""
    return {
        "metadata": {"name": "web", "uid": "d1", "generation": 2, "creationTimestamp": NOW}
        | changes.get("metadata", {}),
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"service": "web"}},
            "template": {
                "metadata": {"labels": {"service": "web", "release": changes.get("release", "R2")}},
                "spec": {"containers": [{"name": "main"}]},
            },
        }
        | changes.get("spec", {}),
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
        | changes.get("status", {}),
    }


def replica_set(**changes: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "web-abc",
            "uid": "rs1",
            "generation": 1,
            "creationTimestamp": NOW,
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d1", "controller": True}],
        },
        "spec": {
            "replicas": 2,
            "template": {"metadata": {"labels": {"release": changes.get("release", "R2")}}},
        },
        "status": changes.get("status", {}),
    }


def pod(name: str, **changes: Any) -> dict[str, Any]:
    """A ready pod of release R2; `container` is the status of its one container."""
    ready = changes.get("ready", True)
    container = {"name": "main", "ready": ready, "restartCount": 0, "state": {"running": {"startedAt": NOW}}}
    return {
        "metadata": {
            "name": name,
            "namespace": "convox-app",
            "uid": f"uid-{name}",
            "creationTimestamp": NOW,
            "labels": {"service": "web", "release": changes.get("release", "R2")},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc", "uid": "rs1", "controller": True}],
        }
        | changes.get("metadata", {}),
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "registry.test/web:2"}]}
        | changes.get("spec", {}),
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOW},
                {
                    "type": "Ready",
                    "status": str(ready),
                    "lastTransitionTime": changes.get("since", NOW),
                },
            ],
            "containerStatuses": [container | changes.get("container", {})],
        }
        | changes.get("status", {}),
    }


def event(about: dict[str, Any], reason: str, message: str, **changes: Any) -> dict[str, Any]:
    uid = about["metadata"]["uid"]
    container = changes.pop("container", "main")
    return {
        "metadata": {
            "name": f"{uid}.{reason}",
            "uid": changes.pop("uid", f"e-{uid}-{reason}-{len(message)}"),
        },
        "involvedObject": {"uid": uid, "kind": "Pod", "fieldPath": f"spec.containers{{{container}}}"},
        "reason": reason,
        "message": message,
        "count": 1,
        "lastTimestamp": NOW,
    } | changes


def snapshot(**objects: Any) -> Snapshot:
    """Put documents into a snapshot, by kind."""
    known = Snapshot()
    for kind, documents in objects.items():
        for document in documents:
            known = known.after(Delta(kind, "ADDED", document))
    return known
