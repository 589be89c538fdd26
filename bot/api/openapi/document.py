"""The table of operations as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1)."""

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.metrics_snapshot import version
from bot.api.openapi.models import ErrorResponse
from bot.api.openapi.operation import JSON, LINES, TEXT, ApiAccess, ApiAnswer, Operation
from bot.api.openapi.operations import OPERATIONS, STREAMED
from core.ids import LETTERS, PREFIXES

Document = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
# Ids are taken in small letters too.
_BUILD, _PROMOTION, _SOURCE = (
    f"^[{PREFIXES[kind]}{PREFIXES[kind].lower()}][A-Za-z]{{{LETTERS}}}$"
    for kind in ("build", "promotion", "source")
)
_IDS = {"builds": _BUILD, "promotions": _PROMOTION, "sources": _SOURCE}
_APP = "^[A-Za-z]([A-Za-z0-9-]{0,28}[A-Za-z0-9])?$"
_SCHEMES: Mapping[ApiAccess, Document] = {
    ApiAccess.TOKEN: {
        "type": "http",
        "scheme": "basic",
        "description": "user `convox`, an API token as password",
    },
    ApiAccess.BUILD: {
        "type": "http",
        "scheme": "bearer",
        "description": "the token of a build, which only its pod has",
    },
    ApiAccess.GITHUB: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "HMAC of the body with the secret of `CONVOX_GITHUB_WEBHOOK_SECRETS`",
    },
    ApiAccess.GITLAB: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Gitlab-Token",
        "description": "a secret of `CONVOX_GITLAB_WEBHOOK_SECRETS`; or a signature, in `webhook-signature`",
    },
}
_REFUSED = {
    400: "the request cannot be read, or makes no sense here",
    401: "no valid token, or no valid signature",
    403: "the policy says no",
    404: "there is no such thing, or it is not set up here",
    408: "the body did not come in time",
    409: "somebody or something was first",
    413: "the body is too large",
    422: "a value cannot be used",
    429: "more than one token may ask for; `Retry-After` says how long to wait",
    431: "the headers are too large, of which a token is one",
    500: "something broke here; the log has more under the reference that is named",
    503: "the database or the disk cannot be used, too much is asked at once, or people get no answer",
}


@cache
def openapi_document() -> Document:
    """Return the document; it is the same for everybody, and says nothing of this installation but its version."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "convox-bot",
            "summary": "Convox's Releases as a Slack chat-ops bot",
            "version": version(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _paths(),
        "components": {
            "securitySchemes": {access.value: scheme for access, scheme in _SCHEMES.items()},
            "responses": {str(status): _refusal(status) for status in _REFUSED},
            "schemas": _schemas(),
        },
    }


def _paths() -> Document:
    paths: Document = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return paths


def _operation(asked: Operation) -> Document:
    body = {"requestBody": _body(asked.body)} if asked.body is not None else {}
    answers = {str(status): _answer(asked, answer) for status, answer in asked.answers.items()}
    refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in asked.statuses}
    return {
        "operationId": asked.id,
        "summary": asked.summary,
        "security": [] if asked.access is ApiAccess.OPEN else [{asked.access.value: []}],
        "parameters": [*(_in_path(asked.path, name) for name in asked.parameters), *_in_query(asked)],
        **body,
        "responses": dict(sorted((answers | refusals).items())),
    }


def _in_path(path: str, name: str) -> Document:
    pattern = _APP if name == "app" else _IDS[path.split("/")[1]]
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def _in_query(asked: Operation) -> Iterable[Document]:
    for each in asked.query:
        yield {
            "name": each.name,
            "in": "query",
            "required": each.required,
            "description": each.about,
            "schema": dict(each.schema),
        }


def _body(body: type[BaseModel] | str) -> Document:
    if not isinstance(body, str):
        return {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    schema: Document = {"type": "object"} if body == JSON else {"type": "string"} if body == TEXT else {}
    return {"required": True, "content": {body: {"schema": schema}}}


def _answer(asked: Operation, answer: ApiAnswer) -> Document:
    headers = {
        name: {"description": about, "schema": {"type": "string"}} for name, about in answer.headers.items()
    }
    return {
        "description": answer.about,
        **({"headers": headers} if headers else {}),
        **({"links": {to: _link(to, key) for to, key in answer.links.items()}} if answer.links else {}),
        "content": {media: {"schema": _schema(asked, media, model)} for media, model in answer.media.items()},
    }


def _link(to: str, key: str) -> Document:
    return {"operationId": to, "parameters": {"id": f"$response.body#/{key}"}}


def _schema(asked: Operation, media: str, model: type[BaseModel] | None) -> Document:
    if model is not None:
        return _reference(model)
    if media == JSON:
        return {"type": "object"}
    if media == LINES:
        names = " or ".join(each.__name__ for each in STREAMED[asked.id])
        return {"type": "string", "description": f"each line is a {names}"}
    return {"type": "string"} if media == TEXT else {}


def _refusal(status: int) -> Document:
    headers = {
        401: {"WWW-Authenticate": "what would help, where it is a password"},
        429: {"Retry-After": "whole seconds"},
        503: {"Retry-After": "whole seconds, where waiting helps"},
    }.get(status, {})
    described = {
        name: {"description": about, "schema": {"type": "string"}} for name, about in headers.items()
    }
    return {
        "description": f"{HTTPStatus(status).phrase}: {_REFUSED[status]}",
        **({"headers": described} if described else {}),
        "content": {JSON: {"schema": _reference(ErrorResponse)}},
    }


def _schemas() -> Document:
    wanted: list[tuple[type[BaseModel], Literal["validation"]]] = [(each, "validation") for each in _models()]
    _, definitions = models_json_schema(wanted, ref_template=_REFERENCE)
    return dict(sorted(definitions["$defs"].items()))


def _models() -> list[type[BaseModel]]:
    """Return every model that an operation takes or answers with, once."""
    found: dict[type[BaseModel], None] = {ErrorResponse: None}
    for each in OPERATIONS:
        models = [each.body, *(model for answer in each.answers.values() for model in answer.media.values())]
        found |= {model: None for model in models if isinstance(model, type)}
        found |= dict.fromkeys(STREAMED.get(each.id, ()))
    return list(found)


def _reference(model: type[BaseModel]) -> Document:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
