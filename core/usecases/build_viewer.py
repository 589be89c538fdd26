"""Looking at a build that the cluster makes, at its log, and at the source that its pod fetches."""

from pathlib import Path

from core.actor import Caller
from core.build_run import ENDED
from core.errors import NotFound, Unauthorized
from core.lifecycle.access import Access
from core.lifecycle.build_log import line_of_aged_log
from core.lifecycle.build_source import may_fetch
from core.lifecycle.build_telling import builds_ahead
from core.ports.sources import Sources
from core.ports.store import Store
from core.records.build import BuildEntry
from core.usecases.build_queue import QueuedBuild
from core.usecases.named_builds import seen_build


class BuildViewer:
    """Shows builds of the cluster while they go on; it changes nothing."""

    def __init__(self, store: Store, access: Access, sources: Sources) -> None:
        self._store = store
        self._access = access
        self._sources = sources

    async def look(self, caller: Caller, build_id: str) -> QueuedBuild:
        """Return a build, and how many of its app come before it; raise NotFound where there is none."""
        _, run = await seen_build(self._store, self._access, caller, build_id, "view")
        return QueuedBuild(run=run, ahead=await builds_ahead(self._store.read, run))

    async def lines(
        self, caller: Caller, build_id: str, after: int
    ) -> tuple[BuildEntry, list[tuple[int, str]]]:
        """Return a build, and lines of its log after a number; whoever asks again gets the next ones.

        It is asked twice a second by each who reads along, so nothing is opened but new lines.
        """
        build = await self._store.read.build_run_entry(build_id)
        await self._access.require(caller.actor, "view", build.app)
        read = self._store.read
        lines = await read.build_lines(build.id, after)
        if not lines and not after and build.status in ENDED:
            aged = await line_of_aged_log(read, build.id, self._access.policy.retention)
            lines = list(enumerate(aged, 1))
        return build, lines

    async def source(self, build_id: str, token: str) -> Path:
        """Return the file with the source of a build for the pod that builds it, which nobody else's token opens.

        Raises:
            Unauthorized: that is not its token, or the build is not running.
            NotFound: the source is gone.
        """
        try:
            run = await self._store.read.build_run(build_id)
        except NotFound:
            raise Unauthorized("this token opens no source") from None
        if not run.request.source or not await may_fetch(self._store.read, run, token):
            raise Unauthorized("this token opens no source")
        return await self._sources.open(run.request.source)
