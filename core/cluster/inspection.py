"""What the bot may do and sees of the cluster, asked without changing anything, for whoever sets it up."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.cluster.api.address import Address, path_of
from core.cluster.api.client import KubeClient
from core.cluster.api.refusals import ApiRejected
from core.cluster.builds.adapter import PLACE, RIGHTS
from core.cluster.kinds import KINDS
from core.cluster.kinds.http_route import HTTP_ROUTE
from core.cluster.kinds.ingress import INGRESS
from core.cluster.kinds.namespace import NAMESPACE
from core.cluster.kinds.rules_review import RULES_REVIEW
from core.cluster.kinds.subject_review import SUBJECT_REVIEW
from core.cluster.labels import namespace_name
from core.cluster.provisioning import may
from core.errors import Rejected, Unreachable
from core.records.router import Router

# Reviews that are under way at once, where rights are asked one by one: an app has some seventy.
AT_ONCE = 10


@dataclass(frozen=True, slots=True, order=True)
class AccessRight:
    """A verb on a resource (`deployments`, `deployments/scale`) of an API group."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def rights_of_an_app(router: Router) -> tuple[AccessRight, ...]:
    """Return everything that the bot has to be allowed in the namespace of an app, on a rack with this router."""
    unused = {"ingress": {HTTP_ROUTE.name}, "gateway": {INGRESS.name}}.get(
        router.kind, {HTTP_ROUTE.name, INGRESS.name}
    )
    return tuple(
        AccessRight(verb, kind.resource.group, "/".join(filter(None, (kind.resource.plural, part))))
        for kind in KINDS.values()
        if kind.name not in unused
        for part, verbs in kind.rights.items()
        for verb in sorted(verbs)
    )


def rights_of_builds() -> tuple[AccessRight, ...]:
    """Return everything that builds in the cluster take, in their own namespace."""
    groups = {"jobs": "batch"}
    return tuple(
        AccessRight(verb, groups.get(resource, ""), resource)
        for resource, verbs in RIGHTS.items()
        for verb in sorted(verbs)
    )


class ClusterInspector:
    """Asks a cluster; every method raises Rejected or Unreachable as `KubeClient` does."""

    def __init__(self, client: KubeClient, *, rack: str, router: Router) -> None:
        self._client = client
        self._rack = rack
        self._router = router

    async def time(self) -> datetime | None:
        """Return what time it is on the API server, to the second; None where it does not say."""
        return await self._client.time()

    async def identity(self) -> str:
        """Return who the bot is to the API server, "" where that does not say; it is for words alone."""
        kind = SUBJECT_REVIEW
        body = {"apiVersion": kind.resource.api_version, "kind": kind.name}
        try:
            review = await self._client.create(Address(kind=kind.name), body)
        except (Rejected, Unreachable):
            return ""
        return str(((review.get("status") or {}).get("userInfo") or {}).get("username") or "")

    async def missing(self, app: str) -> tuple[AccessRight, ...]:
        """Return what the bot may not do in the namespace of an app and has to."""
        return await self._missing(namespace_name(self._rack, app), rights_of_an_app(self._router))

    async def missing_for_builds(self) -> tuple[AccessRight, ...]:
        """Return what the bot may not do in the namespace of builds and has to."""
        return await self._missing(namespace_name(self._rack, PLACE), rights_of_builds())

    async def exists(self, app: str) -> bool | None:
        """Return whether an app has its namespace; None where the bot may not know."""
        return await self._there(f"{NAMESPACE.resource.root}/namespaces/{namespace_name(self._rack, app)}")

    async def router_parts(self) -> Mapping[str, bool | None]:
        """Return what the router of the rack consists of, and whether each part is there; None where the bot may not know."""
        return {name: await self._there(path) for name, path in router_paths(self._router).items()}

    async def _missing(self, namespace: str, rights: Iterable[AccessRight]) -> tuple[AccessRight, ...]:
        rules, complete = await self._rules(namespace)
        unseen = [right for right in rights if not any(grants(rule, right, namespace) for rule in rules)]
        return tuple(unseen) if complete else await self._denied(namespace, unseen)

    async def _rules(self, namespace: str) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """Return what the bot may do in a namespace, and whether that is all: not every authorizer can list it."""
        review = await self._client.create(
            Address(kind=RULES_REVIEW.name),
            {
                "apiVersion": RULES_REVIEW.resource.api_version,
                "kind": RULES_REVIEW.name,
                "spec": {"namespace": namespace},
            },
        )
        status = review.get("status") or {}
        return status.get("resourceRules") or (), not status.get("incomplete")

    async def _denied(self, namespace: str, rights: Iterable[AccessRight]) -> tuple[AccessRight, ...]:
        """Return which of the rights the bot does not have, asked one by one."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(right: AccessRight) -> AccessRight | None:
            resource, _, part = right.resource.partition("/")
            attributes = {"verb": right.verb, "group": right.group, "resource": resource} | (
                {"subresource": part} if part else {}
            )
            # A namespace is in itself, as a RoleBinding sees it.
            inside = {"namespace": namespace} | ({"name": namespace} if resource == "namespaces" else {})
            async with turns:
                return None if await may(self._client, attributes | inside) else right

        return tuple(right for right in await asyncio.gather(*map(ask, rights)) if right)

    async def _there(self, path: str) -> bool | None:
        try:
            return await self._client.get(path_of(path)) is not None
        except ApiRejected as error:
            if error.status.code == 404:
                return False
            if error.status.code == 403:
                return None
            raise


def grants(rule: Mapping[str, Any], right: AccessRight, namespace: str) -> bool:
    """Return whether a rule of a SelfSubjectRulesReview gives a right in a namespace, by the matching of RBAC."""
    names = rule.get("resourceNames") or ()
    part = right.resource.partition("/")[2]
    resources = {"*", right.resource} | ({f"*/{part}"} if part else set())
    return (
        bool({"*", right.verb} & set(rule.get("verbs") or ()))
        and bool({"*", right.group} & set(rule.get("apiGroups") or ()))
        and bool(resources & set(rule.get("resources") or ()))
        # A namespace is in itself; of anything else a right to one object is none to all.
        and (not names or (right.resource == "namespaces" and namespace in names))
    )


def router_paths(router: Router) -> Mapping[str, str]:
    """Return what a router consists of, with where the API server keeps it."""
    issuer = f"/apis/cert-manager.io/v1/clusterissuers/{router.issuer}"
    certificates = {f"ClusterIssuer {router.issuer}": issuer} if router.issuer else {}
    match router.kind:
        case "ingress":
            path = f"/apis/networking.k8s.io/v1/ingressclasses/{router.name}"
            return {f"IngressClass {router.name}": path, **certificates}
        case "gateway":
            path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{router.namespace}/gateways/{router.name}"
            return {f"Gateway {router.namespace}/{router.name}": path, **certificates}
        case "none":
            return {}
