"""Values of an environment never leave in foreign text: pod logs, events, errors."""

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from core.environment import MASK

# Shorter values occur by chance in ordinary words; that they cannot be redacted is said in the docs (promise 7).
SHORTEST = 8


class Redactor:
    """Replaces every known value, however it was escaped, by `****`."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take the values of the old and the new environment; those under 8 characters are left out."""
        spellings = {s for v in values if len(v) >= SHORTEST for s in _spellings(v)}
        # The longest first, so that a value inside another does not leave the other's rest behind.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text without any of the values; call it before cutting or storing."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text


def _spellings(value: str) -> set[str]:
    """Return a value raw, line by line, base64, URL- and JSON-escaped."""
    raw = value.encode()
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST}
    return lines | {
        value,
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
    }
