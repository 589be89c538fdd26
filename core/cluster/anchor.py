"""Whose namespace it is: one ConfigMap that a restored database or a second bot runs into before it writes.

Its `data` holds the installation id of the database that owns the namespace, the newest fencing token with the promotion
that it is of, the uid of the namespace that it was made in (engine rules 14 and 59), and, from the first promotion that has
ended, which one ended last and how far the audit was then.
"""

from core.cluster.api.client import Json, KubeClient
from core.cluster.api.refusals import ApiRejected, ApiUnreachable
from core.cluster.baseline import namespace_uid
from core.cluster.documents import Document, generation_of, uid_of
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL
from core.errors import Rejected, Unreachable
from core.records.anchor import ADOPTED, Anchor, AuditHead
from core.records.app import App, adopt_command
from core.records.claim import Claim
from core.records.intent import Applied

MOST_DIGITS = 18  # of a number that SQLite keeps
_CHANGED = "what is in namespace {} has changed since it was looked at: ask again"
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
            wanted = _claimed(claim, uid)
            if live is not None and wanted.items() <= (live.get("data") or {}).items():
                return _applied(live, changed=False)
            written = await self._write(ns, live, wanted)
            if written is not None:
                return _applied(written, changed=True)
        raise _contended(ns)

    async def head(self, ns: AppNamespace, claim: Claim) -> AuditHead | None:
        """Return how far the audit of the claim's installation was when a promotion ended last, None where that is not kept."""
        live = await self._client.get(ns.at(ANCHOR.kind, ANCHOR.name))
        return anchor_of(live).head_of(claim.installation) if live else None

    async def keep_head(self, ns: AppNamespace, app: App, claim: Claim, head: AuditHead) -> None:
        """Note that the promotion of a claim has ended, and how far the audit is.

        Raises:
            Rejected: the namespace is not ours.
            Unreachable: as `claim`.
        """
        wanted = {"settled": claim.promotion, "audit-rows": str(head.rows), "audit-head": head.hash}
        for _ in range(MAX_ATTEMPTS):
            live, _uid = await self._read(ns, app, claim)
            # One that somebody has deleted is made anew by the next claim. What was kept at an end is that of this end.
            if live is None or anchor_of(live).settled == claim.promotion:
                return
            if await self._write(ns, live, wanted) is not None:
                return
        raise _contended(ns)

    async def adopt(self, ns: AppNamespace, found: Anchor | None, claim: Claim, uid: str) -> None:
        """Make the namespace the claim's, whoever had it: from here on every other bot is kept out.

        Args:
            ns: where.
            found: the anchor as the operator was shown it.
            claim: ours.
            uid: of the namespace as the operator was shown it.

        Raises:
            Rejected: either is another by now.
        """
        live = await self._client.get(ns.at(ANCHOR.kind, ANCHOR.name))
        now = anchor_of(live) if live else None
        if now != found or await namespace_uid(self._client, ns) != uid:
            raise Rejected(_CHANGED.format(ns.namespace))
        if await self._write(ns, live, {**_claimed(claim, uid), "settled": ""}) is None:
            raise Rejected(_CHANGED.format(ns.namespace))

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


def anchor_of(live: Document) -> Anchor:
    """Read the ConfigMap; whatever in it cannot be read is taken for missing, since people may write to it."""
    data = live.get("data") or {}
    rows, last = str(data.get("audit-rows", "")), str(data.get("audit-head", ""))
    token = str(data.get("token", ""))
    return Anchor(
        installation=str(data.get("installation", "")),
        token=int(token) if _is_number(token) else 0,
        promotion=str(data.get("promotion", "")),
        namespace_uid=str(data.get("namespace-uid", "")),
        settled=str(data.get("settled", "")),
        head=AuditHead(rows=int(rows), hash=last) if _is_number(rows) and last else None,
    )


def objection(namespace: str, data: Document, uid: str, app: App, claim: Claim) -> str:
    """Say why the namespace must not be written to, or "".

    Args:
        namespace: its name.
        data: of the anchor, empty without one.
        uid: of the namespace as it is.
        app: our record, which remembers the uid of the namespace it was first written to.
        claim: who wants to write.
    """
    owner, ns = data.get("installation", ""), data.get("namespace-uid", "")
    foreign = owner if owner != claim.installation else ""
    if app.namespace_uid and app.namespace_uid != uid:
        return (
            f"namespace {namespace} is not the one that {app.name} was rolled out to before: it was deleted and"
            f" made anew, or this is another cluster; if that is meant: `{adopt_command(app.name, foreign)}`"
        )
    if foreign:
        return (
            f"namespace {namespace} belongs to another installation of convox-bot: either a second bot uses the"
            " same cluster, or this one runs on a new database; if no other bot rolls out there any more:"
            f" `{adopt_command(app.name, foreign)}`"
        )
    if ns and ns != uid:
        return (
            f"{ANCHOR} in namespace {namespace} was made for another namespace of that name: it was copied or"
            f" restored from a backup; if nobody else rolls out here: `{adopt_command(app.name)}`"
        )
    return _outrun(namespace, data.get("token", ""), data.get("promotion", ""), app, claim)


def _outrun(namespace: str, newest: str, holder: str, app: App, claim: Claim) -> str:
    """Say that somebody else has written with this number or a newer one, or "" (engine rule 59)."""
    token = int(newest) if _is_number(newest) else -1
    if holder == ADOPTED and token > claim.token and claim.touched:
        return (
            f"namespace {namespace} was adopted, and nothing was promoted there since: what runs is not known well enough to"
            f" change single objects of it; promote a release of {app.name} first"
        )
    why = (
        "either the database was restored from a backup, or a second bot uses a copy of it; if there is no second one:"
        f" `{adopt_command(app.name)}`"
    )
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


def _is_number(text: str) -> bool:
    """Tell whether it is a number that somebody of ours may have written; a person may write digits without end."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _claimed(claim: Claim, uid: str) -> dict[str, str]:
    return {
        "installation": claim.installation,
        "token": str(claim.token),
        "promotion": claim.promotion,
        "namespace-uid": uid,
    }


def _contended(ns: AppNamespace) -> Unreachable:
    return Unreachable(f"{ANCHOR} in namespace {ns.namespace} changes faster than it can be claimed")


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
