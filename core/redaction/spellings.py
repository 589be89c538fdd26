"""How the usual libraries, shells and protocols spell a value: what may be found of it in foreign text."""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

# What is left as it is beside letters, digits and `_.-~`: by nobody, RFC 3986 and Python in a path, JavaScript's
# encodeURIComponent and encodeURI, Go's PathEscape and its user and password, Java's URLEncoder.
LEFT_IN_URLS = ("", "/", "!'()*", "!'()*;,/?:@&=+$#", "$&+:=@", "$&+,;=", "*")
PERCENT = re.compile("%[0-9A-F]{2}")
# Whole files that are values stand in no URL: of these only the usual two ways are looked for, so that 1 MiB is read soon.
LONGEST_IN_URLS = 4096  # characters
# scheme://user:password@host: what a driver complains of is the password alone.
PASSWORD = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@:]*:([^/?#@]+)@")


def spellings(value: str, shortest: int) -> set[str]:
    """Return a value as it may be spelled; parts of it, its lines and the password of a URL, if they are long enough."""
    folded = " ".join(value.split())
    parts = [line.strip() for line in value.splitlines()]
    if found := PASSWORD.match(value):
        parts += [found[1], unquote(found[1])]
    whole = {value, folded, *(part for part in parts if len(part) >= shortest)}
    raw = value.encode("utf-8", "surrogatepass")
    return {spelled for each in whole for spelled in _escaped(each)} | {
        *_base64(raw),
        raw.hex(),
        raw.hex().upper(),
    }


def _escaped(value: str) -> Iterator[str]:
    """Yield a text as strings of programs, URLs and markup hold it; how it is quoted is no matter."""
    in_json = json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (value, in_json, json.dumps(value)[1:-1], repr(value)[1:-1], _as_go(in_json))
    raw = value.encode("utf-8", "surrogatepass")
    encoded = {quote(raw), quote_plus(raw)}
    if len(value) <= LONGEST_IN_URLS:
        encoded |= {quote(raw, safe=safe) for safe in LEFT_IN_URLS} | {quote_plus(raw, safe="*")}
        encoded |= {PERCENT.sub(lambda code: code[0].lower(), each) for each in encoded}
    yield from encoded
    yield from (html.escape(value), html.escape(value, quote=False))
    yield html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _as_go(in_json: str) -> str:
    """Return JSON as Go writes it, Kubernetes among others: safe to stand in HTML."""
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", in_json)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield base64 in both alphabets, padded or not, and what it is in the midst of more, wherever it begins there."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        for before in range(3):
            first, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw).decode()[first:end]
