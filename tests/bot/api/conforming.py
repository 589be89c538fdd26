"""Holds what the API answers against its own OpenAPI document, whatever a test asks for."""

from functools import cache

from aiohttp.test_utils import TestClient
from jsonschema import Draft202012Validator

from bot.api.openapi.document import openapi_document
from bot.api.openapi.operations import operation_at

JSON = "application/json"


@cache
def validator(name):
    """The validator of one schema of the document."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": openapi_document()["components"]}
    )


async def hold(answer):
    """Fail where an answer has a status, a media type or keys that the document does not tell of."""
    asked = operation_at(answer.method, answer.url.path)
    if asked is None:
        if answer.method != "HEAD":
            assert answer.status in {401, 403, 404, 405}, answer.status
            validator("ErrorResponse").validate(await answer.json())
        return
    if answer.status not in asked.answers:
        assert answer.status in asked.statuses, f"{asked.id} does not tell of {answer.status}"
        validator("ErrorResponse").validate(await answer.json())
        return
    media = asked.answers[answer.status].media
    assert answer.content_type in media, f"{asked.id} does not tell of {answer.content_type}"
    if model := media[answer.content_type]:
        validator(model.__name__).validate(await answer.json())


class ConformingClient(TestClient):
    """A client that believes no answer which the document does not tell of."""

    async def _request(self, method, path, **more):
        answer = await super()._request(method, path, **more)
        await hold(answer)
        return answer
