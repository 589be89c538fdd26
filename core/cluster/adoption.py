"""What an operator who adopts a namespace has to see of it, and the write that makes it theirs (engine rule 14)."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime

from core.cluster.anchor import Anchors, anchor_of, objection
from core.cluster.api.client import KubeClient
from core.cluster.baseline import namespace_uid
from core.cluster.documents import Document, labels_of, name_of, parse_timestamp, release_of, spec_of
from core.cluster.fencing import AppNamespace, token_of
from core.cluster.kinds import WORKLOADS
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL, RESTART_MANAGER, SCALE_MANAGER
from core.records.anchor import Anchor, AuditHead
from core.records.app import App
from core.records.bundle import Ref
from core.records.claim import Claim
from core.records.namespace_state import LiveObject, NamespaceState

BOTS = frozenset({FIELD_MANAGER, SCALE_MANAGER, RESTART_MANAGER})


class NamespaceAdopter:
    """Looks at namespaces of apps and takes them over; every method raises Rejected and Unreachable as the port `Cluster` does."""

    def __init__(self, client: KubeClient, *, rack: str) -> None:
        self._client = client
        self._rack = rack
        self._anchors = Anchors(client)

    async def anchor(self, app: str) -> Anchor | None:
        """Return the anchor of an app; None where there is none, or no namespace."""
        live = await self._client.get(self._ns(app).at(ANCHOR.kind, ANCHOR.name))
        return anchor_of(live) if live else None

    async def refusal(self, app: App, claim: Claim) -> tuple[str, Anchor | None]:
        """Return why a claim could not be made, "" where it could, and the anchor that says so."""
        ns = self._ns(app.name)
        live = await self._client.get(ns.at(ANCHOR.kind, ANCHOR.name))
        uid = await namespace_uid(self._client, ns)
        refused = objection(ns.namespace, (live or {}).get("data") or {}, uid, app, claim)
        return refused, anchor_of(live) if live else None

    async def look(self, app: App, claim: Claim, refs: Collection[Ref]) -> NamespaceState:
        """Return the namespace with its anchor, these objects and all workloads; nothing is changed.

        Args:
            app: whose.
            claim: of the promotion that would be the next one.
            refs: objects to be looked at besides the workloads, of kinds of bundles.
        """
        ns = self._ns(app.name)
        now = await self._client.time()
        uid = await namespace_uid(self._client, ns)
        anchor = await self._client.get(ns.at(ANCHOR.kind, ANCHOR.name))
        others = [ref for ref in refs if ref.kind not in WORKLOADS]
        found = await asyncio.gather(*(self._client.get(ns.at(ref.kind, ref.name)) for ref in others))
        lists = await asyncio.gather(
            *(self._client.list(ns.at(kind), label_selector=ns.selector) for kind in WORKLOADS)
        )
        live = [*(each for listed, _ in lists for each in listed), *(each for each in found if each)]
        ours = [each for each in live if labels_of(each).get(MANAGED_LABEL) == FIELD_MANAGER]
        return NamespaceState(
            namespace=ns.namespace,
            uid=uid,
            refused=objection(ns.namespace, (anchor or {}).get("data") or {}, uid, app, claim),
            anchor=anchor_of(anchor) if anchor else None,
            objects=tuple(sorted(map(_described, ours), key=lambda each: str(each.ref))),
            written_at=last_written([*ours, *([anchor] if anchor else [])]),
            now=now,
        )

    async def adopt(self, app: App, state: NamespaceState, claim: Claim) -> None:
        """Write our claim over whatever the anchor says, provided that it still says what `state` has."""
        await self._anchors.adopt(self._ns(app.name), state.anchor, claim, state.uid)

    async def keep_head(self, app: App, claim: Claim, head: AuditHead) -> None:
        """Note how far the audit is."""
        await self._anchors.keep_head(self._ns(app.name), app, claim, head)

    def _ns(self, app: str) -> AppNamespace:
        return AppNamespace(self._rack, app)


def _described(live: Document) -> LiveObject:
    kind = str(live["kind"])
    workload = kind in WORKLOADS
    return LiveObject(
        ref=Ref(kind, name_of(live)),
        token=token_of(live),
        release=release_of(live) if workload else "",
        images=_images(live) if workload else (),
    )


def _images(workload: Document) -> tuple[tuple[str, str], ...]:
    spec = (spec_of(workload).get("template") or {}).get("spec") or {}
    return tuple((str(c["name"]), str(c.get("image", ""))) for c in spec.get("containers") or [])


def last_written(documents: Iterable[Document]) -> datetime | None:
    """Return when a bot has changed one of these last, as `managedFields` tell it by the API server's clock."""
    entries = [
        entry for document in documents for entry in document["metadata"].get("managedFields") or [] if entry
    ]
    times = [parse_timestamp(e.get("time")) for e in entries if e.get("manager") in BOTS]
    return max((at for at in times if at), default=None)
