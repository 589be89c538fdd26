"""Ids of records: a letter for the kind and ten letters, as Convox makes them."""

import hashlib
import re
import secrets
import string

LETTERS = 10
PREFIXES = {"build": "B", "release": "R", "promotion": "P", "source": "S"}
ID = re.compile(rf"[A-Z]{{{LETTERS + 1}}}")


def new_id(kind: str) -> str:
    """Return a fresh id such as `RABCDEFGHIJ`; 26¹⁰ values from the system's secure source.

    Collisions are possible, so the store inserts with a unique key and asks again.
    """
    return PREFIXES[kind] + "".join(secrets.choice(string.ascii_uppercase) for _ in range(LETTERS))


def is_build(record_id: str) -> bool:
    """Tell whether an id is a build's, where promotions and builds are treated alike."""
    return record_id.startswith(PREFIXES["build"])


def trace_id(promotion_id: str) -> str:
    """Return the id of a promotion's trace, 32 hexadecimal digits: made of its own, so that no life of the process need know of another."""
    return hashlib.sha256(f"convox-bot trace {promotion_id}".encode()).hexdigest()[:32]


def normalise(kind: str, text: str) -> str | None:
    """Return the id as it is stored (upper case), or None where the text is no id of that kind."""
    candidate = text.strip().upper()
    return candidate if candidate.startswith(PREFIXES[kind]) and ID.fullmatch(candidate) else None
