"""`POST /apps/{app}/builds`: releases come in from CI, and every way in which they may not is said."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.policy.authorization import parse_policy
from tests.bot.api.asking import BUILD, IMAGES, MANIFEST, policy_of
from tests.soak import times

PATH = "/apps/myapp/builds"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("manifest", "images", "description", "git-sha", "repository", "extra")


async def test_a_build_makes_exactly_one_release(api):
    answer = await api.post(PATH, json=BUILD | {"description": "Fix it", "git-sha": "0123abc"})

    assert answer.status == 201
    made = await answer.json()
    assert set(made) == {"id", "release", "notes"}
    build = await api.store.read.build("myapp", made["id"])
    assert (build.manifest, build.images, build.description, build.git_sha) == (
        MANIFEST,
        IMAGES,
        "Fix it",
        "0123abc",
    )
    assert build.release == made["release"]
    assert [r.id for r in await api.store.read.releases("myapp", 10)] == [made["release"]]
    assert build.created_by.key == "token:ci"


async def test_where_its_commit_lies_is_kept_without_the_token_that_ci_cloned_with(api):
    asked = BUILD | {"git-sha": "0123abc", "repository": "https://ci:s3cret@github.com/shop/web.git"}
    made = await (await api.post(PATH, json=asked)).json()

    words = {"text": f"builds info {made['id']} -a myapp", "output": "json"}
    told = await (await api.post("/commands", json=words)).json()
    assert told["data"]["repository"] == "https://github.com/shop/web"
    assert "Commit       0123abc\nRepository   https://github.com/shop/web\n" in told["text"]
    assert "s3cret" not in str(told)


async def test_without_a_description_it_is_called_by_its_time(api):
    made = await (await api.post(PATH, json=BUILD)).json()

    assert (await api.store.read.build("myapp", made["id"])).description == "build 2026-01-01 12:00"


async def test_a_whole_commit_message_is_kept_and_its_first_line_describes(api):
    told = "Fix it\n\n" + "because it was broken\n" * 2_000 + "\x1b[31mred"
    made = await (await api.post(PATH, json=BUILD | {"description": told})).json()

    build = await api.store.read.build("myapp", made["id"])
    assert build.description == "Fix it"
    assert build.message == "Fix it\n\n" + "because it was broken\n" * 2_000 + " [31mred"
    assert (await api.store.read.release("myapp", made["release"])).description == "Fix it"
    for words in (f"releases info {made['release']}", f"builds info {made['id']}"):
        shown = (await (await api.post("/commands", json={"text": f"{words} -a myapp"})).json())["text"]
        assert "Description  Fix it\n" in shown
        assert "             because it was broken\n" in shown
        assert "… 1963 more rows" in shown


async def test_a_description_larger_than_anybody_reads_is_refused(api):
    answer = await api.post(PATH, json=BUILD | {"description": "x" * (64 * 1024 + 1)})

    assert answer.status == 422
    assert (await answer.json())["error"] == "the description is larger than 64 KiB"


async def test_an_unknown_app_is_not_found(api):
    answer = await api.post("/apps/nope/builds", json=BUILD)

    assert answer.status == 404
    assert (await answer.json())["error"] == "app not found: nope"


async def test_the_policy_is_asked_for_the_verb_build(api):
    api.world.policy = parse_policy(policy_of("view, promote"))
    refused = await api.post(PATH, json=BUILD)
    api.world.policy = parse_policy(policy_of("build"))
    allowed = await api.post(PATH, json=BUILD)

    assert refused.status == 403
    assert "you may not make builds of myapp" in (await refused.json())["error"]
    assert allowed.status == 201


async def test_missing_and_unknown_services_are_all_named(api):
    answer = await api.post(PATH, json={"manifest": MANIFEST, "images": {"wep": "a/b:1", "worcer": "a/b:1"}})

    assert answer.status == 422
    sentence = (await answer.json())["error"]
    assert all(name in sentence for name in ("web", "worker", "wep", "worcer")), sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "manifest is missing"),
        ({"manifest": 1}, "manifest must be text"),
        ({"manifest": "x", "images": []}, "images must be an object"),
        ({"manifest": "x", "images": {"web": 1}}, "images.web must be text"),
        ({"manifest": "x", "manifset": "y"}, "unknown key: manifset"),
        ({"manifest": "x", "git_sha": "y"}, "unknown key: git_sha"),
        ([], "the body must be a JSON object"),
    ],
)
async def test_bad_values_are_named_and_never_repeated(api, body, sentence):
    answer = await api.post(PATH, json=body)

    assert answer.status == 422
    assert await answer.json() == {"error": sentence}


async def test_every_bad_value_is_told_at_once(api):
    answer = await api.post(PATH, json={"images": 1, "secret": "hunter2"})

    assert (await answer.json())["error"] == (
        "manifest is missing; images must be an object; unknown key: secret"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"'a'", b"NaN", b'"\\ud800"', b"[" * 100_000])
async def test_what_is_not_json_cannot_be_read(api, body):
    answer = await api.post(PATH, data=body)

    assert answer.status == 400
    assert (await answer.json())["error"].startswith("the body is not JSON")


async def test_a_body_that_cannot_be_unpacked_cannot_be_read(api):
    answer = await api.post(PATH, data=b"no gzip at all", headers={"Content-Encoding": "gzip"})

    assert answer.status == 400
    assert "error" in await answer.json()


async def test_more_than_a_mebibyte_is_too_large_whether_it_is_announced_or_not(api):
    async def chunks():
        for _ in range(5):
            yield b" " * (256 << 10)

    announced = await api.post(PATH, data=io.BytesIO(b" " * ((1 << 20) + 1)))
    streamed = await api.post(PATH, data=chunks())

    for answer in (announced, streamed):
        assert answer.status == 413
        assert await answer.json() == {"error": "the body is larger than 1 MiB"}


async def test_a_mebibyte_exactly_is_read(api):
    body = json.dumps(BUILD).encode()

    assert (await api.post(PATH, data=body + b" " * ((1 << 20) - len(body)))).status == 201


@settings(max_examples=times(60, soak=1000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON | st.dictionaries(st.sampled_from(KEYS), JSON))
async def test_whatever_json_comes_in_the_answer_is_a_status_and_a_sentence(api, body):
    for path in (PATH, "/commands"):
        api.world.clock.jump(60)  # else the token's bucket is empty after thirty
        answer = await api.post(path, data=json.dumps(body).encode())

        assert 400 <= answer.status < 500, (path, body)
        assert answer.status != 429
        sentence = (await answer.json())["error"]
        assert isinstance(sentence, str)
        assert sentence
