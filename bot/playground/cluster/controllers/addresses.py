"""What stands between the cluster and the world: an ingress controller, a Gateway and a cloud that has load balancers."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of
from bot.playground.cluster.resources import BY_KIND
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.timestamps import whole_seconds
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
STATUS = FieldManager(manager="routes", subresource="status")
# Of RFC 5737, so that nobody is ever reached by one.
INGRESS_ADDRESS, BALANCER_ADDRESS = "192.0.2.10", "192.0.2.20"
INGRESS_CLASSES = frozenset({"nginx"})
GATEWAYS = frozenset({("gateways", "main")})

StatusMaker = Callable[[Document, str], Document | None]


def ingress_status(ingress: Document, _now: str) -> Document | None:
    """Return the address of the ingress controller, for its own class; any other waits for ever."""
    if ingress["spec"].get("ingressClassName") not in INGRESS_CLASSES:
        return None
    return {"loadBalancer": {"ingress": [{"ip": INGRESS_ADDRESS}]}}


def route_status(route: Document, now: str) -> Document | None:
    """Return what the Gateway says of a route that names it; of others nobody says anything."""
    parents = [
        {
            "parentRef": parent,
            "controllerName": "example.com/gateway-controller",
            "conditions": [
                {
                    "type": kind,
                    "status": "True",
                    "reason": kind,
                    "message": "",
                    "lastTransitionTime": now,
                    "observedGeneration": route["metadata"].get("generation", 1),
                }
                for kind in ("Accepted", "ResolvedRefs")
            ],
        }
        for parent in route["spec"].get("parentRefs") or []
        if (parent.get("namespace"), parent["name"]) in GATEWAYS
    ]
    return {"parents": parents} if parents else None


def balancer_status(service: Document, _now: str) -> Document | None:
    """Return the address of a load balancer, for a Service that asks for one."""
    if service["spec"].get("type") != "LoadBalancer":
        return None
    return {"loadBalancer": {"ingress": [{"ip": BALANCER_ADDRESS, "ipMode": "VIP"}]}}


class AddressController(Controller):
    """Gives the objects of one kind the status that somebody outside of Kubernetes gives them, after a second."""

    delay = 1.0

    def __init__(self, api: Api, gate: asyncio.Event, kind: str, status: StatusMaker) -> None:
        super().__init__(api, gate)
        self._kind = kind
        self._status = status

    @property
    def name(self) -> str:
        return f"{super().name} of {self._kind}"

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.storage.all(BY_KIND[self._kind].key)]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource != BY_KIND[self._kind].key or change.after is None:
            return []
        return [key_of(change.after)]

    async def reconcile(self, key: Key) -> float | None:
        found = self.api.find(self._kind, *key)
        now = whole_seconds(self.clock.now())
        if found is None or (status := self._status(found, now)) is None or _same(found, status):
            return None
        self.api.edit(self._kind, *key, lambda live: {**live, "status": status}, STATUS)
        return None


def _same(found: Document, status: Document) -> bool:
    """Tell whether it says so already, whenever it began to."""
    return bool(_timeless(found.get("status") or {}) == _timeless(status))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key != "lastTransitionTime"}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value
