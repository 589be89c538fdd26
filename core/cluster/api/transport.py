"""Requests to the API server: authenticated, bounded in time, every status checked.

kubernetes_asyncio gives configuration and authentication. Its own calls are not used: with `_preload_content=False` they hand
out refusals as success, and no call of theirs has a time limit.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson
from kubernetes_asyncio.client import Configuration

from core.clock import Clock
from core.cluster.api.address import Address
from core.cluster.api.connection_pools import ConnectionPools, connection_identity
from core.cluster.api.credentials import ConfigurationSource, Credentials, LoadedConfiguration, bearer
from core.cluster.api.refusals import VERBS, read_status, refusal
from core.errors import Unreachable

CALL_SECONDS = 30.0
CONNECT_SECONDS = 5.0
JSON = "application/json"


class StreamIdle(Unreachable):
    """An open stream has been silent for longer than its server ever is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call.

    Attributes:
        verb: Kubernetes' word for it; None for the one that goes with the method.
        seconds: its limit in all, waiting for a connection and credentials included; of a watch, the longest
            silence.
    """

    method: str
    at: Address
    verb: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    media: str = JSON
    seconds: float = CALL_SECONDS

    @property
    def word(self) -> str:
        return self.verb or VERBS[self.method]


class Transport:
    """One cluster's API server; nothing is read or opened before the first call.

    Args:
        source: where configuration and credentials come from.
        clock: for the renewal of credentials.
    """

    def __init__(self, source: ConfigurationSource, *, clock: Clock) -> None:
        self._credentials = Credentials(source, clock=clock)
        self._sessions: ConnectionPools | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Close both pools; open streams end, and so does a plugin that nobody waits for."""
        await self._credentials.close()
        async with self._opening:
            sessions, self._sessions = self._sessions, None
        if sessions is not None:
            await sessions.close()

    async def read(self, request: Request) -> bytes:
        """Send the request and return the whole body of its success.

        Raises:
            ApiRejected, ApiUnreachable: the server said so, with its status.
            Unreachable: there was no answer, or not in time; whether a write was done is unknown.
        """
        limits = aiohttp.ClientTimeout(total=request.seconds, sock_connect=CONNECT_SECONDS)
        with _translated(request):
            # Aiohttp's limit begins with the sending; that of the caller holds for credentials and a second try too.
            async with asyncio.timeout(request.seconds), await self._open(request, limits) as response:
                return await response.read()

    async def time_of(self, request: Request) -> datetime | None:
        """Return when the answer to a request was made, to the second (RFC 9110, `Date`); raise as `read`."""
        limits = aiohttp.ClientTimeout(total=request.seconds, sock_connect=CONNECT_SECONDS)
        with _translated(request):
            async with asyncio.timeout(request.seconds), await self._open(request, limits) as response:
                said = response.headers.get("Date", "")
        try:
            return parsedate_to_datetime(said)
        except ValueError:
            return None

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[aiohttp.StreamReader]:
        """Open a watch; the block begins when the server has accepted it.

        Raises:
            StreamIdle: nothing came for the request's seconds.
            ApiRejected, ApiUnreachable, Unreachable: as `read`.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=request.seconds)
        response = await self._open(request, limits, watch=True)
        try:
            yield response.content
        except aiohttp.SocketTimeoutError as error:
            raise StreamIdle(f"the watch of {request.at} was silent for {request.seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(request, error) from error
        finally:
            response.close()

    async def _open(
        self, request: Request, limits: aiohttp.ClientTimeout, *, watch: bool = False
    ) -> aiohttp.ClientResponse:
        loaded = await self._credentials.current()
        response = await self._send(request, limits, loaded, watch=watch)
        if response.status == 401:
            response.release()
            loaded = await self._credentials.renew(loaded)
            response = await self._send(request, limits, loaded, watch=watch)
        if 200 <= response.status < 300:
            return response
        with _translated(request):
            async with response:
                body = await response.read()
        raise refusal(
            read_status(response.status, body, response.headers.get("Retry-After")), request.word, request.at
        )

    async def _send(
        self, request: Request, limits: aiohttp.ClientTimeout, loaded: LoadedConfiguration, *, watch: bool
    ) -> aiohttp.ClientResponse:
        headers = await _headers(request, loaded.configuration)
        sessions = await self._sessions_for(loaded.configuration)
        with _translated(request):
            # Certificate and key may just be in the middle of being replaced.
            return await sessions.pool(watch=watch).request(
                request.method,
                f"{loaded.configuration.host}{request.at.path}",
                params=dict(request.params),
                data=None if request.body is None else orjson.dumps(request.body),
                headers=headers,
                timeout=limits,
                # The API server redirects nobody; whatever does must not be shown our token.
                allow_redirects=False,
                **sessions.proxy_options,
            )

    async def _sessions_for(self, configuration: Configuration) -> ConnectionPools:
        """Return the pools, made anew where a renewal has brought another server or certificate."""
        async with self._opening:
            old = self._sessions
            if old is not None and old.connection_identity == connection_identity(configuration):
                return old
            self._sessions = fresh = ConnectionPools(configuration)
        if old is not None:
            await old.close()
        return fresh


async def _headers(request: Request, configuration: Configuration) -> dict[str, str]:
    headers = {"Accept": "application/json, */*;q=0.5", "User-Agent": "convox-bot"}
    if request.body is not None:
        headers["Content-Type"] = request.media
    if token := await bearer(configuration):
        headers["Authorization"] = token
    return headers


@contextmanager
def _translated(request: Request) -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(
            f"the cluster did not answer within {request.seconds:g} s ({request.word} {request.at})"
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise _unreachable(request, error) from error


def _unreachable(request: Request, error: Exception) -> Unreachable:
    reason = str(error) or type(error).__name__
    return Unreachable(f"the cluster cannot be reached: {reason} ({request.word} {request.at})")
