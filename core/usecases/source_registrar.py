"""Use cases of what is built from: who may build an app uploads its source, in as many parts as the line allows."""

import re
from collections.abc import AsyncIterable, Callable
from datetime import datetime, timedelta

from core.actor import Caller
from core.errors import Invalid
from core.lifecycle.access import Access
from core.lifecycle.startable import check_startable
from core.ports.sources import Source, Sources
from core.ports.store import Store
from core.usecases.build_starter import check_buildable

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Written at once: a thread for each piece that comes out of a socket would cost more than writing it.
PIECE_BYTES = 1 << 18
# Whoever comes back after a broken connection comes within minutes; what is complete waits for its build.
UNFINISHED_AGE, COMPLETE_AGE = timedelta(hours=6), timedelta(hours=24)


class SourceRegistrar:
    """Receive sources."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        access: Access,
        why_not_startable: Callable[[], str],
        why_not_buildable: Callable[[], str],
        *,
        most: int,
    ) -> None:
        """Wire the use cases.

        Args:
            store: knows which apps there are.
            sources: where they are kept.
            access: who may do what.
            why_not_startable: says why nothing may be written now, or "".
            why_not_buildable: says what this rack lacks to build anything, or "".
            most: bytes that one source may have.
        """
        self._store = store
        self._sources = sources
        self._access = access
        self._why_not_startable = why_not_startable
        self._why_not_buildable = why_not_buildable
        self._most = most

    async def create_source(self, caller: Caller, app: str, *, digest: str, size: int) -> Source:
        """Return where a source is to be sent; one of which a part is here already goes on there.

        Raises:
            NotFound: there is no such app.
            Conflict: this rack builds nothing: said before anything is sent for nothing.
            Invalid: the digest is none, or it is larger than a source may be.
            Unavailable: nothing may be written now, or it has no room.
        """
        await self._access.require(caller.actor, "build", app)
        check_startable(self._why_not_startable)
        check_buildable(self._why_not_buildable())
        await self._store.read.app(app)
        if not DIGEST.fullmatch(digest):
            raise Invalid("a digest is sha256: and 64 hexadecimal digits")
        if not 0 < size <= self._most:
            raise Invalid(
                f"a source may have up to {self._most >> 20} MiB, packed, and this one has {size / (1 << 20):,.1f}",
                hint="name in .dockerignore what is not needed for the build; the limit is CONVOX_MAX_SOURCE",
            )
        return await self._sources.create(app, digest, size)

    async def source(self, caller: Caller, source_id: str) -> Source:
        """Return how far a source is; raises NotFound where there is none."""
        source = await self._sources.find(source_id)
        await self._access.require(caller.actor, "build", source.app)
        return source

    async def append_source(
        self, caller: Caller, source_id: str, offset: int, pieces: AsyncIterable[bytes]
    ) -> Source:
        """Write the next bytes as they come, and check the whole once the last one is here.

        What came before the sender was lost is kept: `source` tells where to go on.

        Raises:
            NotFound: there is no such source.
            Conflict: they do not belong there: `source` tells where it is.
            Invalid: more came than was announced, or something else.
            Unavailable: the disk cannot be written, or is full.
        """
        source = await self.source(caller, source_id)
        waiting = bytearray()
        async for piece in pieces:
            waiting += piece
            if len(waiting) >= PIECE_BYTES:
                source = await self._sources.append(source.id, offset, bytes(waiting))
                offset = source.offset
                waiting.clear()
        source = await self._sources.append(source.id, offset, bytes(waiting))
        return await self._sources.finish(source.id) if source.offset == source.size else source

    async def age_out(self, now: datetime) -> int:
        """Delete what nobody went on with, or has built from in time; a build that waits or runs keeps its source."""
        wanted = {run.request.source for run in await self._store.read.open_builds()}
        return await self._sources.age_out(
            unfinished=now - UNFINISHED_AGE, complete=now - COMPLETE_AGE, wanted=wanted
        )
