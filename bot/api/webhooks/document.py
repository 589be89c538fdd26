"""Reading a signed payload that may be of any shape all the same: what is not there is empty."""

from collections.abc import Mapping
from typing import Any

import orjson

from core.errors import Unreadable

Document = Mapping[str, Any]


def read_document(body: bytes, content_type: str) -> Document:
    """Return the JSON object of a delivery; raise Unreadable where it is none, with what to set at its sender."""
    if content_type == "application/x-www-form-urlencoded":
        raise Unreadable(
            "this delivery is a form", hint="set the content type of the webhook to application/json"
        )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Unreadable("the body is no JSON object")
    return document


def inner(document: Document, key: str) -> Document:
    """Return an object in an object."""
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def text(document: Document, key: str) -> str:
    """Return a text in an object."""
    found = document.get(key)
    return found if isinstance(found, str) else ""
