"""The public keys of issuers, as their discovery documents name them: kept, and asked for again seldom.

Only issuers of the policy are asked, whatever a token says of itself.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.oidc.jwk_sets import IssuerKey, JwkSet
from core.clock import Clock
from core.errors import Unreachable
from core.policy.oidc_rules import KeySource

log = logging.getLogger(__name__)

# A key that an issuer has withdrawn is good for so long at most, while the issuer answers.
FRESH_SECONDS = 3600.0
# While it does not answer: longer than an outage, shorter than anybody leaves a stolen key in use.
STALE_SECONDS = 86400.0
# Between two questions for a key that is not known: whoever makes up names of keys asks for no more, and a new key is known this soon.
AGAIN_SECONDS = 30.0
# Between two questions to one that has not answered.
AWAY_SECONDS = 10.0


class IssuerReader(Protocol):
    """Whoever can ask issuers for their keys."""

    async def read(self, issuer: str) -> JwkSet:
        """Return the keys of an issuer as it names them now; raises Unreachable with why it does not say."""
        ...


@dataclass(slots=True)
class IssuerState:
    """What is known of an issuer; times by the monotonic clock.

    Attributes:
        read_at: when its keys were read; None until they were.
        asked_at: when it was asked last.
        trouble: why it did not answer then, "" where it did.
    """

    keys: JwkSet = field(default_factory=lambda: JwkSet({}))
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
            self.keys, self.read_at = JwkSet({}), None


class IssuerKeys:
    """Knows the keys of issuers.

    Args:
        readers: ask for them, where the policy says that they are.
        clock: says how old they are.
    """

    def __init__(self, readers: Mapping[KeySource, IssuerReader], clock: Clock) -> None:
        self._readers = readers
        self._clock = clock
        self._issuers: dict[tuple[KeySource, str], IssuerState] = {}

    async def find(self, source: KeySource, issuer: str, name: str, kind: str) -> IssuerKey | None:
        """Return a key of an issuer of the policy by its name (`kid`) and type (`kty`), or None where it has no such.

        Raises:
            Unreachable: whoever is asked does not say.
        """
        state = self._issuers.setdefault((source, issuer), IssuerState())
        if state.is_due((name, kind) in state.keys, self._clock.monotonic()):
            async with state.lock:
                # Whoever has waited for the lock may find that somebody else has asked.
                if state.is_due((name, kind) in state.keys, self._clock.monotonic()):
                    await self._ask(source, issuer, state)
        state.forget_old(self._clock.monotonic())
        key = state.keys.find(name, kind)
        if key is None and state.trouble:
            raise Unreachable(state.trouble)
        return key

    async def _ask(self, source: KeySource, issuer: str, state: IssuerState) -> None:
        try:
            state.keys = await self._readers[source].read(issuer)
            state.read_at, state.trouble = self._clock.monotonic(), ""
        except Unreachable as error:
            state.trouble = str(error)
            log.warning("the keys of %s are not known anew: %s", issuer, error)
        state.asked_at = self._clock.monotonic()
