"""An upload that is cut, killed or told to wait goes on where it was; nothing is sent twice but for the last piece."""

import asyncio
import hashlib
import io
import random
import shutil
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.cli.client import RETRY_PAUSES, RackClient
from bot.cli.packaging.archive import Archive
from bot.cli.rack_url import CliError, RackUrl
from bot.cli.uploads import LEAST_PART_BYTES, Upload
from core.errors import Unavailable
from tests.bot.api.serving import serving

DATA = random.Random(2).randbytes(3 << 20)
ARCHIVE = Archive(digest=f"sha256:{hashlib.sha256(DATA).hexdigest()}", size=len(DATA), left_out=())
TENTHS = [len(DATA) * tenth // 10 for tenth in range(10)]


@pytest.fixture
async def api(tmp_path):
    async with serving(tmp_path) as made:
        yield made


class Killed(Exception):
    """The process that uploads is gone."""


class Line:
    """A line to the bot that breaks once so many bytes have gone through it, and is whole again the next time."""

    def __init__(self, to):
        self.to, self.sent, self.url = to, 0, ""
        self.cuts: list[int] = []
        self.carrying: set[asyncio.Task[None]] = set()

    def open(self, reader, writer):
        task = asyncio.create_task(self.carry(reader, writer), name="line")
        self.carrying.add(task)
        task.add_done_callback(self.carrying.discard)

    async def close(self):
        for task in self.carrying:
            task.cancel()
        await asyncio.gather(*self.carrying, return_exceptions=True)

    async def carry(self, reader, writer):
        try:
            inner, out = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(self._back(inner, writer), name="answers")
        try:
            while data := await reader.read(1 << 14):
                self.sent += len(data)
                if self.cuts and self.sent >= self.cuts[0]:
                    self.cuts.pop(0)
                    writer.transport.abort()
                    break
                out.write(data)
                await out.drain()
            out.close()
            await back
        except ConnectionError:  # the bot is gone
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            out.transport.abort()
            back.cancel()

    async def _back(self, inner, writer):
        try:
            while data := await inner.read(1 << 14):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


@asynccontextmanager
async def line(api):
    made = Line(api.client.port)
    server = await asyncio.start_server(made.open, "127.0.0.1", 0)
    made.url = f"http://convox:{api.token}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await made.close()


async def upload(url, **more):
    return (await uploaded(url, **more)).id


async def uploaded(url, **more):
    return await asyncio.to_thread(
        Upload(RackClient(RackUrl.read(url)), "myapp", ARCHIVE, io.BytesIO(DATA), **more).run
    )


async def stored(api, source_id):
    return (await api.sources._sources.open(source_id)).read_bytes()


async def test_an_archive_arrives_and_each_part_is_told(api):
    told: list[int] = []
    source = await upload(api.url, advance=told.append)

    assert await stored(api, source) == DATA
    assert told == [0, len(DATA)]


async def test_what_another_process_sends_too_is_told_to_be_shared(api):
    """The same commit in two jobs of CI at once: both archives are the same bytes, and one source while it is on its way."""
    sources, parts = api.sources._sources, [DATA[at : at + (1 << 18)] for at in range(0, len(DATA), 1 << 18)]

    def advance(done):
        if done < len(DATA):  # the other one is faster, part after part
            (folder,) = sources._top.iterdir()
            sources._append(folder.name, done, parts[done >> 18])

    assert not (await uploaded(api.url)).shared
    shutil.rmtree(sources._top)
    source = await uploaded(api.url, advance=advance, pause=lambda _: None)
    assert source.shared
    assert await stored(api, source.id) == DATA

    shutil.rmtree(sources._top)
    begun = await sources.create("myapp", ARCHIVE.digest, ARCHIVE.size)
    await sources.append(begun.id, 0, parts[0])
    assert (await uploaded(api.url)).shared


async def test_a_source_that_went_with_the_build_of_another_is_sent_anew(api):
    sources, gone = api.sources._sources, list[str]()

    def advance(done):
        if done and not gone:
            (gone_folder,) = list(sources._top.iterdir())
            gone.append(gone_folder.name)
            shutil.rmtree(gone_folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.cli.uploads.PART_BYTES", 1 << 20)
        source = await upload(api.url, advance=advance)
    assert gone != [source]
    assert await stored(api, source) == DATA


async def test_a_source_that_is_always_gone_is_given_up(api):
    def advance(done):
        if done:
            shutil.rmtree(api.sources._sources._top)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.cli.uploads.PART_BYTES", 1 << 20)
        with pytest.raises(CliError, match="no such source"):
            await upload(api.url, advance=advance)


async def test_a_line_that_breaks_at_every_tenth_costs_no_more_than_what_was_under_way(api):
    notices: list[str] = []
    pauses: list[float] = []
    async with line(api) as broken:
        # From one cut to the next a tenth arrives; what was still in a pipe is sent again.
        broken.cuts = [cut + 2_000 * (number + 1) for number, cut in enumerate(TENTHS)]
        source = await upload(broken.url, notice=notices.append, pause=pauses.append)

    assert await stored(api, source) == DATA
    assert len(pauses) == 10
    assert all(notice.startswith("the connection to 127.0.0.1:") for notice in notices)
    assert broken.sent < 2.5 * len(DATA)


async def test_a_bot_that_is_started_anew_at_every_tenth_goes_on_where_it_was(tmp_path):
    loop, lives = asyncio.get_running_loop(), 0
    async with AsyncExitStack() as first:
        api = await first.enter_async_context(serving(tmp_path))
        stack = first.pop_all()

    async def next_life():
        nonlocal stack, api, lives
        await stack.aclose()
        async with AsyncExitStack() as fresh:
            api = await fresh.enter_async_context(serving(tmp_path, token=api.token))
            stack = fresh.pop_all()
        broken.to, lives = api.client.port, lives + 1

    async with line(api) as broken:
        broken.cuts = [cut + 2_000 * (number + 1) for number, cut in enumerate(TENTHS)]
        source = await upload(
            broken.url, pause=lambda _: asyncio.run_coroutine_threadsafe(next_life(), loop).result()
        )
    assert lives == 10
    assert await stored(api, source) == DATA
    assert broken.sent < 2.5 * len(DATA)
    await stack.aclose()


@pytest.mark.parametrize("tenth", range(1, 10))
async def test_whoever_was_killed_at_a_tenth_goes_on_there_when_the_same_command_runs_again(
    api, tenth, monkeypatch
):
    part = len(DATA) // 10
    monkeypatch.setattr("bot.cli.uploads.PART_BYTES", part)

    def advance(offset):
        if offset >= tenth * part:
            raise Killed

    with pytest.raises(Killed):
        await upload(api.url, advance=advance)
    told: list[int] = []
    source = await upload(api.url, advance=told.append)

    assert told[0] == tenth * part
    assert await stored(api, source) == DATA


async def test_the_bot_may_be_away_for_minutes(api):
    async with line(api) as away:
        port, away.to = away.to, 1
        pauses: list[float] = []

        def pause(seconds):
            pauses.append(seconds)
            if len(pauses) == len(RETRY_PAUSES):
                away.to = port

        assert await stored(api, await upload(away.url, pause=pause)) == DATA
    assert tuple(pauses) == RETRY_PAUSES


async def test_a_bot_that_does_not_come_back_is_given_up_with_the_way_to_go_on(api):
    async with line(api) as away:
        away.to = 1
        with pytest.raises(CliError, match="the source could not be uploaded: the connection to") as told:
            await upload(away.url, pause=lambda _: None)

    assert told.value.hint == "the same command goes on where this one has ended"


@asynccontextmanager
async def proxy(api, most):
    """What stands before many a bot, as nginx does, and takes bodies of one MiB at most."""
    sizes: list[int] = []

    async def forward(request):
        size = request.content_length or 0
        if request.method == "PATCH":
            sizes.append(size)
        if size > most:
            return web.Response(status=413, text="<html>413 Request Entity Too Large</html>")
        headers = {"Authorization": request.headers["Authorization"]}
        body = io.BytesIO(await request.read())
        async with api.client.request(request.method, request.path_qs, data=body, headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", forward)
    async with TestServer(app) as server:
        yield f"http://convox:{api.token}@127.0.0.1:{server.port}", sizes


async def test_what_takes_only_small_bodies_gets_small_ones(api):
    async with proxy(api, most=1 << 20) as (url, sizes):
        assert await stored(api, await upload(url, pause=lambda _: None)) == DATA

    assert sizes == [len(DATA), len(DATA), 1 << 21, 1 << 20, 1 << 20, 1 << 20]
    assert min(sizes) > LEAST_PART_BYTES


async def test_a_full_disk_is_said_at_once_and_not_tried_again(api, monkeypatch):
    async def full(*_):
        raise Unavailable("the bot's disk is full", hint="make room")

    monkeypatch.setattr(api.sources._sources, "append", full)
    pauses: list[float] = []
    with pytest.raises(CliError, match="the bot's disk is full") as told:
        await upload(api.url, pause=pauses.append)

    assert (told.value.hint, pauses) == ("make room", [])
