"""Builds on their way and their logs, as the core reads and writes them; part of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.build_run import BuildRun
from core.records.build import BuildEntry, BuildStatus


class BuildRunReader(Protocol):
    """Read builds that the cluster makes; what the store promises of every read holds here."""

    async def build_run(self, build_id: str) -> BuildRun:
        """Return the build, or raise NotFound(`no such build: ID`)."""
        ...

    async def build_run_entry(self, build_id: str) -> BuildEntry:
        """Return the build as lists show it, without opening what is sealed, or raise NotFound as `build_run` does."""
        ...

    async def build_entries(self, app: str, limit: int) -> list[BuildEntry]:
        """Return the builds of an app that have made no release, newest first: on their way, failed, cancelled."""
        ...

    async def queued_builds(self, app: str) -> list[BuildRun]:
        """Return the builds of an app that wait for their turn, oldest first."""
        ...

    async def open_builds(self) -> list[BuildRun]:
        """Return the builds that have not ended, or of which something is left to clear up, oldest first: the work of a restart."""
        ...

    async def build_lines(self, build_id: str, after: int = 0, limit: int = 500) -> list[tuple[int, str]]:
        """Return (number, line) of the log with number > after; numbers begin at 1, and the oldest of a long log are gone."""
        ...

    async def build_aged(self, build_id: str) -> bool:
        """Return whether the log of a build is not kept any more."""
        ...

    async def build_of_push(self, marks: Sequence[str]) -> str | None:
        """Return the build that a push has started, which has one of these marks."""
        ...

    async def promotion_jobs(self) -> list[BuildRun]:
        """Return the complete builds whose release is still to be asked for, oldest first: the work of a restart."""
        ...

    async def last_build_line(self, build_id: str) -> int:
        """Return the number of the last line of the log, 0 before the first."""
        ...


class BuildRunWriter(Protocol):
    """Write builds that the cluster makes; what the store promises of a transaction holds here."""

    async def add_build_run(self, run: BuildRun) -> None:
        """Store a new build.

        Raises:
            Taken: its id is; whoever made it up takes another.
            Conflict: another build that has not failed was made of its source, which goes with that one (unique index).
        """
        ...

    async def save_build_run(self, run: BuildRun, *, was: BuildStatus) -> None:
        """Store the build.

        Raises:
            Conflict: it no longer is what it `was`, or another build of the app is running (unique index).
        """
        ...

    async def save_build_clone(self, run: BuildRun) -> None:
        """Store what the clone of a running build has told of its request; raise Conflict where it runs no more."""
        ...

    async def add_build_lines(self, build_id: str, lines: Sequence[str]) -> None:
        """Append lines to the log, and forget the oldest of a log that is longer than is kept."""
        ...

    async def remember_push(self, build_id: str, marks: Sequence[str]) -> None:
        """Remember by its marks that a push has started this build; only HMACs of them are stored."""
        ...

    async def forget_pushes(self, before: datetime, limit: int) -> int:
        """Forget so many pushes that were built before; return how many."""
        ...

    async def add_promotion_job(self, build_id: str) -> None:
        """Note, as a build completes, that its release is to be asked for."""
        ...

    async def finish_promotion_job(self, build_id: str) -> bool:
        """Note that it was asked for, or never will be; return False where that was done before."""
        ...
