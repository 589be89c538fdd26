"""The public keys of issuers, as their discovery documents name them: asked over HTTPS, kept, and asked for again seldom.

Only issuers of the policy are asked, whatever a token says of itself. They are asked little: two documents within seconds, no redirect.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from ssl import SSLContext
from typing import Any

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from core.clock import Clock
from core.errors import Unreachable

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
# GitHub's are 4 kB; a document of this size holds a hundred keys.
MOST_BYTES = 256 * 1024
MOST_KEYS = 100
# A key that an issuer has withdrawn is good for so long at most, while the issuer answers.
FRESH_SECONDS = 3600.0
# While it does not answer: longer than an outage, shorter than anybody leaves a stolen key in use.
STALE_SECONDS = 86400.0
# Between two questions for a key that is not known: whoever makes up names of keys asks for no more, and a new key is known this soon.
AGAIN_SECONDS = 30.0
# Between two questions to one that has not answered.
AWAY_SECONDS = 10.0
# NIST SP 800-131A.
LEAST_RSA_BITS = 2048
KEY_TYPES: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

IssuerKey = RSAKey | ECKey
# By name and type: RFC 7517, 4.5 lets keys of two types share a name.
KeysByName = Mapping[tuple[str, str], IssuerKey]


@dataclass(slots=True)
class IssuerState:
    """What is known of an issuer; times by the monotonic clock.

    Attributes:
        read_at: when its keys were read; None until they were.
        asked_at: when it was asked last.
        trouble: why it did not answer then, "" where it did.
    """

    keys: KeysByName = field(default_factory=dict)
    read_at: float | None = None
    asked_at: float | None = None
    trouble: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_due(self, known: bool, now: float) -> bool:
        """Tell whether the issuer is to be asked, for a key that is known or not."""
        if self.asked_at is not None and now - self.asked_at < (
            AWAY_SECONDS if self.trouble else AGAIN_SECONDS
        ):
            return False
        return not known or self.read_at is None or now - self.read_at >= FRESH_SECONDS

    def forget_old(self, now: float) -> None:
        """Trust no key for days that nobody has confirmed."""
        if self.read_at is not None and now - self.read_at >= STALE_SECONDS:
            self.keys, self.read_at = {}, None


class IssuerKeys:
    """Knows the keys of issuers.

    Args:
        session: asks them.
        clock: says how old they are.
        tls: trusts their certificates; None for what this machine trusts.
    """

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, tls: SSLContext | None = None) -> None:
        self._session = session
        self._clock = clock
        self._tls = tls
        self._issuers: dict[str, IssuerState] = {}

    async def find(self, issuer: str, name: str, kind: str) -> IssuerKey | None:
        """Return a key of an issuer of the policy by its name (`kid`) and type (`kty`), or None where it has no such.

        Raises:
            Unreachable: the issuer does not say.
        """
        state = self._issuers.setdefault(issuer, IssuerState())
        if state.is_due((name, kind) in state.keys, self._clock.monotonic()):
            async with state.lock:
                # Whoever has waited for the lock may find that somebody else has asked.
                if state.is_due((name, kind) in state.keys, self._clock.monotonic()):
                    await self._ask(issuer, state)
        state.forget_old(self._clock.monotonic())
        key = state.keys.get((name, kind))
        if key is None and state.trouble:
            raise Unreachable(state.trouble)
        return key

    async def _ask(self, issuer: str, state: IssuerState) -> None:
        try:
            state.keys = await self.read(issuer)
            state.read_at, state.trouble = self._clock.monotonic(), ""
        except Unreachable as error:
            state.trouble = str(error)
            log.warning("the keys of %s are not known anew: %s", issuer, error)
        state.asked_at = self._clock.monotonic()

    async def read(self, issuer: str) -> KeysByName:
        """Ask an issuer for its keys (OpenID Connect Discovery 1.0, 4); raises Unreachable with why it does not say."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                configuration = await self._document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if configuration.get("issuer") != issuer:
                    raise Unreachable(f"{issuer} calls itself otherwise in its discovery document")
                where = str(configuration.get("jwks_uri", ""))
                if not where.startswith("https://"):
                    raise Unreachable(f"{issuer} does not say where its keys are, over https")
                return keys_of(await self._document(where))
        except TimeoutError:
            raise Unreachable(f"{issuer} does not answer within {PATIENCE_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"{issuer} does not answer as an issuer ({type(error).__name__})") from None

    async def _document(self, url: str) -> dict[str, Any]:
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


def keys_of(document: Mapping[str, Any]) -> KeysByName:
    """Return the keys of a JWK set that sign; of one that cannot be used nothing is said, as RFC 7517, 5 has it.

    A symmetric key is none: whoever reads it could sign with it.
    """
    listed = document.get("keys")
    found: dict[tuple[str, str], IssuerKey] = {}
    for each in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        name, kind = each.get("kid"), each.get("kty")
        if not isinstance(name, str) or not isinstance(kind, str) or kind not in KEY_TYPES:
            continue
        if (key := _imported(kind, each)) is not None:
            found.setdefault((name, kind), key)
    return found


def _imported(kind: str, document: dict[str, Any]) -> IssuerKey | None:
    try:
        if kind == "RSA" and base64_to_int(document["n"]).bit_length() < LEAST_RSA_BITS:
            return None
        return KEY_TYPES[kind].import_key(document)
    except (JoseError, KeyError, ValueError, TypeError, AttributeError):
        return None
