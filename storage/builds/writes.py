"""Writes of builds that the cluster makes, and of their logs."""

from collections.abc import Sequence
from datetime import datetime

from core.build_run import BuildRun
from core.errors import Conflict, Taken
from core.records.build import BuildStatus
from storage.aggregate import AggregateWriter
from storage.builds.rows import build_lines_row, build_run_row, push_row
from storage.codec import timestamp

# Lines of one log that are kept, its last ones: a failure is at the end. BuildKit writes some thousands for a large image.
MOST_LINES = 20_000


class BuildWriter(AggregateWriter):
    """`core.ports.build_runs.BuildRunWriter`; see there for what each method promises."""

    async def add_build_run(self, run: BuildRun) -> None:
        row = build_run_row(run, self._vault)
        built = Conflict(
            f"the source {run.request.source} has its build already",
            hint=f"`builds -a {run.app}` lists it; upload the source again for another one",
        )
        if not await self._run_unless("add_build_run", row, "another_build_of_source", built):
            raise Taken(f"{run.id} is taken")

    async def save_build_run(self, run: BuildRun, *, was: BuildStatus) -> None:
        row = build_run_row(run, self._vault) | {"was": was.value}
        busy = Conflict(f"another build of {run.app} is running")
        if not await self._run_unless("save_build_run", row, "another_build_running", busy):
            raise Conflict(f"build {run.id} is no longer {was}")

    async def save_build_clone(self, run: BuildRun) -> None:
        if not await self._session.run("save_build_clone", build_run_row(run, self._vault)):
            raise Conflict(f"build {run.id} is no longer {run.status}")

    async def add_build_lines(self, build_id: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        found = await self._session.one("last_build_line", build=build_id)
        number = int(found["last"]) + 1 if found else 1
        row = build_lines_row(build_id, number, lines, self._vault)
        await self._session.run("add_build_lines", row)
        await self._session.run("forget_build_lines", {"build": build_id, "oldest": row["last"] - MOST_LINES})

    async def remember_push(self, build_id: str, marks: Sequence[str]) -> None:
        rows = [push_row(mark, build_id, self.now, self._vault) for mark in marks]
        await self._session.many("remember_push", rows)

    async def forget_pushes(self, before: datetime, limit: int) -> int:
        return await self._session.run("forget_pushes", {"before": timestamp(before), "limit": limit})

    async def add_promotion_job(self, build_id: str) -> None:
        await self._session.run("add_promotion_job", {"build": build_id})

    async def finish_promotion_job(self, build_id: str) -> bool:
        return await self._session.run("finish_promotion_job", {"build": build_id}) == 1
