"""Whose namespace it is: one ConfigMap that a restored database or a second bot runs into before it writes.

Its `data` holds the installation id of the database that owns the namespace, the newest fencing token with the promotion
that it is of, and the uid of the namespace that it was made in (engine rules 14 and 59).
"""

from core.cluster.api.client import Json, KubeClient
from core.cluster.api.refusals import ApiRejected, ApiUnreachable
from core.cluster.baseline import namespace_uid
from core.cluster.documents import Document, generation_of, uid_of
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL
from core.errors import Rejected, Unreachable
from core.records.app import App
from core.records.claim import Claim
from core.records.intent import Applied

MAX_ATTEMPTS = 5  # losing the compare-and-set more often means that somebody writes all the time


class Anchors:
    """Reads and claims the anchors of apps."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def check(self, ns: AppNamespace, app: App, claim: Claim) -> None:
        """Raise Rejected where the namespace is not this promotion's to write to."""
        await self._read(ns, app, claim)

    async def claim(self, ns: AppNamespace, app: App, claim: Claim) -> Applied:
        """Write our installation, token and promotion by compare-and-set.

        Raises:
            Rejected: the namespace is not ours.
            Unreachable: somebody else wrote each time between our read and our write.
        """
        for _ in range(MAX_ATTEMPTS):
            live, uid = await self._read(ns, app, claim)
            wanted = {
                "installation": claim.installation,
                "token": str(claim.token),
                "promotion": claim.promotion,
                "namespace-uid": uid,
            }
            if live is not None and wanted.items() <= (live.get("data") or {}).items():
                return _applied(live, changed=False)
            written = await self._write(ns, live, wanted)
            if written is not None:
                return _applied(written, changed=True)
        raise Unreachable(f"{ANCHOR} in namespace {ns.namespace} changes faster than it can be claimed")

    async def _read(self, ns: AppNamespace, app: App, claim: Claim) -> tuple[Json | None, str]:
        uid = await namespace_uid(self._client, ns)
        live = await self._client.get(ns.at(ANCHOR.kind, ANCHOR.name))
        data = (live or {}).get("data") or {}
        if reason := objection(ns.namespace, data, uid, app, claim):
            raise Rejected(reason)
        return live, uid

    async def _write(self, ns: AppNamespace, live: Document | None, data: dict[str, str]) -> Json | None:
        """Return what was written, or None where somebody else was first.

        Created by POST, since an apply would quietly become an update of what another bot has just made.
        """
        try:
            if live is None:
                return await self._client.create(ns.at(ANCHOR.kind), _body(ns, data))
            body = _body(ns, {**(live.get("data") or {}), **data})
            body["metadata"] |= {k: live["metadata"][k] for k in ("uid", "resourceVersion")}
            return await self._client.apply(
                ns.at(ANCHOR.kind, ANCHOR.name), body, manager=FIELD_MANAGER, force=True
            )
        except (ApiRejected, ApiUnreachable) as error:
            if error.status.code == 409:
                return None
            raise


def objection(namespace: str, data: Document, uid: str, app: App, claim: Claim) -> str:
    """Say why the namespace must not be written to, or "".

    Args:
        namespace: its name.
        data: of the anchor, empty without one.
        uid: of the namespace as it is.
        app: our record, which remembers the uid of the namespace it was first written to.
        claim: who wants to write.
    """
    if app.namespace_uid and app.namespace_uid != uid:
        return (
            f"namespace {namespace} is not the one that {app.name} was rolled out to before: it was deleted and"
            " made anew, or this is another cluster"
        )
    owner, ns = data.get("installation", ""), data.get("namespace-uid", "")
    if owner and owner != claim.installation:
        return (
            f"namespace {namespace} belongs to another installation of convox-bot: either a second bot uses the"
            " same cluster, or this one runs on a new database"
        )
    if ns and ns != uid:
        return (
            f"{ANCHOR} in namespace {namespace} was made for another namespace of that name: it was copied or"
            f" restored from a backup; if nobody else rolls out here, delete {ANCHOR}"
        )
    return _outrun(namespace, data.get("token", ""), data.get("promotion", ""), claim)


def _outrun(namespace: str, newest: str, holder: str, claim: Claim) -> str:
    """Say that somebody else has written with this number or a newer one, or "" (engine rule 59)."""
    token = int(newest) if newest.isdecimal() else -1
    why = "either the database was restored from a backup, or a second bot uses a copy of it"
    if token > claim.token:
        return (
            f"namespace {namespace} was written to with a newer number ({newest}) than this database knows"
            f" ({claim.token}): {why}"
        )
    ours = holder == claim.promotion or (not holder and claim.touched)
    if token == claim.token and not ours:
        return (
            f"namespace {namespace} was written to with the same number ({newest}) by another promotion"
            f" ({holder or 'its name was not kept'}): {why}"
        )
    return ""


def _body(ns: AppNamespace, data: dict[str, str]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": ANCHOR.kind,
        "metadata": {
            "name": ANCHOR.name,
            "namespace": ns.namespace,
            "labels": {MANAGED_LABEL: FIELD_MANAGER},
        },
        "data": data,
    }


def _applied(document: Document, *, changed: bool) -> Applied:
    return Applied(ref=ANCHOR, uid=uid_of(document), generation=generation_of(document), changed=changed)
