"""How what leads from outside to the services of an app stands: read when it is told, since no verdict waits for it by itself."""

import asyncio

from core.cluster.api.client import KubeClient
from core.cluster.documents import Document
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import MANAGED
from core.records.bundle import Bundle, Ref
from core.records.route_state import RouteState

# One that is not there: whoever has to pick it up has not.
NOBODY: Document = {"metadata": {}}


async def read_routes(client: KubeClient, ns: AppNamespace, bundle: Bundle) -> tuple[RouteState, ...]:
    """Return the state of each object of a bundle that leads from outside to a service, in the bundle's order.

    Raises:
        Rejected, Unreachable: one of them cannot be read.
    """
    leading = [
        (ref, wanted)
        for ref, wanted in zip(bundle.refs, bundle.objects, strict=True)
        if _state(ref, wanted, NOBODY) is not None
    ]
    found = await asyncio.gather(*(client.get(ns.at(ref.kind, ref.name)) for ref, _ in leading))
    states = (_state(ref, wanted, live or NOBODY) for (ref, wanted), live in zip(leading, found, strict=True))
    return tuple(state for state in states if state is not None)


def addresses(bundle: Bundle) -> tuple[str, ...]:
    """Return the addresses of what leads from outside to the services of a bundle, in the bundle's order."""
    states = (_state(ref, wanted, NOBODY) for ref, wanted in zip(bundle.refs, bundle.objects, strict=True))
    return tuple(address for state in states if state is not None for address in state.addresses)


def _state(ref: Ref, wanted: Document, live: Document) -> RouteState | None:
    route = MANAGED[ref.kind].route
    return route(wanted, live) if route else None
