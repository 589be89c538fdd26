"""Image registries over HTTP: what a tag names now (the distribution API, which `registry:2` and all others speak).

Whoever may register builds decides whom this asks, so it asks little: two small requests, over HTTPS, within seconds, no redirect.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address

import aiohttp
import orjson
from yarl import URL

from core.errors import Unauthenticated, Unreachable
from core.records.registry_account import DOCKER, RegistryAccount, host_of

# A build waits for this, in CI; registries answer in a tenth of a second.
PATIENCE_SECONDS = 5.0
LARGEST_MANIFEST = 4 * 1024 * 1024  # bytes, as registries themselves have it
MOST_TOKEN_BYTES = 64 * 1024
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(?<!\w)(\w+)="([^"]*)"')
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join(_MANIFESTS)


@dataclass(frozen=True, slots=True)
class ImageTag:
    """An image by tag, taken apart: where it is, and under which name and tag."""

    host: str
    repository: str
    tag: str

    @classmethod
    def of(cls, image: str) -> "ImageTag":
        """Return the parts of a reference; without a host it is Docker's, without a tag it is `latest`."""
        host = host_of(image)
        rest = image.partition("/")[2] if host != DOCKER or image.startswith(f"{DOCKER}/") else image
        name, colon, tag = rest.rpartition(":")
        repository, tag = (name, tag) if colon else (rest, "latest")
        if host == DOCKER:
            repository = repository if "/" in repository else f"library/{repository}"
        return cls(host, repository, tag)

    @property
    def url(self) -> str:
        return f"{api_address(self.host)}{self.repository}/manifests/{self.tag}"


def api_address(host: str) -> str:
    """Return where the API of a registry is, as it ends before the name of a repository."""
    where = "registry-1.docker.io" if host == DOCKER else host
    return f"{_scheme(where)}://{where}/v2/"


def _scheme(host: str) -> str:
    """Return how a registry is spoken to: on this machine as Docker does, without TLS."""
    name = host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host
    try:
        local = ip_address(name.strip("[]")).is_loopback
    except ValueError:
        local = name == "localhost"
    return "http" if local else "https"


class RegistryClient:
    """Asks registries."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def digest(self, image: str, login: RegistryAccount | None) -> str:
        """Return what a tag names now; see `core.ports.registry`."""
        tag = ImageTag.of(image)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._digest(tag, login)
        except TimeoutError:
            raise Unreachable(f"{tag.host} does not answer within {PATIENCE_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{tag.host} does not answer ({type(error).__name__})") from None

    async def check(self, host: str, login: RegistryAccount | None) -> None:
        """Ask whether a registry answers, and takes the login; nothing is read or pushed.

        Raises:
            Unreachable: it does not, and why; Unauthenticated where it asks for a login.
        """
        tag = ImageTag(host, "", "")
        url = api_address(host)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                headers: dict[str, str] = {}
                response = await self._ask("GET", url, headers)
                if response.status == HTTPStatus.UNAUTHORIZED:
                    challenge = response.headers.get("WWW-Authenticate", "")
                    headers["Authorization"] = await self._credentials(tag, challenge, login)
                    response = await self._ask("GET", url, headers)
        except TimeoutError:
            raise Unreachable(f"{host} does not answer within {PATIENCE_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{host} does not answer ({type(error).__name__})") from None
        if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise Unreachable(f"{host} does not take the login of {login.user if login else 'nobody'}")
        if response.status != HTTPStatus.OK:
            raise Unreachable(f"{host} answers HTTP {response.status} where a registry answers 200")

    async def _digest(self, tag: ImageTag, login: RegistryAccount | None) -> str:
        headers = {"Accept": ACCEPT}
        response = await self._ask("HEAD", tag.url, headers)
        if response.status == HTTPStatus.UNAUTHORIZED:
            headers["Authorization"] = await self._credentials(
                tag, response.headers.get("WWW-Authenticate", ""), login
            )
            response = await self._ask("HEAD", tag.url, headers)
        _check(tag, response.status, login)
        named = response.headers.get("Docker-Content-Digest", "")
        return named if DIGEST.fullmatch(named) else await self._computed(tag, headers)

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        async with self._session.request(method, url, headers=headers, allow_redirects=False) as response:
            return response

    async def _credentials(self, tag: ImageTag, challenge: str, login: RegistryAccount | None) -> str:
        """Return what a registry wants to see, by its own word: a token of its realm, or the login itself."""
        kind, _, rest = challenge.partition(" ")
        own = {"Authorization": _basic(login)} if login else {}
        if kind.lower() == "basic" and own:
            return own["Authorization"]
        asked = dict(_CHALLENGE.findall(rest))
        realm = URL(asked.get("realm", ""))
        if kind.lower() != "bearer" or not realm.host or realm.scheme not in {"https", _scheme(realm.host)}:
            raise _wants_login(tag, login)
        params = {name: asked[name] for name in ("service", "scope") if name in asked}
        async with self._session.get(realm, params=params, headers=own, allow_redirects=False) as response:
            _check(tag, response.status, login)
            body = await _read(response, MOST_TOKEN_BYTES)
        try:
            document = orjson.loads(body)
            return f"Bearer {document.get('token') or document['access_token']}"
        except (ValueError, KeyError, AttributeError):
            raise Unreachable(f"{tag.host} gives no token that can be read") from None

    async def _computed(self, tag: ImageTag, headers: Mapping[str, str]) -> str:
        """Return the digest of the manifest itself, where the registry does not name it."""
        async with self._session.get(tag.url, headers=headers, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise Unreachable(f"{tag.host} answers HTTP {response.status}")
            manifest = await _read(response, LARGEST_MANIFEST)
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body; Unreachable where it is larger than it may be."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise Unreachable(f"{response.url.host} answers with more than {most:,} bytes")
    return bytes(body)


def _basic(login: RegistryAccount) -> str:
    return f"Basic {login.basic}"


def _check(tag: ImageTag, status: int, login: RegistryAccount | None) -> None:
    """Raise Unreachable with why a registry does not tell."""
    if status == HTTPStatus.OK:
        return
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Unreachable(_wants_login(tag, login))
    if status == HTTPStatus.NOT_FOUND:
        raise Unreachable(f"{tag.host} has no {tag.repository}:{tag.tag}")
    raise Unreachable(f"{tag.host} answers HTTP {status}")


def _wants_login(tag: ImageTag, login: RegistryAccount | None) -> Unreachable:
    if login:
        return Unreachable(f"{tag.host} does not let {login.user} see {tag.repository}")
    return Unauthenticated(f"{tag.host} asks for a login")
