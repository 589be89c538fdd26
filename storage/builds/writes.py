"""Writes of builds that the cluster makes, and of their logs."""

from collections.abc import Sequence

from core.build_run import BuildRun
from core.errors import Conflict, Taken
from core.records.build import BuildStatus
from storage.aggregate import AggregateWriter
from storage.builds.rows import build_lines_row, build_run_row

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
