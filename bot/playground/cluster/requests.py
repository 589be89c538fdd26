"""One request of a client, read from HTTP once, and the verb that access rules know it by."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web
from orjson import JSONDecodeError, loads

from bot.playground.cluster.errors import bad_request
from bot.playground.cluster.resources import RequestTarget, parse_path
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
APPLY = "application/apply-patch+yaml"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """What a client asks for.

    Attributes:
        method: the HTTP method.
        target: what the path points at.
        verb: the verb of the access rules.
        query: the parameters; a repeated one counts once.
        body: the document sent, empty if none.
        media: the content type, without parameters.
        agent: the client's name, the default field manager.
    """

    method: str
    target: RequestTarget
    verb: str
    query: dict[str, str]
    body: Document
    media: str
    agent: str

    def flag(self, name: str) -> bool:
        return self.query.get(name, "") in _TRUE

    @property
    def dry_run(self) -> bool:
        return self.query.get("dryRun") == "All"

    @property
    def field_manager(self) -> FieldManager:
        """Return who writes, as `managedFields` names it."""
        return FieldManager(
            manager=self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown",
            operation="Apply" if self.media == APPLY else "Update",
            subresource=self.target.subresource,
        )


async def read_request(request: web.Request, extensions: Collection[str] = ()) -> ApiRequest:
    """Read a request to a cluster that has these groups beside those of every cluster.

    Raises:
        ApiError: 404 for an unknown path, 400 for a body that cannot be read.
    """
    target = parse_path(request.path, extensions)
    query = dict(request.query)
    media = request.content_type if request.can_read_body else ""
    raw = await request.read() if request.can_read_body else b""
    return ApiRequest(
        method=request.method,
        target=target,
        verb=verb_of(request.method, target, query),
        query=query,
        body=_document(raw, media),
        media=media,
        agent=request.headers.get("User-Agent", ""),
    )


def verb_of(method: str, target: RequestTarget, query: dict[str, str]) -> str:
    """Return the verb of the access rules for a method on a target."""
    if method == "GET":
        if query.get("watch", "") in _TRUE:
            return "watch"
        return "get" if target.name else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return _VERBS.get(method, method.lower())


def _document(raw: bytes, media: str) -> Document:
    if not raw.strip():
        return {}
    try:
        document = (
            yaml.safe_load(raw) if "yaml" in media and not raw.lstrip().startswith(b"{") else loads(raw)
        )
    except (JSONDecodeError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding the body of the request: {error}") from None
    if not isinstance(document, dict):
        raise bad_request("the body of the request is not an object")
    return document
