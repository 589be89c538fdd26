"""`/builds/{id}`: a build that the cluster makes, over HTTP: how it is, its log as it is written, its end."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial

import orjson
from aiohttp import web

from bot.api.authentication import caller_of
from bot.api.formats import awaited_row
from bot.api.names import Names
from bot.api.streams import POLL_SECONDS, Listening, TextStreams, position
from bot.http.errors import json_response
from bot.views.awaited import build_awaits
from bot.views.times import stamp
from core.actor import Caller
from core.build_run import ENDED
from core.clock import Clock
from core.errors import Invalid, NotFound, Unauthorized
from core.ids import normalise
from core.records.build import BuildEntry
from core.usecases.build_queue import QueuedBuild
from core.usecases.build_starter import BuildStarter
from core.usecases.build_viewer import BuildViewer

# What keeps a build from going on is looked up in every tenth look at its log: that opens what is sealed.
SILENT_LOOKS = 10
BEARER = re.compile(r"Bearer ([0-9a-f]{64})")
BuildLook = Callable[[int], Awaitable[tuple[BuildEntry, list[tuple[int, str]]]]]


def _as_text(_: int, text: str) -> str:
    return text


def _as_json(number: int, text: str) -> str:
    return orjson.dumps({"number": number, "text": text}).decode()


# By the name of a format: its media type, and how it prints a line of a log with its number.
Row = Callable[[int, str], str]
ROWS: Mapping[str, tuple[str, Row]] = {
    "text": ("text/plain; charset=utf-8", _as_text),
    "json": ("application/x-ndjson", _as_json),
    "live": ("application/x-ndjson", _as_json),
}


class BuildRunsEndpoint:
    """Builds that the cluster makes."""

    def __init__(
        self, starter: BuildStarter, viewer: BuildViewer, names: Names, clock: Clock, streams: TextStreams
    ) -> None:
        self._starter = starter
        self._viewer = viewer
        self._names = names
        self._clock = clock
        self._streams = streams

    async def get(self, request: web.Request) -> web.Response:
        """Answer how it is."""
        return await self._answer(await self._viewer.look(caller_of(request), build_id(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop it, and answer how it is then."""
        run = await self._starter.cancel(caller_of(request), build_id(request))
        return await self._answer(QueuedBuild(run=run))

    async def retry(self, request: web.Request) -> web.Response:
        """Ask for the same once more, and answer with the new one (202)."""
        queued = await self._starter.retry(caller_of(request), build_id(request))
        return json_response({"id": queued.run.id, "ahead": queued.ahead}, status=202)

    async def _answer(self, queued: QueuedBuild) -> web.Response:
        run = queued.run
        known = {"reason": await self._names.plain(run.reason)} if run.reason else {}
        waits = {"ahead": queued.ahead} if queued.ahead else {"waits": run.waits} if run.waits else {}
        times = {"started": run.started_at, "ended": run.ended_at}
        return json_response(
            {
                "id": run.id,
                "app": run.app,
                "status": run.status.value,
                "release": run.release,
                "description": run.request.title,
                **{name: stamp(at) for name, at in times.items() if at},
                **known,
                **waits,
            }
        )

    async def source(self, request: web.Request) -> web.StreamResponse:
        """Hand the source to the pod that builds it."""
        path = await self._viewer.source(build_id(request), build_token(request))
        return web.FileResponse(path, headers={"Cache-Control": "no-store"})

    async def log(self, request: web.Request) -> web.StreamResponse:
        """Stream the log from the line after the one with the number `after` until the build has ended."""
        after, caller, build = position(request), caller_of(request), build_id(request)
        media, row = _format(request.query.get("format", "text"))
        await self._viewer.lines(caller, build, after)
        look = partial(self._viewer.lines, caller, build)
        beside = partial(self._beside, caller, build) if request.query.get("format") == "live" else None

        def chunks(listening: Listening) -> AsyncGenerator[str]:
            return follow_build(look, self._clock, row, after=after, listening=listening, beside=beside)

        return await self._streams.send(request, media, chunks)

    async def _beside(self, caller: Caller, build: str) -> str:
        """Return what a build waits for as a row that is no line of its log, "" where it has ended."""
        awaits = build_awaits(await self._viewer.look(caller, build))
        if awaits is None:
            return ""
        return awaited_row(awaits, await self._names.plain(awaits.text), self._clock.now())


async def follow_build(
    look: BuildLook,
    clock: Clock,
    row: Row,
    *,
    after: int,
    listening: Listening,
    beside: Callable[[], Awaitable[str]] | None = None,
) -> AsyncGenerator[str]:
    """Yield lines that end with a line end, one or many at a time, until the build has ended and all are out.

    While there is none, what `beside` tells is yielded now and then.
    """
    silent = 0
    while listening():
        build, batch = await look(after)
        if batch:
            after, silent = batch[-1][0], 0
            yield "".join(f"{row(number, text)}\n" for number, text in batch)
        elif build.status in ENDED:
            return
        else:
            if beside and silent % SILENT_LOOKS == 0 and (told := await beside()):
                yield f"{told}\n"
            silent += 1
            await clock.sleep(POLL_SECONDS)


def _format(name: str) -> tuple[str, Row]:
    if name not in ROWS:
        raise Invalid(f"format is one of {', '.join(ROWS)}")
    return ROWS[name]


def build_id(request: web.Request) -> str:
    """Return the id in the path of a build; raise NotFound where it is none."""
    given = request.match_info["id"]
    if (build := normalise("build", given)) is None:
        raise NotFound(f"no such build: {given[:40]}", hint="its id is B and ten letters")
    return build


def build_token(request: web.Request) -> str:
    """Return the token of a build, which only its pod has; raise Unauthorized where none is shown."""
    given = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if given is None:
        raise Unauthorized("the source of a build is for its pod alone")
    return given[1]
