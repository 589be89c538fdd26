"""Reading a JSON body strictly; without it a misspelt key would be a value left out, and a bad one a crash."""

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.http.bodies import read_bytes
from core.errors import Invalid, Unreadable

MAX_PROBLEMS = 10
# Keys of an object: what is wrong with each of a hundred thousand would be worked out, and ten of it said.
MOST_KEYS = 1_000
MAX_NAME_CHARS = 60


class Body(BaseModel):
    """What a request may hold: the keys of its fields, and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


B = TypeVar("B", bound=Body)


async def read_body(request: web.Request, kind: type[B]) -> B:
    """Return the body of a request.

    Raises:
        UserError: it cannot be read, as `read_bytes` says.
        Unreadable: it is not JSON.
        Invalid: it is JSON with other keys or values than `kind` has; the sentence names all, and shows no value.
    """
    try:
        document = orjson.loads(await read_bytes(request))
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"the body is not JSON: {error}") from None
    _check_size(document)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise Invalid(_sentence(error)) from None


def _check_size(document: object) -> None:
    objects = (
        [document, *document.values()]
        if isinstance(document, dict) and len(document) <= MOST_KEYS
        else [document]
    )
    if any(isinstance(found, dict) and len(found) > MOST_KEYS for found in objects):
        raise Invalid(f"an object of the body has more than {MOST_KEYS:,} keys")


def _sentence(error: ValidationError) -> str:
    problems = [_problem(found) for found in error.errors(include_input=False, include_url=False)]
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"and {len(problems) - MAX_PROBLEMS} more"]
    return "; ".join(problems)


def _problem(found: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in found["loc"])[:MAX_NAME_CHARS]
    match found["type"]:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"unknown key: {name}"
        case "model_type":
            return "the body must be a JSON object"
        case "string_type":
            return f"{name} must be text"
        case "dict_type":
            return f"{name} must be an object"
        case _:
            said = str(found["msg"])
            return f"{name}: {said[:1].lower()}{said[1:]}"
