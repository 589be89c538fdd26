"""Reads of builds that the cluster makes, and of their logs."""

from collections.abc import Sequence

from core.build_run import BuildRun
from core.errors import NotFound
from core.records.build import BuildCounts, BuildEntry, BuildStatus
from storage.aggregate import AggregateReader
from storage.builds.rows import build_lines_of, build_run_entry_of, build_run_of, push_mark


class BuildReader(AggregateReader):
    """`core.ports.build_runs.BuildRunReader`; see there for what each method promises."""

    async def build_run(self, build_id: str) -> BuildRun:
        row = await self._session.one("build_run", id=build_id)
        if row is None:
            raise NotFound(f"no such build: {build_id}")
        return build_run_of(row, self._vault)

    async def build_run_entry(self, build_id: str) -> BuildEntry:
        row = await self._session.one("build_run_entry", id=build_id)
        if row is None:
            raise NotFound(f"no such build: {build_id}")
        return build_run_entry_of(row)

    async def build_entries(self, app: str, limit: int) -> list[BuildEntry]:
        rows = await self._session.all("builds_without_release", app=app, limit=limit)
        return [build_run_entry_of(row) for row in rows]

    async def queued_builds(self, app: str) -> list[BuildRun]:
        return [build_run_of(row, self._vault) for row in await self._session.all("queued_builds", app=app)]

    async def open_builds(self) -> list[BuildRun]:
        return [build_run_of(row, self._vault) for row in await self._session.all("open_builds")]

    async def build_counts(self) -> BuildCounts:
        """Return what graphs ask of builds."""
        row = await self._session.one("builds_under_way")
        assert row is not None, "an aggregate always gives a row"
        ended = await self._session.all("build_endings")
        return BuildCounts(
            waiting=row["created"],
            running=row["running"],
            endings={BuildStatus(each["status"]): (each["builds"], each["seconds"]) for each in ended},
        )

    async def last_build_line(self, build_id: str) -> int:
        row = await self._session.one("last_build_line", build=build_id)
        return int(row["last"]) if row else 0

    async def build_lines(self, build_id: str, after: int = 0, limit: int = 500) -> list[tuple[int, str]]:
        # A piece has one line at least, so as many pieces as lines are wanted are enough.
        rows = await self._session.all("build_lines", build=build_id, after=after, limit=limit)
        found: list[tuple[int, str]] = []
        for row in rows:
            found += [line for line in build_lines_of(row, self._vault) if line[0] > after]
            if len(found) >= limit:
                break
        return found[:limit]

    async def build_of_push(self, marks: Sequence[str]) -> str | None:
        for mark in marks:
            if found := await self._session.one("build_of_push", mark=push_mark(mark, self._vault)):
                return str(found["build"])
        return None

    async def promotion_jobs(self) -> list[BuildRun]:
        return [build_run_of(row, self._vault) for row in await self._session.all("promotion_jobs")]

    async def build_aged(self, build_id: str) -> bool:
        return await self._session.one("build_aged", subject=build_id, records="build_logs") is not None
