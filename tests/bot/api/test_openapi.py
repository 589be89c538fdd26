"""`GET /openapi.json` is valid, has each route and no other, and says who may ask as the door does."""

import re

import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bot.api.openapi.document import openapi_document
from bot.api.openapi.operation import ApiAccess
from bot.api.openapi.operations import OPERATIONS, STREAMED, needs_token
from core.errors import UserError
from core.ids import new_id, normalise
from core.promotion import Phase
from core.records.app import NAME
from tests.bot.api.asking import BUILD
from tests.bot.api.conforming import validator
from tests.core.world import until

DOCUMENT = openapi_document()
operations = pytest.mark.parametrize("asked", OPERATIONS, ids=lambda each: each.id)


def address(asked):
    return re.sub(
        r"\{(\w+)\}", lambda found: "myapp" if found[1] == "app" else new_id(kind(asked)), asked.path
    )


def kind(asked):
    return asked.path.split("/")[1].removesuffix("s")


async def test_it_is_answered_to_who_has_a_token_and_is_valid(api):
    answer = await api.get("/openapi.json")

    assert answer.status == 200
    document = await answer.json()
    assert document == DOCUMENT
    OpenAPIV31SpecValidator(document).validate()
    assert (await api.client.get("/openapi.json")).status == 401, "strangers do not learn what there is"


def test_no_route_is_missing_and_none_is_made_up(api):
    routed = {
        (route.method, route.resource.canonical)
        for route in api.client.server.app.router.routes()
        if route.method != "HEAD"
    }
    told = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert told == routed
    assert len({each.id for each in OPERATIONS}) == len(OPERATIONS)


@operations
async def test_who_may_ask_is_told_as_the_door_has_it(api, asked):
    security = DOCUMENT["paths"][asked.path][asked.method.lower()]["security"]

    answer = await api.client.request(asked.method, address(asked))

    assert security == ([] if asked.access is ApiAccess.OPEN else [{asked.access.value: []}])
    assert (answer.status == 401) is bool(security)
    assert needs_token(address(asked)) is (asked.access is ApiAccess.TOKEN)


def test_an_address_with_more_behind_it_needs_a_token():
    assert needs_token("/healthz/more")
    assert needs_token("/builds/BAAAAAAAAAA/source/more")
    assert needs_token("/builds//source")
    assert not needs_token("/builds/BAAAAAAAAAA/source")


def test_the_ids_and_names_of_the_document_are_those_that_are_taken():
    for asked in OPERATIONS:
        item = DOCUMENT["paths"][asked.path][asked.method.lower()]
        for parameter in item["parameters"]:
            if parameter["in"] != "path":
                continue
            pattern = parameter["schema"]["pattern"]
            if parameter["name"] == "app":
                samples = ["a", "My-App", "a" * 30, "a" * 31, "-a", "a-", "1a", ""]
                assert [bool(re.search(pattern, each)) for each in samples] == [
                    bool(NAME.fullmatch(each.lower())) for each in samples
                ]
            else:
                samples = [new_id(kind(asked)), new_id(kind(asked)).lower(), "X" + "A" * 10, "A", "PABC"]
                assert [bool(re.search(pattern, each)) for each in samples] == [
                    normalise(kind(asked), each) is not None for each in samples
                ]


def test_every_status_that_an_error_has_is_told_somewhere():
    def statuses(error):
        return {error.status}.union(*map(statuses, error.__subclasses__()))

    assert statuses(UserError) == {int(status) for status in DOCUMENT["components"]["responses"]}


async def test_lines_for_programs_are_told_too(api):
    await api.post("/apps/myapp/builds", json=BUILD)
    promotion = (await (await api.command("releases promote -a myapp")).json())["promotion"]
    await until(api.world, promotion, Phase.RUNNING)

    answer = await api.get(f"/promotions/{promotion}/lines", params={"format": "json"})

    *lines, ending = map(orjson.loads, (await answer.text()).splitlines())
    told, ended, printed, _ = (validator(model.__name__) for model in STREAMED["follow"])
    assert lines
    for line in lines:
        told.validate(line)
    ended.validate(ending)

    answer = await api.get(f"/promotions/{promotion}/lines", params={"format": "live"})
    for line in (await answer.text()).splitlines():
        printed.validate(orjson.loads(line))
