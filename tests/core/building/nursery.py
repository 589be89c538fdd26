"""One app on a real store, with builds whose Jobs a test plays."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.actor import Actor, Caller
from core.build_run import BuildRequest, BuildRun
from core.building.clones import CloneReceiver
from core.building.driver import BuildPorts
from core.building.supervisor import BuildSupervisor
from core.errors import NotFound
from core.ids import new_id
from core.lifecycle.access import Access
from core.policy.rules import Verbosity
from core.ports.builds import BuildJobSpec, BuildJobStatus, BuildRunner, JobLogLine
from core.ports.sources import Source, Sources
from core.redaction import Redactor
from core.usecases.build_queue import QueuedBuild
from core.usecases.build_starter import BuildStarter
from core.usecases.build_viewer import BuildViewer
from tests.core.world import ALICE, World, by, world

MANIFEST = "services:\n  web: {build: ., port: 3000}\n  worker: {build: .}\n  db: {image: 'postgres:16'}\n"
DIGEST = "sha256:" + "a" * 64
DONE = BuildJobStatus(phase="succeeded", job="uid", digests=(DIGEST,))
RUNS = BuildJobStatus(phase="running", job="uid")
FAILED = BuildJobStatus(phase="failed", job="uid", reason="it ended with exit code 1")
SECONDS = 600.0


@dataclass
class PlayedJobs:
    """Jobs that do what a test has written down: what each look sees in turn, the last one for ever."""

    looks: list[BuildJobStatus | Exception] = field(default_factory=lambda: [RUNS, DONE])
    lines: list[JobLogLine] = field(default_factory=list)
    started: list[BuildJobSpec] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    refuses: Exception | None = None
    stays: Exception | None = None
    missing: str = ""

    def why_not(self) -> str:
        return self.missing

    def image(self, app: str, service: str, build: str, digest: str) -> str:
        return f"registry.example/{app}:{service}.{build}@{digest}"

    def script(self, spec: BuildJobSpec, said: Sequence[str]) -> str:
        return "\n".join([*said, *(" ".join(image.services) for image in spec.images)])

    async def start(self, spec: BuildJobSpec) -> str:
        if self.refuses:
            raise self.refuses
        self.started.append(spec)
        self.jobs[spec.build] = "uid"
        return "uid"

    async def look(self, build: str) -> BuildJobStatus:
        seen = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(seen, Exception):
            raise seen
        return seen

    async def log(self, build: str, since: str, redact: Redactor) -> list[JobLogLine]:
        return [JobLogLine(line.at, redact(line.text)) for line in self.lines if line.at >= since]

    async def remove(self, build: str) -> None:
        if self.stays:
            error, self.stays = self.stays, None
            raise error
        self.jobs.pop(build, None)

    async def left(self, installation: str) -> list[str]:
        if self.refuses:
            raise self.refuses
        return list(self.jobs)


@dataclass
class KeptSources:
    """Sources that are there, complete or not."""

    kept: dict[str, Source] = field(default_factory=dict)

    def add(self, name: str = "", *, app: str = "myapp", complete: bool = True) -> str:
        name = name or new_id("source")
        self.kept[name] = Source(id=name, app=app, digest="sha256:0", size=1, offset=1, complete=complete)
        return name

    async def find(self, source_id: str) -> Source:
        if source_id not in self.kept:
            raise NotFound(f"no such source: {source_id}")
        return self.kept[source_id]

    async def renew(self, source_id: str) -> Source:
        return await self.find(source_id)

    async def open(self, source_id: str) -> Path:
        return Path("/sources", (await self.find(source_id)).id)

    async def delete(self, source_id: str) -> None:
        self.kept.pop(source_id, None)


async def start(
    starter: BuildStarter,
    caller: Caller,
    app: str,
    *,
    to_promote: bool = False,
    only_newest: bool = False,
    **asked: Any,
) -> QueuedBuild:
    """Ask for a build of what was uploaded."""
    request = BuildRequest(promote=to_promote, **asked)
    return await starter.start(caller, app, request, only_newest=only_newest)


async def start_git(
    starter: BuildStarter,
    caller: Caller,
    app: str,
    *,
    url: str,
    ref: str = "",
    commit: str = "",
    **asked: Any,
) -> QueuedBuild:
    """Ask for a build of a repository."""
    return await start(starter, caller, app, git_url=url, git_ref=ref, git_sha=commit, **asked)


@dataclass
class Builds:
    w: World
    jobs: Any
    sources: Any
    supervisor: BuildSupervisor
    starter: BuildStarter
    clones: CloneReceiver
    viewer: BuildViewer

    async def ask(self, actor: Actor = ALICE, **more: Any) -> QueuedBuild:
        app = more.pop("app", "myapp")
        source = more.pop("source", "") or self.sources.add(app=app)
        given: Mapping[str, Any] = {"manifest": MANIFEST, "source": source, **more}
        return await start(self.starter, by(actor), app, **given)

    def hold(self) -> None:
        """Let builds be asked for and none begin, until `end`."""
        self.supervisor.look = lambda app: None

    async def end(self, build: str) -> BuildRun:
        if "look" in vars(self.supervisor):
            del self.supervisor.look
            self.supervisor.look("myapp")
        await self.supervisor.idle()
        return await self.w.store.read.build_run(build)

    async def made(self, **more: Any) -> BuildRun:
        return await self.end((await self.ask(**more)).run.id)

    async def log(self, build: str) -> list[str]:
        return [text for _, text in await self.w.store.read.build_lines(build)]


@asynccontextmanager
async def builds(path: Path, jobs: Any = None, sources: Any = None, **more: Any) -> AsyncGenerator[Builds]:
    """Open a world with builds; `jobs` and `sources` are those of an earlier life."""
    async with world(path, **more) as w:
        made = builds_of(w, jobs, sources, why_not_startable=more.get("why_not_startable", ""))
        try:
            yield made
        finally:
            await made.supervisor.stop()


def builds_of(
    w: World, jobs: Any = None, sources: Any = None, *, why_not_startable: str = "", seconds: float = SECONDS
) -> Builds:
    """Return the builds of a world; whoever asks for them stops their supervisor."""
    jobs, sources = jobs or PlayedJobs(), sources or KeptSources()

    def verbosity(app: str, channel: str | None) -> Verbosity:
        return w.policy.verbosity(app, channel)  # of now: a test may change it

    ports = BuildPorts(
        store=w.store,
        cluster=jobs,
        clock=w.clock,
        announcer=w.announcer,
        release=w.registrar.release_build,
        forget_source=sources.delete,
        verbosity=verbosity,
        seconds=seconds,
    )
    supervisor = BuildSupervisor(ports)
    starter = starter_of(w, jobs, sources, supervisor, why_not_startable=why_not_startable)
    access = Access(lambda: w.policy, w.directory)
    clones = CloneReceiver(w.store, jobs, supervisor, w.announcer, access.rules)
    return Builds(w, jobs, sources, supervisor, starter, clones, BuildViewer(w.store, access, sources))


class _Nobody:
    """Drives nothing."""

    def look(self, app: str) -> None:
        """Leave it as it is."""


def starter_of(
    w: World,
    jobs: Any = None,
    sources: KeptSources | None = None,
    runner: BuildRunner | None = None,
    *,
    why_not_startable: str = "",
) -> BuildStarter:
    """Return the use cases of builds in a world; nobody drives what they ask for, unless a runner does."""
    return BuildStarter(
        w.store,
        Access(lambda: w.policy, w.directory),
        jobs or PlayedJobs(),
        cast("Sources", sources or KeptSources()),
        runner or _Nobody(),
        w.announcer,
        why_not_startable=lambda: why_not_startable,
        # The Jobs that are played tell the digests of what is built.
        copy_images=False,
    )
