"""The few requests that a kubelet makes, as raw JSON over the session of kubernetes_asyncio's client."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from kubernetes_asyncio import config

Document = dict[str, Any]
JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML

_CALL = aiohttp.ClientTimeout(total=10, sock_connect=5)
# How often a request is sent again to a server that is not there, and the seconds between: a minute and more.
_TRIES, _PAUSE = 150, 0.5
# Bookmarks come about once a minute: a watch that is silent for longer is a dead connection.
_WATCH = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=90)
_LONGEST_OBJECT = 4 << 20  # more than etcd stores of one


class ApiClientError(Exception):
    """An answer of the API server that is not a success."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason


class ApiClient:
    """One API server, spoken to with one identity."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def call(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        content: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Document:
        """Send one request and return the object in its answer, or raise ApiClientError.

        A kubelet outlives its API server: while that is away or stands still, the request is sent again.
        """
        for _ in range(_TRIES):
            try:
                return await self._once(method, path, body, content=content, query=query)
            except (aiohttp.ClientConnectionError, TimeoutError):
                await asyncio.sleep(_PAUSE)
        return await self._once(method, path, body, content=content, query=query)

    async def _once(
        self, method: str, path: str, body: Document | None, *, content: str, query: Mapping[str, str] | None
    ) -> Document:
        async with self._open(
            method, path, query=query, body=body, content=content, timeout=_CALL
        ) as response:
            document: Document = orjson.loads(await response.read())
            return document

    async def watch(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Document]:
        """Yield watch events until the server ends the stream; an ERROR event is raised."""
        wanted = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._open("GET", path, query=wanted, timeout=_WATCH) as response:
            while line := await response.content.readuntil(b"\n", max_size=_LONGEST_OBJECT):
                if not line.endswith(b"\n"):
                    return  # cut off in the middle of an event
                event: Document = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise _error(event["object"], 500)
                yield event

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        body: Document | None = None,
        content: str = JSON,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own kind, per read and connect
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": JSON, "Content-Type": content, "User-Agent": "kubelet/simulated"}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"])
        session: aiohttp.ClientSession = self._client.rest_client.pool_manager
        url = self._client.configuration.host + path
        data = None if body is None else orjson.dumps(body)
        async with session.request(
            method, url, params=query, headers=headers, data=data, timeout=timeout
        ) as response:
            if not 200 <= response.status < 300:
                raise _error(_status(await response.read()), response.status)
            yield response


@asynccontextmanager
async def connect(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    """Open the cluster of a kubeconfig."""
    client = await config.new_client_from_config(str(kubeconfig), persist_config=False)
    async with client:
        yield ApiClient(client)


def _status(raw: bytes) -> Document:
    try:
        document = orjson.loads(raw)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"message": raw[:300].decode(errors="replace")}


def _error(status: Document, code: int) -> ApiClientError:
    return ApiClientError(int(status.get("code", code)), status.get("reason", ""), status.get("message", ""))
