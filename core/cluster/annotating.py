"""The recommended labels of Kubernetes and the cause of the last change, on each object as it is sent.

They are in no stored bundle, so no approval is bound to them, no old bundle lacks them, and a way back writes its own. And
they are in no pod template and in no selector: pods would be replaced by a promotion that changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.cluster.documents import labels_of
from core.cluster.labels import (
    APP_REGISTRIES,
    CHANGE_CAUSE_ANNOTATION,
    INSTANCE_LABEL,
    NAME_LABEL,
    PART_OF_LABEL,
    PROMOTION_ANNOTATION,
    RELEASE_ANNOTATION,
    REQUESTER_ANNOTATION,
    RESOURCE_LABEL,
    SERVICE_LABEL,
    VERSION_LABEL,
)
from core.records.bundle import Bundle
from core.records.change_cause import ChangeCause

# What outlives every release tells of none (engine rule 29): resources, disks, the logins of the app.
_OUTLIVING = frozenset({"resource", "volume"})


def annotated(bundle: Bundle, cause: ChangeCause | None) -> Bundle:
    """Return a bundle as it is sent: each object with its labels and, if it belongs to the release, with the cause."""
    return replace(bundle, objects=tuple(_annotated(each, bundle, cause) for each in bundle.objects))


def _annotated(document: Mapping[str, Any], bundle: Bundle, cause: ChangeCause | None) -> dict[str, Any]:
    metadata = document["metadata"]
    labels, notes = _labels(document, bundle.app), {}
    if cause is not None and not _outlives(document):
        labels[VERSION_LABEL] = bundle.release
        notes = {
            PROMOTION_ANNOTATION: cause.promotion,
            RELEASE_ANNOTATION: bundle.release,
            REQUESTER_ANNOTATION: cause.requested_by,
            CHANGE_CAUSE_ANNOTATION: cause.text,
        }
    sent = {**metadata, "labels": {**labels, **labels_of(document)}}
    if notes:
        sent["annotations"] = {**(metadata.get("annotations") or {}), **notes}
    return {**document, "metadata": sent}


def _labels(document: Mapping[str, Any], app: str) -> dict[str, str]:
    """Return labels that never change; each value is a DNS label, of at most 63 characters, and so one of a label, too."""
    own, metadata = labels_of(document), document["metadata"]
    # Any other name (a timer's, an env Secret's) may be longer than a label's value.
    name = own.get(SERVICE_LABEL) or own.get(RESOURCE_LABEL) or app
    return {NAME_LABEL: name, INSTANCE_LABEL: metadata["namespace"], PART_OF_LABEL: app}


def _outlives(document: Mapping[str, Any]) -> bool:
    return labels_of(document).get("type") in _OUTLIVING or document["metadata"]["name"] == APP_REGISTRIES
