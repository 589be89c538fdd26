"""What the bot asks of the API server, in raw JSON documents: get, list, watch, apply, delete."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Self

import aiohttp
import orjson

from core.clock import Clock
from core.cluster.api.address import READYZ, VERSION, Address, discovery, path_of
from core.cluster.api.credentials import ConfigurationSource
from core.cluster.api.refusals import ApiRejected, ApiUnreachable
from core.cluster.api.transport import Request, Transport
from core.cluster.kinds import KINDS
from core.cluster.kinds.kind import Resource
from core.errors import Unreachable

Json = dict[str, Any]

LIST_SECONDS = 60.0
READY_SECONDS = 5.0
PAGE = 500  # client-go's page size
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"  # the media type of server-side apply; JSON is YAML


class KubeClient:
    """One cluster; see `Transport` for the arguments and for the errors that every method raises."""

    def __init__(self, source: ConfigurationSource, *, clock: Clock) -> None:
        self._transport = Transport(source, clock=clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def get(self, at: Address) -> Json | None:
        """Return the object, or None where there is none (a consistent read)."""
        return await self._json_or_none(Request(method="GET", at=at))

    async def list(
        self,
        at: Address,
        *,
        label_selector: str = "",
        field_selector: str = "",
        seconds: float = LIST_SECONDS,
    ) -> tuple[list[Json], str]:
        """Return a whole collection and its resourceVersion: a consistent read, in pages of so many seconds each.

        Raises:
            ApiUnreachable: also with status 410, where the list has expired between two pages: begin again.
        """
        params = {"limit": str(PAGE), **selectors(label_selector)}
        if field_selector:
            params["fieldSelector"] = field_selector
        items: list[Json] = []
        while True:
            page = await self._json(Request(method="GET", at=at, verb="list", params=params, seconds=seconds))
            items += page.get("items") or []
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                return [_typed(item, at) for item in items], metadata.get("resourceVersion", "")
            params["continue"] = metadata["continue"]

    def watch(
        self, at: Address, params: Mapping[str, str], *, idle: float
    ) -> AbstractAsyncContextManager[aiohttp.StreamReader]:
        """Open a watch; its lines are read from what the block is given. See `Transport.stream`."""
        params = {**params, "watch": "true"}
        request = Request(method="GET", at=at, verb="watch", params=params, seconds=idle)
        return self._transport.stream(request)

    async def create(self, at: Address, body: Mapping[str, Any]) -> Json:
        return await self._json(Request(method="POST", at=at, body=body))

    async def apply(
        self, at: Address, body: Mapping[str, Any], *, manager: str, force: bool, dry_run: bool = False
    ) -> Json:
        """Server-side apply; fields that the server does not know are refused."""
        params = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            params["dryRun"] = "All"
        return await self._json(Request(method="PATCH", at=at, params=params, body=body, media=APPLY))

    async def merge(self, at: Address, patch: Mapping[str, Any], *, manager: str) -> Json:
        """Patch an object by RFC 7386; a `resourceVersion` in it makes the patch conditional."""
        request = Request(method="PATCH", at=at, params={"fieldManager": manager}, body=patch, media=MERGE)
        return await self._json(request)

    async def delete(self, at: Address, options: Mapping[str, Any]) -> bool:
        """Delete with these `DeleteOptions`; return whether there was anything to delete."""
        return await self._json_or_none(Request(method="DELETE", at=at, body=options)) is not None

    async def text(self, at: Address, params: Mapping[str, str], *, seconds: float) -> bytes:
        """Return a body that is not JSON, such as a log."""
        return await self._transport.read(Request(method="GET", at=at, params=params, seconds=seconds))

    async def _json_or_none(self, request: Request) -> Json | None:
        try:
            return await self._json(request)
        except (ApiRejected, ApiUnreachable) as error:
            if error.status.code != 404:
                raise
            if error.status.about == request.at.name:
                return None
            # One that does not name the object is about the path: the server does not serve that kind (yet).
            if (
                request.at.kind
                and KINDS[request.at.kind].optional
                and not await self.serves(KINDS[request.at.kind].resource)
            ):
                return None
            raise

    async def serves(self, resource: Resource) -> bool:
        """Return whether the API server serves what not every cluster has; asked of one that says that it is ready.

        Whoever it knows may ask that.
        """
        try:
            found = await self._json(Request(method="GET", at=discovery(resource), seconds=READY_SECONDS))
        except (ApiRejected, ApiUnreachable) as error:
            if error.status.code == 404 and await self.ready() is not False:
                return False
            raise
        return any(each.get("name") == resource.plural for each in found.get("resources") or ())

    async def ready(self) -> bool | None:
        """Return whether the API server says that it is ready to serve; None where it does not say so to us."""
        try:
            await self._transport.read(Request(method="GET", at=READYZ, seconds=READY_SECONDS))
        except (ApiRejected, ApiUnreachable) as error:
            return None if error.status.code in {401, 403, 404} else False
        except Unreachable:
            return False
        return True

    async def document(self, path: str) -> Json:
        """Return what the API server says at a path that is no object, such as that of its OpenID Connect discovery."""
        return await self._json(Request(method="GET", at=path_of(path), seconds=READY_SECONDS))

    async def time(self) -> datetime | None:
        """Return the time of the answer to a question that anybody may ask, by the API server's clock; None where it says none."""
        return await self._transport.time_of(Request(method="GET", at=VERSION, seconds=READY_SECONDS))

    async def _json(self, request: Request) -> Json:
        try:
            document = orjson.loads(await self._transport.read(request))
        except orjson.JSONDecodeError as error:
            raise Unreachable(f"what answered for {request.at} does not speak Kubernetes' JSON") from error
        if not isinstance(document, dict):
            raise Unreachable(f"what answered for {request.at} does not speak Kubernetes' JSON")
        return document


def selectors(label_selector: str) -> dict[str, str]:
    return {"labelSelector": label_selector} if label_selector else {}


def _typed(item: Json, at: Address) -> Json:
    """Give an item of a list the kind that the list leaves out and a watch does not."""
    return {"kind": at.kind, "apiVersion": KINDS[at.kind].resource.api_version, **item}
