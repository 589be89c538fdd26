"""Giving an app its namespace, where the bot may; where it may not, an administrator is told the command."""

from collections.abc import Mapping
from typing import Any

import yaml

from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.cluster.api.refusals import ApiRejected
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import KINDS
from core.cluster.kinds.access_review import ACCESS_REVIEW
from core.cluster.kinds.deployment import DEPLOYMENT
from core.cluster.kinds.namespace import NAMESPACE
from core.cluster.kinds.role_binding import ROLE_BINDING
from core.cluster.namespace_objects import namespace_objects
from core.records.app import namespace_command


class NamespaceProvisioner:
    """Makes namespaces, with the rights in them for the ServiceAccount of `deploy/`."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def create(self, ns: AppNamespace) -> str | None:
        """Make the namespace and the bot's rights in it; return None, or the command for an administrator."""
        if await self._may("patch", DEPLOYMENT.name, ns):
            # Rights in a namespace that may not exist: only a cluster-wide grant gives those.
            if await self._exists(ns) or await self._make(ns, {NAMESPACE.name}):
                return None
            return namespace_command(ns.rack, ns.app)
        wanted = {ROLE_BINDING.name} if await self._exists(ns) else {NAMESPACE.name, ROLE_BINDING.name}
        return None if await self._make(ns, wanted) else namespace_command(ns.rack, ns.app)

    async def _exists(self, ns: AppNamespace) -> bool:
        """Tell whether the namespace is there to be seen; without rights in it nobody can tell."""
        try:
            return await self._client.get(ns.itself) is not None
        except ApiRejected as error:
            if error.status.code == 403:
                return False
            raise

    async def _make(self, ns: AppNamespace, kinds: set[str]) -> bool:
        """Create what is wanted; return False where a right is missing."""
        for document in _documents(ns):
            kind = document["kind"]
            if kind not in kinds:
                continue
            if not await self._may("create", kind, ns):
                return False
            at = (
                ns.at(kind)
                if KINDS[kind].resource.namespaced
                else Address(kind=kind, rack=ns.rack, app=ns.app)
            )
            if not await self._create(at, document):
                return False
        return True

    async def _create(self, at: Address, document: dict[str, Any]) -> bool:
        try:
            await self._client.create(at, document)
        except ApiRejected as error:
            if error.status.reason == "AlreadyExists":
                return True
            # Nobody may grant more than they hold themselves: that check is not part of an access review.
            if error.status.code == 403:
                return False
            raise
        return True

    async def may_list(self) -> bool:
        """Tell whether every namespace may be seen: a question that any API server answers to anybody it knows."""
        return await self._review({"verb": "list", "group": "", "resource": NAMESPACE.resource.plural})

    async def _may(self, verb: str, kind: str, ns: AppNamespace) -> bool:
        resource = KINDS[kind].resource
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural}
        if resource.namespaced:
            attributes["namespace"] = ns.namespace
        return await self._review(attributes)

    async def _review(self, attributes: dict[str, str]) -> bool:
        return await may(self._client, attributes)


async def may(client: KubeClient, attributes: Mapping[str, str]) -> bool:
    """Return whether the bot may do what `resourceAttributes` of an access review describe."""
    review = await client.create(
        Address(kind=ACCESS_REVIEW.name),
        {
            "apiVersion": ACCESS_REVIEW.resource.api_version,
            "kind": ACCESS_REVIEW.name,
            "spec": {"resourceAttributes": dict(attributes)},
        },
    )
    return bool((review.get("status") or {}).get("allowed"))


def _documents(ns: AppNamespace) -> list[dict[str, Any]]:
    return [dict(document) for document in yaml.safe_load_all(namespace_objects(ns.rack, ns.app))]
