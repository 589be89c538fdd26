"""The keys of a JWK set (RFC 7517) that a token of a job may be signed with."""

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

MOST_KEYS = 100
# NIST SP 800-131A.
LEAST_RSA_BITS = 2048
KEY_TYPES: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

IssuerKey = RSAKey | ECKey
# By name and type: RFC 7517, 4.5 lets keys of two types share a name.
KeysByName = Mapping[tuple[str, str], IssuerKey]


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
