"""Whether every object of a bundle is there as it was applied: a rollout may look good without its Service, or with one that leads elsewhere (engine rule 47)."""

import asyncio
from typing import Any

from core.cluster.api.client import KubeClient
from core.cluster.documents import Document, is_terminating, labels_of, uid_of
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import MANAGED
from core.cluster.ownership import is_ours, owner_of, shown_fields
from core.records.bundle import Bundle, Ref
from core.records.intent import Applied


async def lost_objects(
    client: KubeClient, ns: AppNamespace, bundle: Bundle, applied: tuple[Applied, ...]
) -> str:
    """Return what is not there any more as it was applied, "" where everything is.

    Raises:
        Rejected, Unreachable: one of them cannot be read.
    """
    uids = {each.ref: each.uid for each in applied}
    objects = dict(zip(bundle.refs, bundle.objects, strict=True))
    found = await asyncio.gather(*(client.get(ns.at(ref.kind, ref.name)) for ref in objects))
    said = (
        loss(ref, wanted, uids.get(ref, ""), live)
        for (ref, wanted), live in zip(objects.items(), found, strict=True)
    )
    return "; ".join(each for each in said if each)


def loss(ref: Ref, wanted: Document, uid: str, live: dict[str, Any] | None) -> str:
    """Say what has become of one object that was applied like this and answered with this uid; "" if nothing has."""
    if live is None:
        return f"{ref} was deleted by somebody"
    if is_terminating(live):
        return f"{ref} is being deleted by somebody"
    if uid and uid_of(live) != uid:
        return f"{ref} was deleted and made anew by somebody"
    labels = labels_of(wanted)
    if other := sorted(key for key, value in labels.items() if labels_of(live).get(key) != value):
        return f"somebody changed the label {', '.join(other)} of {ref}"
    if fields := [path for path in MANAGED[ref.kind].changed(wanted, live) if not is_ours(live, path)]:
        return f"{owner_of(live, fields[0])} changed {shown_fields(fields)} of {ref}"
    return ""
