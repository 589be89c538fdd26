"""`/apps/{app}/sources` and `/sources/{id}`: a source comes in, however often its connection breaks, and in no more memory than a piece."""

import asyncio
import hashlib
import io
import json
import random
from datetime import timedelta

import pytest

from bot.background import age_out_sources
from core.errors import Unavailable
from core.policy.authorization import parse_policy
from core.usecases.source_registrar import PIECE_BYTES
from tests.bot.api.asking import basic, policy_of

DATA = random.Random(1).randbytes(1 << 20)


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


DIGEST = digest_of(DATA)
PATH = "/apps/myapp/sources"
ANNOUNCED = {"digest": DIGEST, "size": len(DATA)}


async def begun(api, **other):
    answer = await api.post(PATH, json=ANNOUNCED | other)
    assert answer.status == 201, await answer.text()
    return await answer.json()


def send(api, source_id, offset, data, **more):
    path = f"/sources/{source_id}?offset={offset}"
    return api.client.patch(path, data=data, headers=basic(api.token) | more.pop("headers", {}), **more)


async def test_a_source_comes_in_whole(api):
    made = await begun(api)
    assert made == {"id": made["id"], "offset": 0, "complete": False} | ANNOUNCED
    done = await send(api, made["id"], 0, DATA)

    assert (done.status, await done.json()) == (200, made | {"offset": len(DATA), "complete": True})
    assert await (await api.get(f"/sources/{made['id']}")).json() == await done.json()


async def test_many_mebibytes_are_taken_though_other_bodies_have_one_at_most(api, monkeypatch):
    """By pieces that are counted: none is larger than what is written at once and what was read from the socket meanwhile."""
    data = bytes(8 << 20)
    made = await begun(api, digest=digest_of(data), size=len(data))
    written, real = [], type(api.sources._sources)._append

    def append(self, source_id, offset, piece):
        written.append(len(piece))
        return real(self, source_id, offset, piece)

    monkeypatch.setattr(type(api.sources._sources), "_append", append)
    done = await send(api, made["id"], 0, io.BytesIO(data))

    assert (await done.json())["complete"]
    assert sum(written) == len(data)
    assert max(written) <= PIECE_BYTES + (1 << 20)


async def test_what_was_announced_twice_goes_on_where_the_first_try_ended(api):
    made = await begun(api)
    await send(api, made["id"], 0, DATA[:5000])

    assert await begun(api) == made | {"offset": 5000}
    assert (await (await send(api, made["id"], 5000, DATA[5000:])).json())["complete"]


async def test_bytes_for_another_offset_are_a_conflict_that_says_where_it_is(api):
    made = await begun(api)
    answer = await send(api, made["id"], 5, DATA)

    assert answer.status == 409
    assert (await answer.json())["error"] == f"source {made['id']} is at 0 of 1,048,576 bytes, not at 5"


async def test_something_else_than_was_announced_is_refused_and_gone(api):
    made = await begun(api)
    answer = await send(api, made["id"], 0, DATA[:-1] + b"?")

    assert answer.status == 422
    assert (await answer.json())["error"].startswith("what arrived is not what was announced")
    assert (await api.get(f"/sources/{made['id']}")).status == 404


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (ANNOUNCED | {"digest": "md5:1"}, "a digest is sha256: and 64 hexadecimal digits"),
        (ANNOUNCED | {"size": 0}, "a source may have up to 64 MiB, packed, and this one has 0.0"),
        (ANNOUNCED | {"size": 65 << 20}, "a source may have up to 64 MiB, packed, and this one has 65.0"),
        ({"digest": DIGEST}, "size is missing"),
    ],
)
async def test_what_cannot_be_taken_is_said_before_it_is_sent(api, body, sentence):
    answer = await api.post(PATH, json=body)

    assert (answer.status, (await answer.json())["error"]) == (422, sentence)


async def test_the_app_and_the_offset_are_checked(api):
    made = await begun(api)

    assert (await api.post("/apps/nope/sources", json=ANNOUNCED)).status == 404
    assert (await api.get("/sources/SABCDEFGHIJ")).status == 404
    for offset in ("", "-1", "x"):
        assert (await send(api, made["id"], offset, b"x")).status == 422


