"""The recipe of a build: what is done in each of its states, and what is stored before and after it.

A state is stored before what belongs to it is done in the cluster, and a Job has the name of its build. So a process that
dies anywhere finds, at its next start, either nothing or the very Job that it was about to make.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core.build_run import BuildRun
from core.building.cause import cause_in
from core.building.job_spec import job_spec
from core.building.patience import BuildPatience
from core.building.reading_log import LogProgress, new_lines, past_the_second
from core.clock import Clock
from core.errors import Conflict, Rejected, Unreachable, UserError
from core.failpoints import failpoint
from core.lifecycle.build_ending import fail_build
from core.lifecycle.build_log import kept_lines
from core.lifecycle.build_telling import log_lines, step_lines
from core.lifecycle.holds import fork_point
from core.policy.rules import Verbosity
from core.ports.announcer import Announcer
from core.ports.builds import BuildCluster, BuildJobSpec, BuildJobStatus
from core.ports.store import Store, Transaction
from core.records.build import BuildStatus
from core.records.line import Line
from core.redaction import Redactor, keep_quiet, redactor_for
from core.sentence import Sentence
from core.waiting import first_of

log = logging.getLogger(__name__)

# Between two looks at a Job: as often as a reader of its log notices.
LOOK_SECONDS = 1.0
# After an answer that did not come.
PAUSE_SECONDS = 5.0
# Lines that are looked through for why a build failed: BuildKit quotes the Dockerfile after it.
LAST_LINES = 200
# How the line of a log begins that says what a build waits for.
WAITING = "waiting: "
# A second in which so many lines were written may not fit into an answer.
FULL = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPorts:
    """What a build is driven with.

    Attributes:
        release: makes the build and its one release of images, and ends the run with it in the same transaction.
        forget_source: deletes what was uploaded; what is gone is fine.
        verbosity: how much a channel hears of an app.
        seconds: how long a build may take.
    """

    store: Store
    cluster: BuildCluster
    clock: Clock
    announcer: Announcer
    release: Callable[[BuildRun, Mapping[str, str]], Awaitable[object]]
    forget_source: Callable[[str], Awaitable[None]]
    verbosity: Callable[[str, str | None], Verbosity]
    seconds: float


class BuildDriver:
    """Takes one build after the other to its end."""

    def __init__(self, ports: BuildPorts) -> None:
        self._ports = ports
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, app: str) -> None:
        """Look at once: somebody has asked for a build, or cancelled one."""
        self._news[app].set()

    async def next(self, app: str) -> BuildRun | None:
        """Return what is to be done of an app, None where nothing is: what has ended first, then what runs, then the queue."""
        self._news[app].clear()
        runs = [run for run in await self._ports.store.read.open_builds() if run.app == app]
        order = {BuildStatus.RUNNING: 1, BuildStatus.CREATED: 2}
        return min(runs, key=lambda run: order.get(run.status, 0), default=None)

    def anything_new(self, app: str) -> bool:
        return self._news[app].is_set()

    async def advance(self, run: BuildRun) -> None:
        """Do what is to be done of a build now.

        Raises:
            Rejected, Unreachable: the cluster has the last word; it is asked again.
        """
        try:
            match run.status:
                case BuildStatus.CREATED:
                    await self._start(run)
                case BuildStatus.RUNNING:
                    await self._follow(run)
                case _:
                    await self._clear(run)
        except Conflict as error:
            # Somebody has cancelled it since it was read: the next look begins with what is stored.
            log.info("the build %s has gone on without this: %s", run.id, error)

    async def _start(self, run: BuildRun) -> None:
        """Take its turn: stored before the Job is made, so whoever dies in between makes it after all, with the same variables."""
        async with self._ports.store.transaction() as tx:
            base, _ = await fork_point(tx, run.app)
            await tx.save_build_run(run.started(tx.now, base.id if base else ""), was=run.status)
        self._ports.announcer.wake()
        failpoint("build.after_start")

    async def _follow(self, run: BuildRun) -> None:
        try:
            spec = await job_spec(self._ports.store.read, run)
        except UserError as error:
            await self._fail(run, error.sentence)
            return
        redact, patience = await _redactor(spec), BuildPatience()
        while (run := await self._ports.store.read.build_run(run.id)).status is BuildStatus.RUNNING:
            try:
                ended = await self._look(run, spec, redact, patience)
            except Rejected as error:
                await self._fail(run, Sentence.of(str(error)))
                return
            except Unreachable as error:
                log.warning("the build %s stands still: %s; it goes on", run.id, error)
                if self._overdue(run):
                    await self._fail(run, Sentence.of(f"{self._too_long()}; at the end {error}"))
                    return
                await self._pause(run.app, PAUSE_SECONDS)
                continue
            if ended:
                return
            await self._pause(run.app, LOOK_SECONDS)

    async def _look(
        self, run: BuildRun, spec: BuildJobSpec, redact: Redactor, patience: BuildPatience
    ) -> bool:
        """Look once, and do what follows; return whether the build has ended."""
        if not run.job:
            run = await self._make_job(run, spec)
        status = patience.judge(await self._ports.cluster.look(run.id), self._ports.clock.now())
        # Last words of a container and events are foreign text, as its log is.
        status = replace(status, reason=redact(status.reason))
        run = await self._note_waiting(run, status)
        run, lines = await self._read_log(run, redact)
        if status.phase not in {"waiting", "running"}:
            # What was written between the look and the reading is there now; the rest was there before.
            run, more = await self._read_log(run, redact)
            await self._end(run, spec, status, [*lines, *more])
            return True
        if self._overdue(run):
            why = f"; {status.reason}" if status.reason else ""
            await self._fail(run, Sentence.of(f"{self._too_long()}{why}"))
            return True
        return False

    async def _make_job(self, run: BuildRun, spec: BuildJobSpec) -> BuildRun:
        made = replace(run, job=await self._ports.cluster.start(spec))
        failpoint("build.after_job")
        await self._save(made)
        return made

    async def _note_waiting(self, run: BuildRun, status: BuildJobStatus) -> BuildRun:
        """Store what keeps it from starting while something does, and say it in the log where it is something else."""
        waits = status.reason if status.hindered else ""
        if waits == run.waits:
            return run
        # Numbers in it change by the minute: how much is used, on how many nodes.
        known = waits.partition(":")[0] == run.waits.partition(":")[0]
        run = replace(run, waits=waits)
        try:
            async with self._ports.store.transaction() as tx:
                await tx.save_build_run(run, was=BuildStatus.RUNNING)
                await tx.add_build_lines(run.id, [f"{WAITING}{waits}"] if waits and not known else [])
        except Conflict:
            log.debug("the build %s has ended meanwhile", run.id)
        self._ports.announcer.wake()
        return run

    async def _read_log(self, run: BuildRun, redact: Redactor) -> tuple[BuildRun, list[str]]:
        """Store what is new of the log, with how far it is read, so that no line is stored twice or lost."""
        progress = LogProgress(since=run.log_since, seen=run.log_seen)
        read = await self._ports.cluster.log(run.id, run.log_since, redact)
        lines, reached = new_lines(progress, read)
        if not lines and len(read) >= FULL:
            reached = past_the_second(progress)
        if reached == progress:
            return run, []
        run = replace(run, log_since=reached.since, log_seen=reached.seen)
        try:
            async with self._ports.store.transaction() as tx:
                await tx.save_build_run(run, was=BuildStatus.RUNNING)
                await tx.add_build_lines(run.id, lines)
                told = await self._told(tx, run, lines)
                await tx.add_lines(run.id, told)
        except Conflict:
            return run, []  # it was cancelled meanwhile
        if told:
            self._ports.announcer.wake()
        failpoint("build.after_log")
        return run, lines

    async def _told(self, tx: Transaction, run: BuildRun, lines: Sequence[str]) -> list[Line]:
        """Return what the thread of its card has of lines that were just stored: a verbose channel each, any other its steps."""
        card = await tx.card(run.id)
        if card is None or not lines:
            return []
        if self._ports.verbosity(run.app, card.channel) == "verbose":
            return log_lines(lines, tx.now, last=await tx.last_build_line(run.id))
        return step_lines(lines, tx.now)

    async def _end(
        self, run: BuildRun, spec: BuildJobSpec, status: BuildJobStatus, lines: Sequence[str]
    ) -> None:
        if status.phase == "gone":
            await self._fail(run, Sentence.of("its Job was deleted in the cluster"))
            return
        if status.phase == "failed":
            cause = cause_in(lines) or cause_in(
                (await kept_lines(self._ports.store.read, run.id))[-LAST_LINES:]
            )
            await self._fail(run, Sentence.of(cause or status.reason))
            return
        if spec.git and not spec.images:
            # It was made before the clone told what is built, and the run may have been read before that too.
            run = await self._ports.store.read.build_run(run.id)
            spec = await job_spec(self._ports.store.read, run)
        if len(status.digests) != len(spec.images):
            told = f"the cluster tells {len(status.digests)} digests of {len(spec.images)} images"
            await self._fail(run, Sentence.of(f"what was pushed is not known: {told}"))
        else:
            await self._complete(run, spec, status.digests)

    async def _complete(self, run: BuildRun, spec: BuildJobSpec, digests: Sequence[str]) -> None:
        images = {
            service: self._ports.cluster.image(run.app, service, run.id, digest)
            for image, digest in zip(spec.images, digests, strict=True)
            for service in image.services
        }
        try:
            await self._ports.release(run, images)
        except Conflict as error:
            log.info("the build %s makes no release: %s", run.id, error)  # it was cancelled meanwhile
        except UserError as error:
            await self._fail(run, error.sentence)
        failpoint("build.after_release")

    async def _fail(self, run: BuildRun, reason: Sentence) -> None:
        try:
            async with self._ports.store.transaction() as tx:
                await fail_build(tx, run, reason)
        except Conflict:
            return  # it was cancelled meanwhile
        failpoint("build.after_failure")
        self._ports.announcer.wake()

    async def _clear(self, run: BuildRun) -> None:
        """Leave nothing behind: done again until it is done, since removing what is gone is fine."""
        await self._ports.cluster.remove(run.id)
        failpoint("build.after_removal")
        # What has failed may be retried until its source is too old.
        if run.request.source and run.status is not BuildStatus.FAILED:
            await self._ports.forget_source(run.request.source)
        await self._save(replace(run, cleared=True))

    async def _save(self, run: BuildRun) -> None:
        async with self._ports.store.transaction() as tx:
            await tx.save_build_run(run, was=run.status)

    async def _pause(self, app: str, seconds: float) -> None:
        await first_of(self._news[app].wait(), self._ports.clock.sleep(seconds))
        self._news[app].clear()

    def _overdue(self, run: BuildRun) -> bool:
        assert run.started_at is not None, "it is running"
        return self._ports.clock.now() - run.started_at > timedelta(seconds=self._ports.seconds)

    def _too_long(self) -> str:
        return f"it took longer than {self._ports.seconds / 60:g} minutes (CONVOX_BUILD_TIMEOUT)"


async def _redactor(spec: BuildJobSpec) -> Redactor:
    """Return what knows everything secret that the build is given; from now on this task logs none of it either."""
    logins = {value for each in spec.logins for value in each.secrets}
    if spec.git and spec.git.account:
        logins |= set(spec.git.account.secrets)
    redact = await redactor_for({spec.token, *spec.secrets.values(), *logins})
    keep_quiet(redact)
    return redact
