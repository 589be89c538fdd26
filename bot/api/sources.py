"""`/apps/{app}/sources` and `/sources/{id}`: what is built from comes in, and goes on where a broken connection left it."""

import re

from aiohttp import web

from bot.api.authentication import caller_of
from bot.api.bodies import Body, read_body
from bot.http.bodies import stream_bytes
from bot.http.errors import json_response
from core.errors import Invalid
from core.ports.sources import Source
from core.usecases.source_registrar import SourceRegistrar


class NewSource(Body):
    """What is going to be sent."""

    digest: str
    """Of the gzipped tar: `sha256:` and 64 digits."""
    size: int
    """In bytes."""


class SourcesEndpoint:
    """Takes sources."""

    def __init__(self, sources: SourceRegistrar) -> None:
        self._sources = sources

    async def create(self, request: web.Request) -> web.Response:
        """Announce a source; the answer says from which offset on it is wanted."""
        app, given = request.match_info["app"].lower(), await read_body(request, NewSource)
        made = await self._sources.create_source(
            caller_of(request), app, digest=given.digest, size=given.size
        )
        return _answer(made, status=201)

    async def get(self, request: web.Request) -> web.Response:
        """Say how much of it is here."""
        return _answer(await self._sources.source(caller_of(request), request.match_info["id"]))

    async def append(self, request: web.Request) -> web.Response:
        """Write the body at `offset`, however long it is."""
        offset = _offset(request.query.get("offset", ""))
        source = await self._sources.append_source(
            caller_of(request), request.match_info["id"], offset, stream_bytes(request)
        )
        return _answer(source)


def _answer(source: Source, status: int = 200) -> web.Response:
    document = {
        "id": source.id,
        "offset": source.offset,
        "size": source.size,
        "digest": source.digest,
        "complete": source.complete,
    }
    return json_response(document, status)


def _offset(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise Invalid("offset is the number of bytes that are here already: 0 or more")
    return int(text)
