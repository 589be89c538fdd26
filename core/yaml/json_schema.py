"""Fragments of JSON Schema for YAML as it is read here: editors complete keys by them, and the readers have the last word.

A word may always be one that an environment fills in (`${PORT}`), so a number may be such a text as well.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors know best
FILLED_IN = {"type": "string", "pattern": r"\$\{"}
# What a refused key may be all the same: it asks for nothing.
SWITCHED_OFF: Schema = {"enum": [False, None, "false", "no", "off", "", [], {}]}
DURATION: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"}


def text() -> Schema:
    return {"type": ["string", "number", "boolean", "null"]}


def integer(low: int, high: int) -> Schema:
    digits = {"type": "string", "pattern": "^[+-]?[0-9]{1,9}$"}
    return {"anyOf": [{"type": "integer", "minimum": low, "maximum": high}, digits, FILLED_IN]}


def boolean() -> Schema:
    words = {
        "type": "string",
        "pattern": "^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[YyNn])$",
    }
    return {"anyOf": [{"type": "boolean"}, words, FILLED_IN]}


def listed(items: Schema) -> Schema:
    return {"type": ["array", "null"], "items": items}


def pairs(values: Schema | None = None) -> Schema:
    """Return a mapping whose keys are free."""
    return {"type": ["object", "null"], "additionalProperties": text() if values is None else values}


def mapping(keys: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """Return a mapping that has these keys and no others; one that is null counts as left out."""
    found: Schema = {
        "type": ["object", "null"],
        "properties": {key: or_nothing(keys[key]) for key in sorted(keys)},
        "additionalProperties": False,
    }
    needed = sorted(required)
    return {**found, "required": needed} if needed else found


def or_nothing(schema: Schema) -> Schema:
    """Return a schema that takes null as well: such a key counts as left out."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "type" not in schema or "null" in schema["type"]:
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def ignored(why: str) -> Schema:
    """Return a key of which nothing comes."""
    return {"description": f"without effect: {why}"}


def refused(what: str) -> Schema:
    """Return a key that is refused, unless it asks for nothing."""
    return {"description": f"this version does not run {what}", **SWITCHED_OFF}
