"""Values of an environment never leave in foreign text: pod logs, events, errors."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from core.records.environment import MASK

# What JavaScript's encodeURIComponent and encodeURI leave as it is, beyond Python's letters, digits and `_.-~`.
JS_COMPONENT, JS_URI = "!'()*", "!'()*;,/?:@&=+$#"
# Shorter values occur by chance in ordinary words; that they cannot be redacted is said in the docs (promise 7).
SHORTEST_VALUE = 8
# Foreign text that was cut ends so, and what is left of a value there is a part of a secret. A few characters that
# happen to begin one tell nothing.
ELLIPSIS = "…"
SHORTEST_CUT = 4


class Redactor:
    """Replaces every known value, however it was escaped, by `****`."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take the values of the old and the new environment; those under 8 characters are left out."""
        spellings = {s for v in values if len(v) >= SHORTEST_VALUE for s in _spellings(v)}
        # The longest first, so that a value inside another does not leave the other's rest behind.
        self._spellings = sorted(spellings, key=len, reverse=True)
        self._longest = max(map(len, spellings), default=0)

    def __call__(self, text: str) -> str:
        """Return the text without any of the values; call it before cutting or storing."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        *cut, rest = text.split(ELLIPSIS)
        return ELLIPSIS.join([*(self._without_beginning(part) for part in cut), rest])

    def _without_beginning(self, text: str) -> str:
        """Return a text that was cut at its end without what it kept of a value there."""
        for length in range(min(len(text), self._longest), SHORTEST_CUT - 1, -1):
            if any(spelling.startswith(text[-length:]) for spelling in self._spellings):
                return text[:-length] + MASK
        return text


def _spellings(value: str) -> set[str]:
    """Return a value raw, folded, line by line, base64, URL- and JSON-escaped, as the usual libraries spell these."""
    raw = value.encode()
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST_VALUE}
    in_base64 = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    in_json = json.dumps(value, ensure_ascii=False)[1:-1]
    return (
        lines
        | in_base64
        | {encoded.rstrip("=") for encoded in in_base64}
        | {quote(value, safe=safe) for safe in ("", "/", JS_COMPONENT, JS_URI)}
        | {value, " ".join(value.split()), quote_plus(value), repr(value)[1:-1]}
        | {in_json, json.dumps(value)[1:-1], _as_go(in_json)}
    )


def _as_go(in_json: str) -> str:
    """Return JSON as Go writes it, Kubernetes among others: safe to stand in HTML."""
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", in_json)
