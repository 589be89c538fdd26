"""The keys of a JWK set (RFC 7517) that a token of a job may be signed with."""

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

# NIST SP 800-131A.
LEAST_RSA_BITS = 2048
KEY_TYPES: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

IssuerKey = RSAKey | ECKey


class JwkSet:
    """The keys of an issuer that sign; of one that cannot be used nothing is said, as RFC 7517, 5 has it.

    Each is made ready when it is first asked for: that takes up to a millisecond, and an issuer may name a thousand.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a JWK set as it was read."""
        listed = document.get("keys")
        # By name and type: RFC 7517, 4.5 lets keys of two types share a name.
        self._written: dict[tuple[str, str], dict[str, Any]] = {}
        self._ready: dict[tuple[str, str], IssuerKey | None] = {}
        for each in listed if isinstance(listed, list) else ():
            if not isinstance(each, dict) or each.get("use", "sig") != "sig":
                continue
            name, kind = each.get("kid", ""), each.get("kty")
            # A symmetric key is none: whoever reads it could sign with it.
            if isinstance(name, str) and isinstance(kind, str) and kind in KEY_TYPES:
                self._written.setdefault((name, kind), each)

    def __contains__(self, key: tuple[str, str]) -> bool:
        """Tell whether a name and type of a key is written there."""
        return self._place(*key) is not None

    def _place(self, name: str, kind: str) -> tuple[str, str] | None:
        if name:
            return (name, kind) if (name, kind) in self._written else None
        # A token need name no key where there is one (OpenID Connect Core 1.0, 10.1).
        of_kind = [each for each in self._written if each[1] == kind]
        return of_kind[0] if len(of_kind) == 1 else None

    def find(self, name: str, kind: str) -> IssuerKey | None:
        """Return a key by its name (`kid`; "" for the only one) and type (`kty`), or None where it is missing or cannot be used."""
        at = self._place(name, kind)
        if at is None:
            return None
        if at not in self._ready:
            self._ready[at] = _imported(kind, self._written[at])
        return self._ready[at]

    def usable(self) -> int:
        """Return how many can be used."""
        return sum(self.find(*each) is not None for each in self._written)


def _imported(kind: str, document: dict[str, Any]) -> IssuerKey | None:
    try:
        if kind == "RSA" and base64_to_int(document["n"]).bit_length() < LEAST_RSA_BITS:
            return None
        return KEY_TYPES[kind].import_key(document)
    except (JoseError, KeyError, ValueError, TypeError, AttributeError):
        return None
