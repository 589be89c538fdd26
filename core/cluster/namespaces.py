"""Giving an app its namespace, where the bot may; where it may not, an administrator is told the command."""

from typing import Any

import yaml

from core.cluster.access import app_manifest
from core.cluster.client import KubeClient
from core.cluster.home import Home
from core.cluster.refusals import ApiRejected, remedy
from core.cluster.resources import RESOURCES, Address


class Namespaces:
    """Makes namespaces.

    Args:
        service_account: the bot's own, as `namespace/name`: the one that gets the rights.
    """

    def __init__(self, client: KubeClient, *, service_account: str) -> None:
        self._client = client
        self._bot_namespace, _, self._bot_name = service_account.partition("/")

    async def create(self, home: Home) -> str | None:
        """Make the namespace and the bot's rights in it; return None, or the command for an administrator."""
        if await self._may("patch", "Deployment", home):
            # Rights in a namespace that may not exist: only a cluster-wide grant gives those.
            if await self._exists(home) or await self._make(home, {"Namespace"}):
                return None
            return remedy(home.app)
        wanted = {"RoleBinding"} if await self._exists(home) else {"Namespace", "RoleBinding"}
        return None if await self._make(home, wanted) else remedy(home.app)

    async def _exists(self, home: Home) -> bool:
        """Tell whether the namespace is there to be seen; without rights in it nobody can tell."""
        try:
            return await self._client.get(home.itself) is not None
        except ApiRejected as error:
            if error.status.code == 403:
                return False
            raise

    async def _make(self, home: Home, kinds: set[str]) -> bool:
        """Create what is wanted; return False where a right is missing."""
        for document in _documents(home, self._bot_namespace, self._bot_name):
            kind = document["kind"]
            if kind not in kinds:
                continue
            if not await self._may("create", kind, home):
                return False
            at = Address(kind=kind, namespace=home.namespace if kind != "Namespace" else "", app=home.app)
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

    async def _may(self, verb: str, kind: str, home: Home) -> bool:
        resource = RESOURCES[kind]
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural}
        if resource.namespaced:
            attributes["namespace"] = home.namespace
        review = await self._client.create(
            Address(kind="SelfSubjectAccessReview", app=home.app),
            {
                "apiVersion": RESOURCES["SelfSubjectAccessReview"].api_version,
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        return bool((review.get("status") or {}).get("allowed"))


def _documents(home: Home, bot_namespace: str, bot_name: str) -> list[dict[str, Any]]:
    text = app_manifest(home.rack, home.app, service_account=bot_name, bot_namespace=bot_namespace)
    return [dict(document) for document in yaml.safe_load_all(text)]
