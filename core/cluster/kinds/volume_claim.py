"""Disks: made once, never removed, and never made smaller (engine rule 28); what is stored on them outlives every release.

Of those of somebody else only the events about them are read, which say why a pod has to wait for its volume.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from core.cluster.documents import Document, name_of, spec_of
from core.cluster.kinds.kind import APPLY, Json, ManagedKind, Resource
from core.cluster.labels import resource_labels, volume_labels
from core.cluster.rendering.input import RenderInput
from core.errors import Rejected
from core.manifest.volumes import VOLUME_GIB
from core.records.bundle import Bundle
from core.records.traits import Traits

# Of Kubernetes' quantities those that sizes of disks are written in.
UNITS = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
}


def render(given: RenderInput) -> Iterator[Json]:
    """Yield the claim of each disk of a service, once though several have it, and of each resource that has one."""
    disks = {volume.claim: volume for service in given.services for volume in service.volumes if volume.claim}
    for name, volume in sorted(disks.items()):
        labels = volume_labels(given.rack, given.app)
        yield claim(
            name, labels, given.namespace, f"{VOLUME_GIB}Gi", volume.access_mode, volume.storage_class
        )
    for resource in given.manifest.made:
        if resource.storage is not None:
            labels = resource_labels(given.rack, given.app, resource)
            yield claim(
                resource.object_name, labels, given.namespace, f"{resource.storage}Gi", "ReadWriteOnce"
            )


def claim(
    name: str,
    labels: Mapping[str, str],
    namespace: str,
    size: str,
    access_mode: str,
    storage_class: str = "",
) -> Json:
    """Return a claim of a class, "" for the cluster's default."""
    return {
        "apiVersion": "v1",
        "kind": VOLUME_CLAIM.name,
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "accessModes": [access_mode],
            "resources": {"requests": {"storage": size}},
            **({"storageClassName": storage_class} if storage_class else {}),
        },
    }


def onto(live: Document, wanted: Mapping[str, Any], force: bool) -> Mapping[str, Any]:
    """Return what is applied onto a claim that is there: larger if it is asked for, and nothing else.

    Raises:
        Rejected: a release asks for what cannot be; a way back leaves the disk as it is.
    """
    name, has, asked = name_of(live), spec_of(live), wanted["spec"]
    size, wants = _storage(has), _storage(asked)
    if not force and _bytes(wants) < _bytes(size):
        raise Rejected(
            f"the disk {name} has {size} and cannot become smaller, as {wants} in convox.yml asks: write its present size"
        )
    if not force and has.get("accessModes") != asked["accessModes"]:
        modes = ", ".join(has.get("accessModes") or [])
        raise Rejected(
            f"the disk {name} was made as {modes} and cannot become {', '.join(asked['accessModes'])}:"
            " give the volume another name, which makes a new disk"
        )
    larger = wants if _bytes(wants) > _bytes(size) and not force else size
    spec = {
        **asked,
        "accessModes": has.get("accessModes"),
        "resources": {"requests": {"storage": larger}},
    }
    return {**wanted, "spec": spec}


def _storage(spec: Document) -> str:
    return str(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))


def _bytes(quantity: str) -> Decimal:
    unit = next((u for u in UNITS if quantity.endswith(u)), "")
    return Decimal(quantity.removesuffix(unit)) * UNITS.get(unit, 1)


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return how large it is."""
    return f" ({wanted['spec']['resources']['requests']['storage']})"


VOLUME_CLAIM = ManagedKind(
    name="PersistentVolumeClaim",
    resource=Resource("", "v1", "persistentvolumeclaims"),
    # Not to delete: no mistake of ours shall ever cost data.
    rights={"": APPLY},
    traits=Traits(counted=False, pruned=False, removed=False, after_verdict=False),
    render=render,
    onto=onto,
    brief=brief,
)