async def test_the_right_to_build_that_app_is_asked_at_each_step(api):
    made = await begun(api)
    api.world.policy = parse_policy(policy_of("view, build", apps="other"))

    for answer in (
        await api.post(PATH, json=ANNOUNCED),
        await api.get(f"/sources/{made['id']}"),
        await send(api, made["id"], 0, DATA),
    ):
        assert (answer.status, "may not make builds of myapp" in (await answer.json())["error"]) == (
            403,
            True,
        )
    assert (await api.client.get(f"/sources/{made['id']}")).status == 401


async def test_where_nothing_may_be_written_nothing_begins(api, monkeypatch):
    monkeypatch.setattr(api.sources, "_why_not_startable", lambda: "the disk is full")
    answer = await api.post(PATH, json=ANNOUNCED)

    assert (answer.status, (await answer.json())["error"]) == (503, "the disk is full")


async def test_a_body_that_ends_too_early_leaves_what_was_written(api):
    made = await begun(api)

    head = f"PATCH /sources/{made['id']}?offset=0 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(DATA)}\r\n"
    head += f"Authorization: {basic(api.token)['Authorization']}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
    writer.write(head.encode() + DATA[: 3 * PIECE_BYTES])
    await writer.drain()
    for _ in range(500):
        found = await (await api.get(f"/sources/{made['id']}")).json()
        if found["offset"]:
            break
        await asyncio.sleep(0.01)
    writer.close()
    found = await (await api.get(f"/sources/{made['id']}")).json()
    assert 0 < found["offset"] <= 3 * PIECE_BYTES
    assert (await (await send(api, made["id"], found["offset"], DATA[found["offset"] :])).json())["complete"]


async def test_whoever_asks_first_is_invited(api):
    made = await begun(api)
    done = await send(api, made["id"], 0, DATA, expect100=True)

    assert json.loads(await done.text())["complete"]


async def test_what_nobody_goes_on_with_is_gone_after_six_hours_and_what_is_not_built_after_a_day(api):
    begun_one, whole = await begun(api), await begun(api, size=len(DATA) - 1, digest=digest_of(DATA[1:]))
    await send(api, whole["id"], 0, DATA[1:])
    now = api.world.clock.now()

    assert await api.sources.age_out(now + timedelta(hours=5.9)) == 0
    assert await api.sources.age_out(now + timedelta(hours=6.1)) == 1
    assert (await api.get(f"/sources/{begun_one['id']}")).status == 404
    assert (await api.get(f"/sources/{whole['id']}")).status == 200
    assert await api.sources.age_out(now + timedelta(hours=24.1)) == 1


async def test_a_build_that_waits_or_runs_keeps_its_source_however_old(api):
    whole = await begun(api)
    await send(api, whole["id"], 0, DATA)
    api.builds.hold()
    run = (await api.builds.ask(source=api.builds.sources.add(whole["id"]))).run
    later = api.world.clock.now() + timedelta(days=9)

    assert await api.sources.age_out(later) == 0
    await api.builds.end(run.id)
    assert await api.sources.age_out(later) == 1


@pytest.mark.parametrize("trouble", [None, Unavailable("the disk is away"), OSError()])
async def test_old_sources_are_looked_for_again_and_again(api, monkeypatch, caplog, trouble):
    await begun(api)
    real, tries, over = api.sources.age_out, [], asyncio.Event()

    async def confirmed():
        return True

    async def age_out(now):
        tries.append(now)
        if len(tries) == 1 and trouble:
            raise trouble
        if await real(now):
            over.set()

    monkeypatch.setattr(api.sources, "age_out", age_out)
    looking = asyncio.create_task(age_out_sources(api.sources, api.world.clock, confirmed), name="looking")
    await over.wait()
    looking.cancel()

    assert len(tries) > 30
    assert ("old sources could not be deleted; trying again" in caplog.text) is bool(trouble)
