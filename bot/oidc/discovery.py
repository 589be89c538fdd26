"""Where the keys of an issuer are read: at its own address, or from the cluster that the bot works in.

An issuer is asked little: two documents within seconds, no redirect.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from ssl import SSLContext
from typing import Any

import aiohttp
import orjson

from bot.oidc.issuers import IssuerReader
from bot.oidc.jwk_sets import JwkSet
from core.errors import Rejected, Unreachable
from core.policy.oidc_rules import KeySource

PATIENCE_SECONDS = 5.0
# GitHub's are 4 kB; a document of this size holds hundreds of keys.
MOST_BYTES = 256 * 1024
# OpenID Connect Discovery 1.0, 4; and where kube-apiserver has its keys, whatever address its document gives of itself
# (kubernetes.io/docs/tasks/configure-pod-container/configure-service-account, "Service account issuer discovery").
CONFIGURATION, CLUSTER_KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"

Json = dict[str, Any]


class PublicIssuers:
    """Asks issuers over HTTPS.

    Args:
        session: asks them.
        tls: trusts their certificates; None for what this machine trusts.
    """

    def __init__(self, session: aiohttp.ClientSession, tls: SSLContext | None = None) -> None:
        self._session = session
        self._tls = tls

    async def read(self, issuer: str) -> JwkSet:
        """Ask an issuer for its keys; raises Unreachable with why it does not say."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                configuration = await self._document(f"{issuer.rstrip('/')}{CONFIGURATION}")
                if configuration.get("issuer") != issuer:
                    raise Unreachable(f"{issuer} calls itself otherwise in its discovery document")
                where = str(configuration.get("jwks_uri", ""))
                if not where.startswith("https://"):
                    raise Unreachable(f"{issuer} does not say where its keys are, over https")
                return JwkSet(await self._document(where))
        except TimeoutError:
            raise Unreachable(f"{issuer} does not answer within {PATIENCE_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"{issuer} does not answer as an issuer ({type(error).__name__})") from None

    async def _document(self, url: str) -> Json:
        async with self._session.get(
            url,
            ssl=self._tls or True,
            allow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        ) as response:
            if response.status != HTTPStatus.OK:
                raise Unreachable(f"{response.url.host} answers HTTP {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Unreachable(f"{response.url.host} answers with more than {MOST_BYTES:,} bytes")
        document = orjson.loads(body)
        if not isinstance(document, dict):
            raise Unreachable(f"{response.url.host} answers with no JSON object")
        return document


class ClusterIssuer:
    """Asks the API server of the bot's own cluster, as which it signs the tokens of ServiceAccounts.

    It is asked as the bot is known to it, which every ServiceAccount may (ClusterRole `system:service-account-issuer-discovery`):
    so its private CA is trusted, its address is the bot's own, and nothing is opened to the anonymous.
    """

    def __init__(self, document: Callable[[str], Awaitable[Json]]) -> None:
        """Take what reads a document of the API server by its path, as `KubeClient.document` does."""
        self._document = document

    async def read(self, issuer: str) -> JwkSet:
        """Ask the cluster for its keys; raises Unreachable with why it does not say, or that it signs as another issuer."""
        try:
            configuration = await self._document(CONFIGURATION)
            if (itself := configuration.get("issuer")) != issuer:
                raise Unreachable(f"this cluster signs as the issuer {itself}, not as {issuer}")
            return JwkSet(await self._document(CLUSTER_KEYS))
        except Rejected as error:
            raise Unreachable(f"this cluster does not say its keys: {error}") from None


def issuer_readers(
    session: aiohttp.ClientSession, document: Callable[[str], Awaitable[Json]], tls: SSLContext | None = None
) -> Mapping[KeySource, IssuerReader]:
    """Return who reads keys from where; the arguments are those of `PublicIssuers` and `ClusterIssuer`."""
    return {"issuer": PublicIssuers(session, tls), "cluster": ClusterIssuer(document)}
